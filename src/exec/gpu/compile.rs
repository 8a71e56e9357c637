//! Kernels compiled before they are needed, for drivers that do it late: lavapipe turns a kernel into machine code when it is
//! first launched, on the one thread of its queue, for up to two seconds each.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use super::{Fault, caught};
use crate::gpu::Gpu;
use crate::plan::{Command, Plan};
use crate::shader::Shader;
use crate::time::Instant;

/// Fewer kernels than this are not worth a device.
const WORTH: usize = 4;

/// The longest kernel comes back from the driver's cache in a third of this; to compile it takes ten times as long.
const CACHED: Duration = Duration::from_millis(50);

/// Compiles some kernels of a plan, the longest first, on the queue of this device and, if they are not in the driver's cache on
/// disk, on that of a second one at the same time, which is closed afterwards. What was compiled there comes back through
/// that cache; where there is none, it is compiled again, here. Nothing is reported: a kernel that does not compile fails
/// when it is launched in earnest.
pub(super) fn on_two_queues(gpu: &Gpu, plan: &Plan, shaders: &[&'static Shader]) {
    if shaders.len() < WORTH || std::thread::available_parallelism().map_or(1, usize::from) < 2 {
        return;
    }
    let mut launches = first_commands(plan, shaders);
    launches.sort_by_key(|command| std::cmp::Reverse(command.shader.source.len()));
    let next = AtomicUsize::new(0);
    let take = || launches.get(next.fetch_add(1, Ordering::Relaxed)).copied();
    let (done, first) = channel();
    let there = std::thread::scope(|scope| {
        let other = move || {
            let mut compiled = Vec::new();
            if first.recv_timeout(CACHED) == Err(RecvTimeoutError::Timeout)
                && let Some(other) = gpu.another()
            {
                while let Some(command) = take() {
                    launch(&other, command);
                    compiled.push(command);
                }
            }
            compiled
        };
        let other = std::thread::Builder::new().spawn_scoped(scope, other);
        while let Some(command) = take() {
            launch(gpu, command);
            let _ = done.send(()); // nobody listens any more after the first
        }
        other.ok().and_then(|other| other.join().ok()).unwrap_or_default()
    });
    for command in there {
        launch(gpu, command);
    }
}

/// For each shader the first command that runs it: its uniform holds numbers as they will be. lavapipe leaves out what a uniform
/// of zeros would never reach, and would compile the kernel again. It writes the numbers into small kernels; another command of
/// such a one is compiled when it is launched, in some 50 ms.
fn first_commands<'a>(plan: &'a Plan, shaders: &[&'static Shader]) -> Vec<&'a Command> {
    let first = |shader| plan.commands().iter().find(|command| std::ptr::eq(command.shader, shader));
    shaders.iter().filter_map(|shader| first(*shader)).collect()
}

/// Launches no workgroup of a command's kernel, and waits until that is done.
fn launch(gpu: &Gpu, command: &Command) -> Option<Fault> {
    let start = Instant::now();
    let shader = command.shader;
    let device = gpu.device();
    let (_, fault) = caught(device, || {
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
    tracing::debug!(kernel = shader.kernel, variant = shader.variant, ?took, ?fault, "compiled");
    fault
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gpu::{Choice, Chosen, GpuOptions, choose};
    use crate::ops;
    use crate::plan::Variants;

    #[test]
    fn every_kernel_can_be_launched_with_no_workgroups_on_this_device_and_on_another() {
        let Ok(Chosen::Gpu(adapter, report, _)) = choose(&Choice::Name("llvmpipe".to_owned())) else {
            return; // the ladder says where an adapter is missing
        };
        let gpu = Gpu::open(&adapter, &report, GpuOptions::default()).unwrap();
        assert!(gpu.compiles_late());
        let other = gpu.another().unwrap();
        assert_eq!(other.limits(), gpu.limits());
        let variants = Variants::new().on(gpu.limits().target);
        let mut seen: Vec<&Shader> = Vec::new();
        for case in ops::cases(&variants).unwrap() {
            for command in case.plan.commands() {
                if !seen.iter().any(|shader| std::ptr::eq(*shader, command.shader)) {
                    seen.push(command.shader);
                    let gpu = if seen.len().is_multiple_of(2) { &gpu } else { &other };
                    assert!(
                        launch(gpu, command).is_none(),
                        "{} {}",
                        command.shader.kernel,
                        command.shader.variant
                    );
                }
            }
        }
        assert!(seen.len() > 60, "{}", seen.len());
    }
}
