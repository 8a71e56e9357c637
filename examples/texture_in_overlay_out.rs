//! Example 4 of 5. Pictures and masks come from the host's textures, overlays go to the host's textures, and nothing is read back on the way.
//!
//! ```sh
//! cargo run --release --example texture_in_overlay_out   # writes texture_in_overlay_out.png
//! ```

#![allow(clippy::print_stdout)]

mod support;

use std::time::Duration;

use rationale::embed::{ColorMap, Overlay, Picture, Setup, Subject, Trainer};
use rationale::model::{MapShape, Mapping, ModelConfig};
use rationale::wgpu::{self, TextureFormat};
use support::Result;

const PICTURES: usize = 120;
const BUDGET: Duration = Duration::from_millis(8);
const SIDE: u32 = 256;

fn main() -> Result<()> {
    let picture = MapShape { height: 32, width: 32, channels: 1 };
    let setup =
        Setup { model: ModelConfig::reference(Mapping::Diagonal), ..Setup::new(picture, 2, PICTURES) };
    let (device, queue) = support::device(&setup.requirements()?)?;
    let mut trainer = Trainer::new(&device, &queue, &setup)?;
    while !trainer.prepare(BUDGET)?.is_done() {}

    // The host's own textures: a picture as it would render it, and a mask that somebody paints.
    let (data, bytes) = support::pictures(PICTURES)?;
    let view = |texture: &wgpu::Texture| texture.create_view(&wgpu::TextureViewDescriptor::default());
    let canvas = support::texture(&device, TextureFormat::Rgba8UnormSrgb, 32, 32);
    let canvas_view = view(&canvas);
    let mut masks = Vec::new();
    for (i, grey) in bytes.chunks(data.picture_len()).enumerate() {
        let rgba: Vec<u8> = grey.iter().flat_map(|&v| [v, v, v, 255]).collect();
        support::write(&queue, &canvas, &rgba);
        trainer.set_picture(i, Picture::Texture(&canvas_view))?;
        trainer.set_label(i, Some(data.labels[i]))?;
        let mask = support::texture(&device, TextureFormat::R8Unorm, 32, 32);
        trainer.watch_mask(i, &view(&mask))?;
        masks.push(mask);
    }

    // Frame after frame the brush explains one more picture, while training goes on.
    let mut frame = 0;
    while trainer.progress().epoch <= 40 {
        if let Some(mask) = masks.get(frame) {
            support::write(&queue, mask, data.mask(frame));
            trainer.mask_changed(frame)?;
        }
        trainer.step(BUDGET)?;
        // Here a windowed host presents; this one has nothing to draw, so it waits as presenting would.
        device.poll(wgpu::PollType::wait_indefinitely())?;
        frame += 1;
    }
    let counters = trainer.counters();
    println!("{frame} frames, {} steps: {counters:?}", trainer.progress().steps);

    // A picture and what the model makes of it, each drawn into a texture of the host, four in a row.
    let kinds = [None, Some(Overlay::MaskedInput), Some(Overlay::InputGradient), Some(Overlay::Mapping)];
    let mut panels = Vec::new();
    for kind in kinds {
        let target = support::texture(&device, TextureFormat::Rgba8Unorm, SIDE, SIDE);
        match kind {
            Some(kind) => trainer.overlay(&view(&target), Subject::Stored(3), kind, &ColorMap::heat())?,
            None => support::write(&queue, &target, &enlarged(&bytes[3 * 1024..4 * 1024])),
        }
        panels.push(target);
    }
    let mut prediction = trainer.predict(Subject::Stored(3))?;
    // The end of the example: the panels are read to be looked at.
    let mut row = vec![0; (4 * 4 * SIDE * SIDE) as usize];
    for (i, panel) in panels.iter().enumerate() {
        let wide = 4 * SIDE as usize;
        for (line, bytes) in support::read(&device, &queue, panel)?.chunks(wide).enumerate() {
            row[(4 * line + i) * wide..][..wide].copy_from_slice(bytes);
        }
    }
    support::save("texture_in_overlay_out.png".as_ref(), &row, 4 * SIDE, SIDE)?;
    if let Some(prediction) = prediction.take()? {
        let (found, truth) = (&data.classes[prediction.class], &data.classes[data.labels[3] as usize]);
        println!("it says {found} ({:.3}), and it is {truth}", prediction.probabilities[prediction.class]);
    }
    Ok(())
}

/// A grey 32×32 picture as RGBA at the size of a panel.
fn enlarged(grey: &[u8]) -> Vec<u8> {
    let scale = SIDE / 32;
    let value = |i: u32| grey[(i / SIDE / scale * 32 + i % SIDE / scale) as usize];
    (0..SIDE * SIDE).flat_map(|i| [value(i), value(i), value(i), 255]).collect()
}
