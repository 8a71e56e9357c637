//! The pipelines of a plan, made side by side before it is loaded: a driver takes milliseconds for each, on one thread.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::{Fault, caught, compile};
use crate::gpu::Gpu;
use crate::plan::Plan;
use crate::shader::Shader;

/// Makes the pipelines that are not there yet, on as many threads as the machine has; a fault, if any, and then none of them
/// is kept. Each thread has error scopes of its own, because a scope sees nothing of other threads.
pub(super) fn make_pipelines(gpu: &Gpu, plan: &Plan) -> Option<Fault> {
    let mut shaders: Vec<&'static Shader> = Vec::new();
    for shader in plan.commands().iter().map(|command| command.shader) {
        if !gpu.has_pipeline(shader) && !shaders.iter().any(|known| std::ptr::eq(*known, shader)) {
            shaders.push(shader);
        }
    }
    if shaders.is_empty() {
        return None;
    }
    let next = AtomicUsize::new(0);
    let make = || {
        let made = || {
            while let Some(shader) = shaders.get(next.fetch_add(1, Ordering::Relaxed)) {
                gpu.pipeline(shader);
            }
        };
        caught(gpu.device(), made).1
    };
    let others = std::thread::available_parallelism().map_or(1, usize::from).min(shaders.len()) - 1;
    let faults: Vec<Fault> = std::thread::scope(|scope| {
        // A thread that cannot be had is one less: this one makes what is left.
        let threads: Vec<_> =
            (0..others).filter_map(|_| std::thread::Builder::new().spawn_scoped(scope, make).ok()).collect();
        let own = make();
        threads.into_iter().filter_map(|thread| thread.join().ok().flatten()).chain(own).collect()
    });
    if !faults.is_empty() {
        shaders.iter().for_each(|shader| gpu.forget(shader));
    } else if gpu.compiles_late() {
        compile::on_two_queues(gpu, plan, &shaders);
    }
    // Without memory one thread may see a refusal where another one sees the reason.
    faults.into_iter().min_by_key(|fault| matches!(fault, Fault::Refused(_)))
}
