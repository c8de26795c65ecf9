// SPDX-License-Identifier: LGPL-2.1-or-later
// Drawings on a canvas, in pixels of CSS; they are as sharp as the screen.

const LEFT = 56, RIGHT = 12, TOP = 12, FOOT = 20, LANE = 12, LANE_GAP = 6;
const EVENT_COLOURS = {black: "purple", freeze: "yellow", borders: "blue", cut: "orange", silence: "orange",
  clipping: "vermilion"};
const MARK = "cut";  // an event that is a moment

let colours = {};

function readColours() {
  const style = getComputedStyle(document.documentElement);
  const names = "back panel grid text dim sky blue green yellow orange vermilion purple".split(" ");
  colours = Object.fromEntries(names.map(name => [name, style.getPropertyValue(`--${name}`).trim()]));
}

function eventColour(name) {
  return EVENT_COLOURS[name] ?? "green";
}

// Returns a context with an empty drawing of the size that the canvas has on the page.
function beginDrawing(canvas) {
  const scale = window.devicePixelRatio || 1, {clientWidth, clientHeight} = canvas;
  const width = Math.round(clientWidth * scale), height = Math.round(clientHeight * scale);
  if (canvas.width !== width || canvas.height !== height)
    Object.assign(canvas, {width, height});
  const context = canvas.getContext("2d");
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, clientWidth, clientHeight);
  context.font = "11px system-ui, 'DejaVu Sans', sans-serif";
  context.textBaseline = "middle";
  return context;
}

// The place of times and levels on a canvas with @lanes rows below the plot.
class Axes {
  constructor(canvas, span, low, high, lanes = 0) {
    Object.assign(this, {span, low, high, left: LEFT, top: TOP});
    this.width = Math.max(1, canvas.clientWidth - LEFT - RIGHT);
    this.height = Math.max(1, canvas.clientHeight - TOP - FOOT - (lanes && lanes * LANE + LANE_GAP));
    this.bottom = this.top + this.height;
  }

  x(time) {
    return this.left + this.width * Math.min(1, Math.max(0, time / this.span));
  }

  y(level) {
    const share = (level - this.low) / (this.high - this.low);
    return this.top + this.height * (1 - Math.min(1, Math.max(0, share)));
  }
}

// The least of 1, 2, 5, 10, 20, … that is no less, and of seconds what clocks have.
function roundStep(step, isTime) {
  if (isTime && step > 10)
    return [15, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400].find(each => each >= step) ?? 28800;
  const power = 10 ** Math.floor(Math.log10(step));
  return [1, 2, 5, 10].find(each => each * power >= step * 0.999) * power;
}

function formatTick(seconds, step) {
  const minutes = Math.floor(seconds / 60), rest = seconds - 60 * minutes;
  const text = step < 1 ? rest.toFixed(1) : String(Math.round(rest));
  if (seconds < 60)
    return `${text} s`;
  const hours = Math.floor(minutes / 60), pad = each => String(each).padStart(2, "0");
  return hours ? `${hours}:${pad(minutes % 60)}:${pad(text)}` : `${minutes}:${pad(text)}`;
}

function drawGrid(context, axes, ticks, foot) {
  context.lineWidth = 1;
  context.strokeStyle = colours.grid;
  context.fillStyle = colours.dim;
  context.textAlign = "right";
  for (const tick of ticks) {
    const y = Math.round(axes.y(tick)) + 0.5;
    context.beginPath();
    context.moveTo(axes.left, y);
    context.lineTo(axes.left + axes.width, y);
    context.stroke();
    context.fillText(String(tick).replace("-", "−"), axes.left - 6, y);
  }
  const seconds = axes.span / 1e9, step = roundStep(seconds / Math.max(2, axes.width / 110), true);
  context.textAlign = "center";
  for (let at = 0; at <= seconds * 1.0001; at += step) {
    const x = Math.round(axes.x(at * 1e9)) + 0.5;
    context.beginPath();
    context.moveTo(x, axes.top);
    context.lineTo(x, axes.bottom);
    context.stroke();
    if (x < axes.left + axes.width - 14 || at === 0)
      context.fillText(formatTick(at, step), x, foot - 8);
  }
}

// Calls @visit with the time in the middle of each column that has a level.
function eachColumn(timeline, keys, visit) {
  const levels = keys.map(key => timeline.levels[key]);
  if (levels.some(level => !level))
    return;
  for (let i = 0; i < timeline.length; i++) {
    if (levels.every(level => level.least[i] != null))
      visit((i + 0.5) * timeline.step, levels.map(level => [level.least[i], level.most[i]]));
  }
}

// Fills what is between the least of a level and the greatest of another one.
function drawBand(context, axes, timeline, {low, high, colour, alpha}) {
  const above = [], below = [];
  eachColumn(timeline, [low, high], (time, [[least], [, most]]) => {
    above.push([axes.x(time), axes.y(most)]);
    below.push([axes.x(time), axes.y(least)]);
  });
  context.beginPath();
  [...above, ...below.reverse()].forEach(([x, y]) => context.lineTo(x, y));
  context.closePath();
  context.globalAlpha = alpha;
  context.fillStyle = context.strokeStyle = colours[colour];
  context.fill();
  context.globalAlpha = 1;
}

