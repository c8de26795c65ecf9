// SPDX-License-Identifier: LGPL-2.1-or-later
// messages.vala: the mean luma of ten pictures, by the library gstreamer-vyre-1.0.
//
//     valac messages.vala --pkg gstreamer-1.0 --pkg gstreamer-vyre-1.0
const string PIPELINE =
  "videotestsrc pattern=white num-buffers=10 ! video/x-raw,format=GRAY8 ! " +
  "vyrefilter program=builtin:frame-stats results-interval=0 ! fakesink";

void print_mean (GstVyre.Results results) {
  uint64 sequence;
  double sum = 0, count = 0;

  if (results.get_uint64 ("sequence", out sequence) && results.get_double ("luma.sum", out sum)
      && results.get_double ("luma.count", out count))
    stdout.printf ("%llu %g %s\n", sequence, sum / count, results.dup_unit ("luma.sum"));
}

int main (string[] args) {
  Gst.init (ref args);
  Gst.Element pipeline;
  try {
    pipeline = Gst.parse_launch (PIPELINE);
  } catch (GLib.Error error) {
    stderr.printf ("%s\n", error.message);
    return 1;
  }
  var bus = pipeline.get_bus ();
  pipeline.set_state (Gst.State.PLAYING);
  var ended = false;
  while (!ended) {
    var message = bus.timed_pop_filtered (Gst.CLOCK_TIME_NONE,
        Gst.MessageType.ELEMENT | Gst.MessageType.EOS | Gst.MessageType.ERROR);
    ended = message.type != Gst.MessageType.ELEMENT;
    var results = GstVyre.Results.from_message (message);
    if (results != null)
      print_mean (results);
  }
  pipeline.set_state (Gst.State.NULL);
  return 0;
}
