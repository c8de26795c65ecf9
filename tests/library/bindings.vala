// SPDX-License-Identifier: LGPL-2.1-or-later
// The library gstreamer-vyre-1.0 from Vala: this compiles.
int main (string[] args) {
  Gst.init (ref args);
  var builder = new GstVyre.Builder ();
  builder.add ("u8_stats luma", "luma");
  try {
    builder.to_text ();
    var table = new GstVyre.Table.from_caps (new Gst.Caps.empty_simple ("video/x-raw"));
    var results = table.read (new Gst.Buffer (), null);
    double sum;
    if (results.get_double ("luma.sum", out sum))
      stdout.printf ("%g %s\n", sum, results.dup_unit ("luma.sum"));
  } catch (GLib.Error error) {
    return 1;
  }
  return 0;
}
