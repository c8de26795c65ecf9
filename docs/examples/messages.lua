-- SPDX-License-Identifier: LGPL-2.1-or-later
-- messages.lua: the mean luma of ten pictures, by the library gstreamer-vyre-1.0.
local lgi = require 'lgi'
local Gst, GstVyre = lgi.require ('Gst', '1.0'), lgi.require ('GstVyre', '1.0')

local FOREVER = 2^53 -- ns; Gst.CLOCK_TIME_NONE is no number of Lua

Gst.init ()
local pipeline = Gst.parse_launch (
  'videotestsrc pattern=white num-buffers=10 ! video/x-raw,format=GRAY8 ! ' ..
  'vyrefilter program=builtin:frame-stats results-interval=0 ! fakesink')
pipeline:set_state ('PLAYING')
local bus = pipeline:get_bus ()
while true do
  local message = bus:timed_pop (FOREVER)
  if message.type.EOS or message.type.ERROR then break end
  local results = GstVyre.Results.from_message (message)
  if results then
    local sequence = results:get_uint64 ('sequence')
    local sum = results:get_double ('luma.sum')
    local count = results:get_double ('luma.count')
    print (string.format ('%d %d %s', sequence, sum / count, results:dup_unit ('luma.sum')))
  end
end
pipeline:set_state ('NULL')
