//! Example 3 of 5. A host that renders and trains on one device: 1,000 frames without the trainer, 1,000 with it. The frames are the same to the
//! bit, and after the trainer is dropped the device holds as many objects as before.
//!
//! ```sh
//! cargo run --release --example borrowed_device             # writes borrowed_device.png
//! cargo run --release --example borrowed_device -- budget   # 1,000 calls of step(4 ms): what they take
//! ```

#![allow(clippy::print_stdout)]

mod support;

use std::time::{Duration, Instant};

use rationale::embed::{Setup, Trainer};
use rationale::hash::Fnv;
use rationale::model::MapShape;
use rationale::wgpu;
use support::Result;

const FRAMES: u32 = 1000;
const SIDE: u32 = 256;
const BUDGET: Duration = Duration::from_millis(4);

/// Rings that run outward, as a picture that moves.
const RINGS: &str = "
struct Frame { number: u32 }
@group(0) @binding(0) var<uniform> frame: Frame;
@vertex fn corner(@builtin(vertex_index) i: u32) -> @builtin(position) vec4<f32> {
    return vec4(f32(i32(i & 1u) * 4 - 1), f32(i32(i >> 1u) * 4 - 1), 0.0, 1.0);
}
@fragment fn color(@builtin(position) p: vec4<f32>) -> @location(0) vec4<f32> {
    let from_centre = distance(p.xy, vec2(128.0));
    let wave = 0.5 + 0.5 * cos(from_centre * 0.15 - f32(frame.number) * 0.1);
    return vec4(wave, wave * from_centre / 181.0, 1.0 - wave, 1.0);
}";

/// The host's own picture.
struct Render {
    pipeline: wgpu::RenderPipeline,
    group: wgpu::BindGroup,
    number: wgpu::Buffer,
    target: wgpu::Texture,
    view: wgpu::TextureView,
}

impl Render {
    fn new(device: &wgpu::Device) -> Self {
        let target = support::texture(device, wgpu::TextureFormat::Rgba8Unorm, SIDE, SIDE);
        let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
            label: Some("rings"),
            source: wgpu::ShaderSource::Wgsl(RINGS.into()),
        });
        let pipeline = device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
            label: Some("rings"),
            layout: None,
            vertex: wgpu::VertexState {
                module: &module,
                entry_point: Some("corner"),
                compilation_options: Default::default(),
                buffers: &[],
            },
            primitive: Default::default(),
            depth_stencil: None,
            multisample: Default::default(),
            fragment: Some(wgpu::FragmentState {
                module: &module,
                entry_point: Some("color"),
                compilation_options: Default::default(),
                targets: &[Some(target.format().into())],
            }),
            multiview_mask: None,
            cache: None,
        });
        let number = device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("frame"),
            size: 16,
            usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        let group = device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("frame"),
            layout: &pipeline.get_bind_group_layout(0),
            entries: &[wgpu::BindGroupEntry { binding: 0, resource: number.as_entire_binding() }],
        });
        let view = target.create_view(&wgpu::TextureViewDescriptor::default());
        Self { pipeline, group, number, target, view }
    }

    fn frame(&self, device: &wgpu::Device, queue: &wgpu::Queue, number: u32) {
        queue.write_buffer(&self.number, 0, &number.to_le_bytes());
        let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        {
            let mut pass = encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
                color_attachments: &[Some(wgpu::RenderPassColorAttachment {
                    view: &self.view,
                    depth_slice: None,
                    resolve_target: None,
                    ops: wgpu::Operations::default(),
                })],
                ..Default::default()
            });
            pass.set_pipeline(&self.pipeline);
            pass.set_bind_group(0, &self.group, &[]);
            pass.draw(0..3, 0..1);
        }
        queue.submit([encoder.finish()]);
    }
}

/// Every frame's bytes in one number, how long each frame took, and the last one.
struct Seen {
    digest: Fnv,
    millis: Vec<f64>,
    last: Vec<u8>,
}

fn frames(device: &wgpu::Device, queue: &wgpu::Queue, mut trainer: Option<&mut Trainer>) -> Result<Seen> {
    let render = Render::new(device);
    let mut seen = Seen { digest: Fnv::default(), millis: Vec::new(), last: Vec::new() };
    for number in 0..FRAMES {
        let start = Instant::now();
        render.frame(device, queue, number);
        if let Some(trainer) = &mut trainer {
            trainer.step(BUDGET)?;
        }
        // What a windowed host would present, a headless one reads.
        seen.last = support::read(device, queue, &render.target)?;
        seen.millis.push(start.elapsed().as_secs_f64() * 1e3);
        seen.digest = seen.digest.with(&seen.last);
    }
    Ok(seen)
}

