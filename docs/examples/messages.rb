# SPDX-License-Identifier: LGPL-2.1-or-later
# messages.rb: the mean luma of ten pictures, by the library gstreamer-vyre-1.0.
require "gst"

module GstVyre
  GObjectIntrospection::Loader.load("GstVyre", self)
end

Gst.init
pipeline = Gst.parse_launch(
  "videotestsrc pattern=white num-buffers=10 ! video/x-raw,format=GRAY8 ! " \
  "vyrefilter program=builtin:frame-stats results-interval=0 ! fakesink")
pipeline.play
bus = pipeline.bus
loop do
  message = bus.timed_pop(Gst::CLOCK_TIME_NONE)
  break if [Gst::MessageType::EOS, Gst::MessageType::ERROR].include?(message.type)
  results = GstVyre::Results.from_message(message) or next
  _, sequence = results.get_uint64("sequence")
  _, sum = results.get_double("luma.sum")
  _, count = results.get_double("luma.count")
  puts "#{sequence} #{(sum / count).to_i} #{results.dup_unit("luma.sum")}"
end
pipeline.stop
