// SPDX-License-Identifier: LGPL-2.1-or-later
// The panels of a stream, the lights, the engine and the table of events.

const VIDEO_TICKS = (low, high) => [0, 64, 128, 192, 255].map(each => Math.round(each / 255 * high));

function ticksBetween(low, high) {
  const step = roundStep((high - low) / 4, false), ticks = [];
  for (let at = Math.ceil(low / step) * step; at <= high + step / 1000; at += step)
    ticks.push(Number(at.toPrecision(6)));
  return ticks;
}

function mostOf(stream, keys) {
  return Math.max(1, ...keys.flatMap(key => stream.timeline.levels[key]?.most ?? []));
}

// The timelines of each kind of stream. Keys are names of levels.
const PLOTS = {
  video: [
    {
      id: "luma", title: "Luma", digits: 2,
      range: stream => [0, 2 ** (stream.depth || 8) - 1], ticks: VIDEO_TICKS,
      bands: [
        {low: "luma-min", high: "luma-max", colour: "sky", alpha: 0.25},
        {low: "luma-low", high: "luma-high", colour: "sky", alpha: 0.5},
      ],
      lines: [{key: "luma-average", colour: "text"}],
      legend: [["luma-min", "least", "pale", "sky"], ["luma-low", "10 %", "band", "sky"],
        ["luma-average", "average", "line", "text"], ["luma-high", "90 %", "band", "sky"],
        ["luma-max", "greatest", "pale", "sky"]],
    },
    {
      id: "difference", title: "Difference to the frame before", digits: 3,
      range: stream => [0, mostOf(stream, ["luma-difference", "scene-score"])], ticks: ticksBetween,
      bands: [],
      lines: [{key: "luma-difference", colour: "sky"}, {key: "scene-score", colour: "orange", dash: [5, 3]}],
      legend: [["luma-difference", "mean of luma", "line", "sky"], ["scene-score", "scene score", "dashed", "orange"]],
    },
  ],
  audio: [
    {
      id: "level", title: "Level in dB", digits: 1,
      range: () => [-90, 0], ticks: () => [-90, -60, -40, -20, 0],
      bands: [{low: "rms", high: "peak", colour: "sky", alpha: 0.3}],
      lines: [{key: "peak", colour: "orange", dash: [5, 3]}, {key: "rms", colour: "text"}],
      legend: [["peak", "peak", "dashed", "orange"], ["rms", "RMS", "line", "text"]],
    },
  ],
};
const HISTOGRAMS = [["luma-histogram", "Y", "text"], ["u-histogram", "Cb", "sky"], ["v-histogram", "Cr", "vermilion"]];

// Events that a stream of a kind may have, each with a light and, but for cuts, a lane.
const CONDITIONS = {video: ["black", "freeze", "cut", "borders"], audio: ["silence", "clipping"]};

function make(tag, attributes = {}, ...children) {
  const element = Object.assign(document.createElement(tag), attributes);
  element.append(...children);
  return element;
}

function setText(element, text) {
  if (element.textContent !== text)
    element.textContent = text;
}

function listConditions(film, stream) {
  const seen = film.events.filter(event => event.stream === stream.name).map(({event}) => event);
  return [...new Set([...CONDITIONS[stream.kind], ...seen])];
}

function formatValue(plot, level) {
  return plot.id === "level" ? formatDecibels(level) : formatLevel(level, plot.digits);
}

// A timeline with its title and its legend, whose figures are those of the last buffer.
class TimelinePanel {
  constructor(stream, plot, onHover) {
    const id = `${stream.name}-${plot.id}`;
    this.plot = plot;
    this.figures = {};
    this.at = make("span", {className: "at"});
    this.canvas = make("canvas", {id: `${id}-plot`});
    this.canvas.setAttribute("role", "img");
    this.canvas.setAttribute("aria-label", `${plot.title} of ${stream.name}, over the time of the film`);
    const rows = plot.legend.map(([key, name, kind, colour]) => {
      const sign = make("i", {className: kind});
      sign.style.setProperty("--colour", `var(--${colour})`);
      this.figures[key] = make("dd", {id: `${stream.name}-${key}`});
      return make("div", {}, sign, make("dt", {}, name), this.figures[key]);
    });
    const title = make("h2", {}, plot.title, make("span", {className: "dim"}, ` ${stream.name}`));
    this.element = make("section", {},
      make("div", {className: "title"}, title, make("dl", {className: "legend"}, ...rows), this.at), this.canvas);
    this.canvas.addEventListener("pointermove", event => {
      const share = (event.offsetX - LEFT) / (this.canvas.clientWidth - LEFT - RIGHT);
      onHover(share >= 0 && share <= 1 ? share : null);
    });
    this.canvas.addEventListener("pointerleave", () => onHover(null));
  }

  describe(stream, time) {
    const {timeline} = stream, at = Math.floor(time / timeline.step);
    const parts = this.plot.legend.map(([key, name]) => {
      const level = timeline.levels[key], least = level?.least[at], most = level?.most[at];
      const [low, high] = [least, most].map(each => formatValue(this.plot, each));
      return least == null ? null : `${name} ${low === high ? low : `${low} … ${high}`}`;
    });
    return [formatTime(time), ...parts.filter(part => part)].join("  ·  ");
  }

