//! Threads that work beside the window and leave the processor to it.

use thread_priority::{ThreadPriority, set_current_thread_priority};

/// Runs `work` with half of the machine's threads, which give way to those that draw: a software adapter draws on all of them.
pub(super) fn in_background(work: impl FnOnce() + Send) {
    let threads = std::thread::available_parallelism().map_or(1, |count| (count.get() / 2).max(1));
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).start_handler(|_| give_way());
    match pool.build() {
        Ok(pool) => pool.install(work),
        // No pool: on the caller's thread, which is one of its own.
        Err(_) => {
            give_way();
            work();
        }
    }
}

/// Where the system refuses, work goes on at its usual priority.
fn give_way() {
    if let Err(error) = set_current_thread_priority(ThreadPriority::Min) {
        tracing::debug!("a thread keeps its priority: {error:?}");
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn work_beside_the_window_gives_way_to_it() {
        let niceness = || {
            let line = std::fs::read_to_string("/proc/thread-self/stat").unwrap();
            let fields: Vec<_> = line[line.rfind(')').unwrap() + 2..].split(' ').collect();
            fields[16].parse::<i32>().unwrap()
        };
        let own = niceness();
        let (mut inside, mut threads) = (own, 0);
        in_background(|| (inside, threads) = (niceness(), rayon::current_num_threads()));
        assert_eq!(inside, 19);
        assert_eq!(niceness(), own);
        assert!(threads <= std::thread::available_parallelism().unwrap().get().div_ceil(2));
    }
}
