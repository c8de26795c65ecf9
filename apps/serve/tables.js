// SPDX-License-Identifier: LGPL-2.1-or-later
// The figures of the film and of the engine, and the table of events.

const MOST_ROWS = 1000;

// The ways of the bytes to the kernel, of the counters' structure `ingest`.
const WAYS = [["arena-bytes", "in place"], ["import-bytes", "imported"], ["direct-bytes", "stored"],
  ["fd-bytes", "from files"], ["cpu-bounce-bytes", "copied by the CPU"]];

const find = id => document.getElementById(id);

function show(id, text) {
  setText(find(id), text);
}

function sumCounters(film, read) {
  return [...film.streams.values()].reduce((sum, {counters}) => sum + (counters && read(counters) || 0), 0);
}

function listWays(film) {
  return WAYS.map(([key, name]) => [key, name, sumCounters(film, counters => counters.ingest?.[key])]);
}

function describeFormat(film) {
  return [...film.streams.values()].map(stream => stream.kind === "video"
    ? `${stream.width} × ${stream.height} ${stream.format ?? ""}`
    : `${stream.channels} channel${stream.channels === 1 ? "" : "s"}`).join(", ");
}

// The stream whose latency stands for all: the first one that has counters.
function findCounters(film) {
  return [...film.streams.values()].find(({counters}) => counters)?.counters;
}

function drawFacts(film) {
  const {progress, share} = film, counters = findCounters(film), duration = progress?.["claimed-duration"];
  const seconds = progress?.seconds, rest = share && seconds && !film.summary ? seconds * (1 / share - 1) : null;
  show("position", formatTime(progress?.position));
  show("duration", duration ? `of ${formatTime(duration)}` : "of unknown length");
  show("share", share === null ? UNKNOWN : `${Math.floor(100 * share)} %`);
  show("left", film.summary ? `in ${formatTick(Math.round(seconds ?? 0), 1)}`
    : rest === null ? UNKNOWN : `about ${formatTick(Math.ceil(rest), 1)} left`);
  const rate = film.summary ? progress?.frames / seconds : progress?.["frames-per-second"];
  show("frames-per-second", formatLevel(rate, 1));
  show("speed", film.summary ? "a second, on average" : "frames a second");
  show("frames", progress ? formatCount(progress.frames) : UNKNOWN);
  show("format", describeFormat(film) || UNKNOWN);
  show("latency-p50", formatLatency(counters?.["latency-p50"]));
  show("latency-p99", formatLatency(counters?.["latency-p99"]));
  show("copied", formatBytes(counters && sumCounters(film, each => each["cpu-bounce-bytes"])));
  show("payload", formatBytes(counters && sumCounters(film, each => each["payload-bytes"])));
  const bar = find("bar"), percent = Math.round(100 * (share ?? 0));
  bar.style.width = `${percent}%`;
  bar.parentElement.setAttribute("aria-valuenow", percent);
}

function drawProblems(film) {
  const problems = film.summary?.problems ?? [], list = find("problems");
  list.hidden = problems.length === 0;
  if (list.dataset.shown !== String(problems)) {
    list.dataset.shown = String(problems);
    list.replaceChildren(...problems.map(problem => make("li", {}, problem)));
  }
}

class Engine {
  constructor(list) {
    this.list = list;
    this.rows = new Map();
  }

  // A row with a meter where there is a @share.
  show(id, name, text, share) {
    if (!this.rows.has(id)) {
      const figure = make("dd", {id: `engine-${id}`}), meter = make("meter", {min: 0, max: 1, value: 0});
      const row = make("div", {className: id === "cpu-bounce-bytes" ? "copied" : ""}, make("dt", {}, name), figure);
      meter.setAttribute("aria-label", `${name}, of all bytes`);
      row.append(...share === undefined ? [] : [meter]);
      this.rows.set(id, {figure, meter});
      this.list.append(row);
    }
    const {figure, meter} = this.rows.get(id);
    setText(figure, text);
    meter.value = share ?? 0;
  }

  draw(film) {
    const counters = findCounters(film), ways = listWays(film);
    const all = ways.reduce((sum, [, , bytes]) => sum + bytes, 0);
    drawSpeed(find("speed-plot"), film.rates);
    if (!counters)
      return;
    this.show("device", "Device", counters.device ?? UNKNOWN);
    this.show("residency", "Residency", `${counters.residency}, ${counters.placement}`);
    this.show("latency", "Latency, longest", formatLatency(counters["latency-max"]));
    this.show("in-flight", "Batches in flight", formatCount(sumCounters(film, each => each["queue-depth"])));
    this.show("faults", "Faults", formatCount(sumCounters(film, each => each.faults)));
    ways.forEach(([key, name, bytes]) =>
      this.show(key, formatName(name), formatBytes(bytes), all > 0 ? bytes / all : 0));
  }
}

function makeRow({stream, event, start, end, value, values, isOpen}) {
  const carried = values ? Object.entries(values).map(([key, number]) => `${key}=${number}`).join(" ") : UNKNOWN;
  const known = isNumber(end) && isNumber(start);
  const cells = [event, stream, formatTime(start), isOpen ? "goes on" : formatTime(end),
    known ? formatTime(end - start) : UNKNOWN, value ?? carried];
  const row = make("tr", {}, ...cells.map(cell => make("td", {}, cell)));
  row.firstChild.style.setProperty("--colour", `var(--${eventColour(event)})`);
  return row;
}

function drawEvents(film) {
  const {events, leftOut} = film, all = events.length + leftOut, body = find("events");
  const key = JSON.stringify([film.name, all, film.areFinal, film.isForgotten, events.filter(({isOpen}) => isOpen).length]);
  if (body.dataset.shown === key)
    return;
  body.dataset.shown = key;
  body.replaceChildren(...events.slice(-MOST_ROWS).map(makeRow));
  body.closest(".scroll").hidden = events.length === 0;
  find("no-events").hidden = events.length > 0;
  show("no-events", !film.isForgotten ? "None so far."
    : "vyre-qc keeps the timelines and the events of the last 32 films that are done. --html and --json write those of all.");
  show("event-count", all === 0 ? "" : all > MOST_ROWS ? `the last ${MOST_ROWS} of ${formatCount(all)}` : formatCount(all));
}
