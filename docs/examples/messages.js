// SPDX-License-Identifier: LGPL-2.1-or-later
// messages.js: the mean luma of ten pictures, from JSON lines on standard input:
//
//     gst-launch-1.0 -q videotestsrc ! ... ! vyrefilter results-location=- ! fakesink | node messages.js
const lines = require('readline').createInterface({ input: process.stdin });
let whole = false;

lines.on('line', (line) => {
  const fields = JSON.parse(line);
  if (fields.type === 'vyre-results')
    console.log(fields.sequence, fields.luma.sum / fields.luma.count);
  whole = fields.type === 'vyre-end' && fields.complete;
});
lines.on('close', () => {
  if (!whole)
    console.error('The stream was cut, or not all of it was seen.');
  process.exitCode = whole ? 0 : 1;
});