// Draws a line, which spans the least and the greatest level of each column.
function drawLine(context, axes, timeline, {key, colour, dash}) {
  context.beginPath();
  eachColumn(timeline, [key], (time, [[least, most]]) => {
    const x = axes.x(time);
    context.lineTo(x, axes.y(least));
    if (most > least)
      context.lineTo(x, axes.y(most));
  });
  context.setLineDash(dash ?? []);
  context.lineWidth = 1.5;
  context.lineJoin = "round";
  context.strokeStyle = colours[colour];
  context.stroke();
  context.setLineDash([]);
}

function drawMarks(context, axes, events) {
  context.strokeStyle = context.fillStyle = colours.orange;
  context.lineWidth = 1;
  context.setLineDash([3, 3]);
  for (const {start} of events.filter(({event}) => event === MARK)) {
    const x = Math.round(axes.x(start)) + 0.5;
    context.beginPath();
    context.moveTo(x, axes.top);
    context.lineTo(x, axes.bottom);
    context.stroke();
    context.beginPath();
    [[0, -9], [4, -5], [0, -1], [-4, -5]].forEach(([dx, dy]) => context.lineTo(x + dx, axes.top + dy));
    context.fill();
  }
  context.setLineDash([]);
}

// A row for each name, with the time of its events; one that goes on lasts until @now.
function drawLanes(context, axes, events, names, now) {
  names.forEach((name, i) => {
    const y = axes.bottom + LANE_GAP + 3 + i * LANE;
    context.globalAlpha = 0.45;
    context.fillStyle = colours.grid;
    context.fillRect(axes.left, y, axes.width, LANE - 5);
    context.globalAlpha = 1;
    context.fillStyle = colours[eventColour(name)];
    for (const {start, end} of events.filter(({event}) => event === name)) {
      const x = axes.x(start);
      context.fillRect(x, y, Math.max(2, axes.x(end ?? now) - x), LANE - 5);
    }
    context.fillStyle = colours.dim;
    context.textAlign = "right";
    context.font = "10px system-ui, 'DejaVu Sans', sans-serif";
    context.fillText(formatName(name), axes.left - 5, y + LANE / 2 - 2);
  });
}

// Draws levels over the time of @film, with events of the stream; a line at @hover, in ns, if any.
function drawTimeline(canvas, film, stream, plot, lanes, hover) {
  const [low, high] = plot.range(stream), context = beginDrawing(canvas);
  const axes = new Axes(canvas, film.span, low, high, lanes.length);
  const events = film.events.filter(event => event.stream === stream.name);
  drawGrid(context, axes, plot.ticks(low, high), canvas.clientHeight);
  (plot.bands ?? []).forEach(band => drawBand(context, axes, stream.timeline, band));
  plot.lines.forEach(line => drawLine(context, axes, stream.timeline, line));
  drawMarks(context, axes, events);
  drawLanes(context, axes, events, lanes, stream.timeline.length * stream.timeline.step);
  if (isNumber(hover)) {
    context.strokeStyle = colours.text;
    context.lineWidth = 1;
    context.strokeRect(Math.round(axes.x(hover)) + 0.5, axes.top, 0, axes.height);
  }
}

// Draws histograms side by side; heights are square roots of shares, so that rare levels show.
function drawHistograms(canvas, shown) {
  const context = beginDrawing(canvas), gap = 14;
  const width = (canvas.clientWidth - gap * (shown.length - 1)) / Math.max(1, shown.length);
  const top = 18, height = canvas.clientHeight - top - 16;
  shown.forEach(({name, bins, colour, last}, i) => {
    const left = i * (width + gap), most = Math.max(1, ...bins);
    context.fillStyle = colours[colour];
    context.textAlign = "left";
    context.fillText(name, left, 8);
    context.globalAlpha = 0.55;
    context.beginPath();
    context.moveTo(left, top + height);
    bins.forEach((count, bin) => {
      const y = top + height * (1 - Math.sqrt(count / most));
      context.lineTo(left + width * bin / bins.length, y);
      context.lineTo(left + width * (bin + 1) / bins.length, y);
    });
    context.lineTo(left + width, top + height);
    context.fill();
    context.globalAlpha = 1;
    context.strokeStyle = colours.grid;
    context.lineWidth = 1;
    context.strokeRect(left + 0.5, top + 0.5, width - 1, height);
    context.fillStyle = colours.dim;
    context.fillText("0", left, top + height + 9);
    context.textAlign = "right";
    context.fillText(String(last), left + width, top + height + 9);
  });
}

// Draws the frames a second over the time that the run takes.
function drawSpeed(canvas, rates) {
  canvas.hidden = rates.length < 2;
  if (canvas.hidden)
    return;
  const context = beginDrawing(canvas), {clientWidth: width, clientHeight: height} = canvas;
  const most = Math.max(1, ...rates.map(({rate}) => rate));
  const first = rates[0].seconds, last = rates.at(-1).seconds;
  context.strokeStyle = colours.grid;
  context.strokeRect(0.5, 0.5, width - 1, height - 1);
  context.beginPath();
  context.moveTo(0, height);
  rates.forEach(({seconds, rate}) => context.lineTo(
    width * (seconds - first) / Math.max(0.001, last - first), height - (height - 16) * rate / most));
  context.strokeStyle = colours.green;
  context.lineWidth = 1.5;
  context.stroke();
  context.lineTo(width, height);
  context.globalAlpha = 0.25;
  context.fillStyle = colours.green;
  context.fill();
  context.globalAlpha = 1;
  context.fillStyle = colours.dim;
  context.textAlign = "left";
  context.fillText(`frames a second, up to ${most.toFixed(0)}`, 6, 9);
}