  draw(film, stream, share) {
    const time = share === null ? null : share * film.span;
    for (const [key, figure] of Object.entries(this.figures))
      setText(figure, key in stream.levels ? formatValue(this.plot, stream.levels[key]) : UNKNOWN);
    setText(this.at, time === null ? "" : this.describe(stream, time));
    const lanes = this.plot.id === "difference" ? [] : listConditions(film, stream).filter(name => name !== MARK);
    drawTimeline(this.canvas, film, stream, this.plot, lanes, time);
  }
}

class HistogramPanel {
  constructor(stream) {
    this.canvas = make("canvas", {id: `${stream.name}-histogram-plot`});
    this.canvas.setAttribute("role", "img");
    this.canvas.setAttribute("aria-label", `Histograms of the last picture of ${stream.name}`);
    const title = make("h2", {}, "Histograms", make("span", {className: "dim"}, ` ${stream.name}, of the last picture`));
    this.element = make("section", {hidden: true}, make("div", {className: "title"}, title), this.canvas);
  }

  draw(film, stream) {
    const shown = HISTOGRAMS.filter(([key]) => stream.histograms[key]).map(([key, name, colour]) =>
      ({name, colour, bins: stream.histograms[key].slice(0, 2 ** (stream.depth || 8)), last: 2 ** (stream.depth || 8) - 1}));
    this.element.hidden = shown.length === 0;
    if (shown.length > 0)
      drawHistograms(this.canvas, shown);
  }
}

function makePanels(stream, onHover) {
  const panels = PLOTS[stream.kind].map(plot => new TimelinePanel(stream, plot, onHover));
  if (stream.kind === "video")
    panels.push(new HistogramPanel(stream));
  panels.forEach(({element}) => { element.style.order = stream.kind === "video" ? 0 : 1; });
  return panels;
}

// A shape says as much as its colour: a disc with a tick, a triangle, an octagon with a cross, a ring.
const SHAPES = {
  good: ["green", "M8 .5a7.5 7.5 0 100 15 7.5 7.5 0 000-15z", "M4.5 8l2.5 3 4.500-6"],
  note: ["yellow", "M8 .5l7.800 14.500H.2z", "M8 5v5M8 12v1.200"],
  alarm: ["vermilion", "M5 .5h6l4.500 4.500v6L11 15.500H5L.5 11V5z", "M5.200 5.200l5.600 5.600M10.800 5.200l-5.600 5.600"],
  none: ["dim", "", "M8 2a6 6 0 100 12 6 6 0 000-12z"],
};

function drawShape(svg, name) {
  if (svg.dataset.shape === name)
    return;
  const [colour, shape, sign] = SHAPES[name];
  svg.dataset.shape = name;
  const paths = [[shape, `var(--${colour})`, "none"], [sign, "none", name === "none" ? "var(--dim)" : "var(--panel)"]];
  svg.replaceChildren(...paths.map(([d, fill, stroke]) => {
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("d", d);
    path.style.fill = fill;
    path.style.stroke = stroke;
    path.style.strokeWidth = 1.8;
    return path;
  }));
}

// What a light shows of a kind of events of a stream.
function judge(film, stream, name) {
  const events = film.events.filter(event => event.event === name && event.stream === stream.name);
  const open = events.findLast(event => event.isOpen);
  if (open && !film.summary)
    return ["alarm", `since ${formatTime(open.start)}`];
  if (events.length > 0)
    return ["note", events.length === 1 ? "1 event" : `${formatCount(events.length)} events`];
  return stream.frames > 0 ? ["good", "none"] : ["none", "no data"];
}

// Whether all that came was measured, as far as is known.
function judgeWhole(film) {
  if (film.summary)
    return film.summary.verdict === "incomplete" ? ["alarm", "no"] : ["good", "yes"];
  const lost = [...film.streams.values()].some(({counters}) =>
    counters && (counters.faults > 0 || counters["dropped-records"] > 0 || counters.flushed > 0));
  return lost ? ["alarm", "no"] : film.streams.size > 0 ? ["good", "so far"] : ["none", "no data"];
}

class Lights {
  constructor(list) {
    this.list = list;
    this.rows = new Map();
  }

  show(id, name, [shape, text]) {
    if (!this.rows.has(id)) {
      const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
      svg.setAttribute("viewBox", "0 0 16 16");
      svg.setAttribute("aria-hidden", "true");
      const figure = make("span", {className: "dim"}), row = make("li", {id: `light-${id}`}, svg, name, figure);
      row.style.order = id === "complete" ? 0 : id.startsWith("video") ? 1 : 2;
      this.rows.set(id, {svg, figure, row});
      this.list.append(row);
    }
    const {svg, figure, row} = this.rows.get(id);
    row.dataset.state = shape;
    drawShape(svg, shape);
    setText(figure, text);
  }

  draw(film) {
    this.show("complete", "Complete", judgeWhole(film));
    for (const stream of film.streams.values()) {
      for (const name of listConditions(film, stream)) {
        const suffix = stream.name === stream.kind ? "" : ` ${stream.name}`;
        this.show(`${stream.name}-${name}`, formatName(name) + suffix, judge(film, stream, name));
      }
    }
  }
}
