// SPDX-License-Identifier: LGPL-2.1-or-later
// What is known of a run: the state that /results.json has, and the lines that come behind it.

const MOST_COLUMNS = 1024, FIRST_STEP = 1e7, SILENCE = -999, MOST_RATES = 300, MOST_EVENTS = 8000;

// The least and the greatest of each level in columns of time, as qc-timeline.c has them.
class Timeline {
  constructor(from) {
    this.step = from ? from.step : FIRST_STEP;
    this.levels = from ? from.levels : {};
    const [first] = Object.values(this.levels);
    this.length = first ? first.least.length : 0;
  }

  static fold(a, b, choose) {
    return a === null ? b : b === null ? a : choose(a, b);
  }

  widen() {
    for (const level of Object.values(this.levels)) {
      for (const [key, choose] of [["least", Math.min], ["most", Math.max]]) {
        const old = level[key], wide = [];
        for (let i = 0; i < old.length; i += 2)
          wide.push(Timeline.fold(old[i], i + 1 < old.length ? old[i + 1] : null, choose));
        level[key] = wide;
      }
    }
    this.step *= 2;
    this.length = Math.ceil(this.length / 2);
  }

  add(time, levels) {
    if (!isNumber(time))
      return;
    while (time / this.step >= MOST_COLUMNS)
      this.widen();
    const at = Math.floor(time / this.step);
    this.length = Math.max(this.length, at + 1);
    for (const [name, value] of Object.entries(levels)) {
      const level = this.levels[name] ??= {least: [], most: []}, here = value ?? SILENCE;
      for (const [key, choose] of [["least", Math.min], ["most", Math.max]]) {
        while (level[key].length < this.length)
          level[key].push(null);
        level[key][at] = Timeline.fold(level[key][at], here, choose);
      }
    }
  }
}

class Stream {
  constructor(state) {
    Object.assign(this, {name: state.stream, kind: state.kind, depth: state.depth, width: state.width,
      height: state.height, format: state.format, channels: state.channels, frames: state.frames});
    this.timeline = new Timeline(state.timeline);
    this.levels = {};      // of the last buffer
    this.histograms = {};  // of the last line that has some, by their names
    this.counters = null;
  }

  takeFrame(line) {
    this.levels = line.levels;
    for (const [name, value] of Object.entries(line.results)) {
      if (Array.isArray(value))
        this.histograms[name] = value;
    }
  }
}

class Film {
  constructor(name) {
    Object.assign(this, {name, streams: new Map(), events: [], leftOut: 0, isForgotten: false, progress: null,
      summary: null, areFinal: false, rates: []});
  }

  // A message of a start or an end.
  takeMessage(line) {
    if (line.state === "start") {
      this.events.push({stream: line.stream, event: line.event, start: line["stream-time"],
        end: null, values: line.values, isOpen: true});
      return;
    }
    const open = this.events.findLast(event => event.stream === line.stream && event.event === line.event);
    if (open)
      Object.assign(open, {end: line["stream-time"], isOpen: false});
  }

  // An event with its value; all of these come behind the last message, in their order.
  takeEvent(line) {
    this.finish();
    this.events.push({...line, isOpen: false});
  }

  finish() {
    if (!this.areFinal)
      this.events = [];
    this.areFinal = true;
  }

  takeProgress(line) {
    this.progress = line;
    this.rates.push({seconds: line.seconds, rate: line["frames-per-second"]});
    if (this.rates.length > MOST_RATES)
      this.rates.shift();
  }

  // Takes what is of no stream; FALSE for other lines.
  take(line) {
    if (line.type === "vyre-event")
      this.takeMessage(line);
    else if (line.type === "event")
      this.takeEvent(line);
    else if (line.type === "progress")
      this.takeProgress(line);
    else if (line.type === "summary")
      this.finish(), this.summary = line;
    else
      return false;
    if (this.events.length > MOST_EVENTS)
      this.leftOut++, this.events.shift();
    return true;
  }

  // How much of it is measured: 0 to 1, or null.
  get share() {
    if (this.summary)
      return 1;
    const duration = this.progress && this.progress["claimed-duration"];
    return duration ? Math.min(1, this.progress.position / duration) : null;
  }

  // What the axis of time shows, in ns.
  get span() {
    const duration = this.progress && this.progress["claimed-duration"];
    const ends = [...this.streams.values()].map(({timeline}) => timeline.length * timeline.step);
    return this.summary ? Math.max(this.summary.end || 0, 1e6) : Math.max(duration || 0, ...ends, 1e9);
  }

  // The verdict, or what the file does before it has one.
  get verdict() {
    return this.summary ? this.summary.verdict : this.progress ? "measuring" : "waiting";
  }
}

class Model {
  constructor() {
    this.films = new Map();
    this.verdict = null;  // of all films, at the end
  }

  restore(state) {
    const rates = new Map([...this.films.values()].map(film => [film.name, film.rates]));
    this.films.clear();
    this.verdict = state.verdict;
    for (const {file, streams, events, lines, ...rest} of state.files) {
      const film = new Film(file);
      film.leftOut = rest["left-out"];
      film.isForgotten = rest.forgotten;
      this.films.set(file, film);
      for (const each of streams) {
        const stream = new Stream(each);
        film.streams.set(each.stream, stream);
        each.lines.forEach(line => line.type === "frame" ? stream.takeFrame(line) : stream.counters = line);
      }
      [...events, ...lines].forEach(line => film.take(line));
      film.rates = rates.get(file) ?? film.rates;
    }
  }

  // FALSE where the state has to be asked for again. It says what a stream is from its first buffer on.
  take(line) {
    if (line.type === "end") {
      this.verdict = line.verdict;
      return true;
    }
    const film = this.films.get(line.file);
    if (!film || line.type === "lost")
      return false;
    if (film.take(line))
      return true;
    const stream = film.streams.get(line.stream), isFrame = line.type === "frame";
    if (!stream || (isFrame && stream.frames === 0))
      return false;
    if (isFrame) {
      stream.frames++;
      stream.takeFrame(line);
      stream.timeline.add(line.results["stream-time"], line.levels);
    } else if (line.type === "vyre-counters") {
      stream.counters = line;
    }
    return true;
  }
}
