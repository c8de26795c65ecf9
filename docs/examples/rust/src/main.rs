// SPDX-License-Identifier: LGPL-2.1-or-later
//! The mean luma of ten pictures, from the fields of messages.
use gstreamer as gst;
use gst::prelude::*;

const PIPELINE: &str = "videotestsrc pattern=white num-buffers=10 ! video/x-raw,format=GRAY8 ! \
    vyrefilter program=builtin:frame-stats results-interval=0 ! fakesink";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    gst::init()?;
    let pipeline = gst::parse::launch(PIPELINE)?;
    let bus = pipeline.bus().ok_or("the pipeline has no bus")?;
    pipeline.set_state(gst::State::Playing)?;
    for message in bus.iter_timed(gst::ClockTime::NONE) {
        match message.view() {
            gst::MessageView::Eos(..) => break,
            gst::MessageView::Error(error) => return Err(error.error().into()),
            gst::MessageView::Element(element) => {
                let Some(fields) = element.structure().filter(|s| s.name() == "vyre-results") else {
                    continue;
                };
                let luma: gst::Structure = fields.get("luma")?;
                let (sum, count): (u64, u64) = (luma.get("sum")?, luma.get("count")?);
                println!("{} {}", fields.get::<u64>("sequence")?, sum / count);
            }
            _ => (),
        }
    }
    pipeline.set_state(gst::State::Null)?;
    Ok(())
}
