// SPDX-License-Identifier: LGPL-2.1-or-later
// Texts of numbers.

const UNKNOWN = "–";

function isNumber(value) {
  return typeof value === "number" && Number.isFinite(value);
}

// Of ns: HH:MM:SS.mmm, rounded down.
function formatTime(time) {
  if (!isNumber(time))
    return UNKNOWN;
  const ms = Math.floor(time / 1e6), pad = (n, digits) => String(Math.floor(n)).padStart(digits, "0");
  return `${pad(ms / 3600000, 2)}:${pad(ms / 60000 % 60, 2)}:${pad(ms / 1000 % 60, 2)}.${pad(ms % 1000, 3)}`;
}

// Of ns that a thing took.
function formatLatency(time) {
  if (!isNumber(time) || time <= 0)
    return UNKNOWN;
  if (time < 1e6)
    return `${(time / 1e3).toFixed(0)} µs`;
  return time < 1e9 ? `${(time / 1e6).toFixed(time < 1e8 ? 1 : 0)} ms` : `${(time / 1e9).toFixed(1)} s`;
}

function formatBytes(bytes) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  if (!isNumber(bytes))
    return UNKNOWN;
  let i = 0;
  for (; bytes >= 999.5 && i + 1 < units.length; i++)
    bytes /= 1000;
  return `${bytes.toFixed(i > 0 && bytes < 100 ? 1 : 0)} ${units[i]}`;
}

function formatCount(count) {
  return isNumber(count) ? String(count).replace(/\B(?=(\d{3})+$)/g, "\u202f") : UNKNOWN;
}

function formatLevel(level, digits) {
  return isNumber(level) ? level.toFixed(digits).replace("-", "−") : UNKNOWN;
}

// Of a level in dB, whose null is silence.
function formatDecibels(level) {
  return isNumber(level) && level > -999 ? formatLevel(level, 1) : "−∞";
}

function formatName(name) {
  return name.charAt(0).toUpperCase() + name.slice(1).replaceAll("-", " ");
}
