//! Kernels compiled before they are needed, for drivers that do it late: lavapipe turns a kernel into machine code when it is
//! first launched, on the one thread of its queue, for up to two seconds each.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::caught;
use crate::gpu::Gpu;
use crate::plan::{Command, Plan};
use crate::shader::Shader;
use crate::time::Instant;

/// Fewer kernels than this are not worth a device.
const WORTH: usize = 4;

/// A kernel comes back from the driver's cache in 1 to 5 ms; the shortest takes 30 to be compiled.
const CACHED: Duration = Duration::from_millis(15);

/// Compiles some kernels of a plan on the queue of this device and, at the same time, on that of a second one, which is closed
/// afterwards. What was compiled there comes back through the driver's cache on disk; where there is none, it is compiled
/// again, here. Nothing is reported: a kernel that does not compile fails when it is launched in earnest.
pub(super) fn on_two_queues(gpu: &Gpu, plan: &Plan, shaders: &[&'static Shader]) {
    // Each with numbers that it will have: lavapipe leaves out what a uniform of zeros would never reach.
    let mut launches: Vec<&Command> = shaders
        .iter()
        .filter_map(|shader| plan.commands().iter().find(|command| std::ptr::eq(command.shader, *shader)))
        .collect();
    launches.sort_by_key(|command| std::cmp::Reverse(command.shader.source.len()));
    if launches.len() < WORTH || launches.pop().is_none_or(|shortest| launch(gpu, shortest) < CACHED) {
        return;
    }
    let next = AtomicUsize::new(0);
    let all = |gpu: &Gpu| {
        let mut done = Vec::new();
        while let Some(command) = launches.get(next.fetch_add(1, Ordering::Relaxed)) {
            launch(gpu, command);
            done.push(*command);
        }
        done
    };
    let there = std::thread::scope(|scope| {
        let other = || gpu.another().map(|other| all(&other)).unwrap_or_default();
        let other = std::thread::Builder::new().spawn_scoped(scope, other);
        all(gpu);
        other.ok().and_then(|other| other.join().ok()).unwrap_or_default()
    });
    for command in there {
        launch(gpu, command);
    }
}

/// Launches no workgroup of a command's kernel, and waits until that is done; how long it took.
fn launch(gpu: &Gpu, command: &Command) -> Duration {
    let start = Instant::now();
    let shader = command.shader;
    let device = gpu.device();
    let _ = caught(device, || {
        let pipeline = gpu.pipeline(shader);
        let buffer = |size, usage| {
            device.create_buffer(&wgpu::BufferDescriptor {
                label: None,
                size,
                usage,
                mapped_at_creation: false,
            })
        };
        let usage = wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST;
        let uniform = buffer(u64::from(shader.uniform_size), usage);
        gpu.queue().write_buffer(&uniform, 0, &command.params);
        // One for each: none may be read and written by one kernel.
        let tensors: Vec<_> =
            shader.bindings.iter().map(|_| buffer(16, wgpu::BufferUsages::STORAGE)).collect();
        let entries: Vec<_> = std::iter::once(&uniform)
            .chain(&tensors)
            .enumerate()
            .map(|(n, buffer)| wgpu::BindGroupEntry {
                binding: n as u32,
                resource: buffer.as_entire_binding(),
            })
            .collect();
        let bindings = device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: None,
            layout: &pipeline.layout,
            entries: &entries,
        });
        let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
        pass.set_pipeline(&pipeline.compute);
        pass.set_bind_group(0, &bindings, &[]);
        pass.dispatch_workgroups(0, 0, 0);
        drop(pass);
        gpu.queue().submit([encoder.finish()]);
        let _ = device.poll(wgpu::PollType::wait_indefinitely());
    });
    let took = start.elapsed();
    tracing::debug!(kernel = shader.kernel, variant = shader.variant, ?took, "compiled");
    took
}
