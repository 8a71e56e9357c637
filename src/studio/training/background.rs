//! Threads that work beside the window and leave the processor to it.

use thread_priority::{Error, ThreadPriority, set_current_thread_priority};

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
    if let Err(error) = only_when_idle().or_else(|_| set_current_thread_priority(ThreadPriority::Min)) {
        tracing::debug!("a thread keeps its priority: {error:?}");
    }
}

/// Asks for the policy of idle time. At the lowest niceness alone the scheduler counts a processor with such a thread as taken: it
/// let both of lavapipe's threads wait for one processor while training had the other, for up to 200 ms of a frame.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn only_when_idle() -> Result<(), Error> {
    use thread_priority::{
        NormalThreadSchedulePolicy, ThreadSchedulePolicy, set_thread_priority_and_policy, thread_native_id,
    };
    let policy = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle);
    set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Min, policy)
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn only_when_idle() -> Result<(), Error> {
    Err(Error::Priority("there is no such policy here"))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn work_beside_the_window_gives_way_to_it() {
        let policy = || {
            let line = std::fs::read_to_string("/proc/thread-self/stat").unwrap();
            let fields: Vec<_> = line[line.rfind(')').unwrap() + 2..].split(' ').collect();
            fields[38].parse::<i32>().unwrap()
        };
        const SCHED_IDLE: i32 = 5;
        let own = policy();
        let (mut inside, mut threads) = (own, 0);
        in_background(|| (inside, threads) = (policy(), rayon::current_num_threads()));
        assert_eq!(inside, SCHED_IDLE);
        assert_eq!(policy(), own);
        assert!(threads <= std::thread::available_parallelism().unwrap().get().div_ceil(2));
    }
}