fn percentile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(((sorted.len() - 1) as f64 * share) as usize).copied().unwrap_or(f64::NAN)
}

/// Live objects, once every write is carried out.
fn objects(device: &wgpu::Device, queue: &wgpu::Queue) -> Result<[isize; 4]> {
    queue.submit([]);
    device.poll(wgpu::PollType::wait_indefinitely())?;
    let live = device.get_internal_counters().hal;
    Ok([
        live.buffers.read(),
        live.bind_groups.read(),
        live.compute_pipelines.read(),
        live.shader_modules.read(),
    ])
}

fn main() -> Result<()> {
    let setup = Setup::new(MapShape { height: 32, width: 32, channels: 1 }, 2, 100);
    let (device, queue) = support::device(&setup.requirements()?)?;
    let alone = frames(&device, &queue, None)?;
    let before = objects(&device, &queue)?;

    let mut trainer = Trainer::new(&device, &queue, &setup)?;
    let (start, mut calls, mut longest) = (Instant::now(), 0, Duration::ZERO);
    loop {
        // A windowed host draws a frame between these.
        let call = Instant::now();
        let made = trainer.prepare(BUDGET)?;
        (calls, longest) = (calls + 1, longest.max(call.elapsed()));
        if made.is_done() {
            println!(
                "prepared: {} pieces in {calls} calls and {:.2?}; longest call {longest:.2?}",
                made.of,
                start.elapsed()
            );
            break;
        }
    }
    let (data, bytes) = support::pictures(100)?;
    support::fill(&mut trainer, &data, &bytes)?;
    if std::env::args().nth(1).as_deref() == Some("budget") {
        return budget(&device, &mut trainer);
    }

    let beside = frames(&device, &queue, Some(&mut trainer))?;
    let progress = trainer.progress();
    println!("trained {} steps, up to epoch {}: {:?}", progress.steps, progress.epoch, trainer.counters());
    for (what, seen) in [("without", &alone), ("with", &beside)] {
        let [half, most] = [0.5, 0.95].map(|share| percentile(&seen.millis, share));
        println!("{FRAMES} frames {what} training: median {half:.2} ms, 95th percentile {most:.2} ms");
    }
    trainer.request_statistics()?;
    device.poll(wgpu::PollType::wait_indefinitely())?;
    if let Some(last) = trainer.statistics()?.and_then(|statistics| statistics.last.as_ref()) {
        println!("epoch {}: loss {:.4}, accuracy {:.3}", last.epoch, last.label_loss, last.accuracy);
    }
    drop(trainer);
    let after = objects(&device, &queue)?;
    println!("live buffers, bind groups, pipelines, modules: {before:?} before, {after:?} after the trainer");
    support::save("borrowed_device.png".as_ref(), &beside.last, SIDE, SIDE)?;
    if alone.digest != beside.digest || before != after {
        return Err("training changed the host's frames or left something behind".into());
    }
    println!("the frames are the same to the bit: {}", alone.digest);
    Ok(())
}

/// What 1,000 calls take, encoding and the device's work together.
fn budget(device: &wgpu::Device, trainer: &mut Trainer) -> Result<()> {
    let (mut millis, mut commands) = (Vec::new(), Vec::new());
    for _ in 0..1000 {
        let start = Instant::now();
        let progress = trainer.step(BUDGET)?;
        device.poll(wgpu::PollType::wait_indefinitely())?;
        millis.push(start.elapsed().as_secs_f64() * 1e3);
        commands.push(progress.submitted as f64);
    }
    let [half, most, worst] = [0.5, 0.95, 1.0].map(|share| percentile(&millis, share));
    println!(
        "step({BUDGET:?}), 1,000 calls: median {half:.2} ms, 95th percentile {most:.2} ms, longest {worst:.2} ms"
    );
    let half = percentile(&commands, 0.5);
    println!("commands in a call: median {half}; steps in all: {}", trainer.progress().steps);
    println!("goal: 95th percentile at most {:?}", 2 * BUDGET);
    Ok(())
}
