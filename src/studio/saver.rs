//! Files are written on a thread of their own, one after the other: no stroke waits for a disk.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use super::error::StudioError;

/// What a job has to say when it is done, if anything.
type Said = Result<Option<String>, StudioError>;
type Job = Box<dyn FnOnce() -> Said + Send>;

/// Writes files in the order in which they were given. Dropping it waits until all are written.
#[derive(Debug)]
pub struct Saver {
    jobs: Option<Sender<Job>>,
    results: Receiver<Said>,
    thread: Option<JoinHandle<()>>,
    pending: usize,
    done: Vec<Said>,
}

impl Saver {
    /// Starts the thread.
    pub fn new() -> Self {
        let (jobs, incoming) = channel::<Job>();
        let (outgoing, results) = channel();
        let thread = std::thread::spawn(move || {
            for job in incoming {
                if outgoing.send(job()).is_err() {
                    // Nobody listens any more; what is left is written all the same.
                    continue;
                }
            }
        });
        Self { jobs: Some(jobs), results, thread: Some(thread), pending: 0, done: Vec::new() }
    }

    /// Has something written.
    pub fn run(&mut self, job: impl FnOnce() -> Said + Send + 'static) -> Result<(), StudioError> {
        let jobs = self.jobs.as_ref().ok_or(StudioError::Thread("writes files"))?;
        jobs.send(Box::new(job)).map_err(|_| StudioError::Thread("writes files"))?;
        self.pending += 1;
        Ok(())
    }

    /// Jobs that are not done yet.
    pub fn pending(&self) -> usize {
        self.pending
    }

    /// Waits until all jobs are done, so that files can be read back.
    pub fn wait(&mut self) {
        while self.pending > 0 {
            let Ok(result) = self.results.recv() else { break };
            self.pending -= 1;
            self.done.push(result);
        }
    }

    /// What went wrong since the last call, and what was to be said.
    pub fn outcomes(&mut self) -> Vec<Result<String, StudioError>> {
        while let Ok(result) = self.results.try_recv() {
            self.pending -= 1;
            self.done.push(result);
        }
        self.done.drain(..).filter_map(Result::transpose).collect()
    }
}

impl Drop for Saver {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take() {
            // A panic of the thread has been reported where it happened.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    #[test]
    fn jobs_run_in_order_and_all_of_them_before_the_end() {
        let order = Arc::new(Mutex::new(Vec::new()));
        let mut saver = Saver::new();
        for i in 0..20 {
            let order = Arc::clone(&order);
            saver
                .run(move || {
                    std::thread::sleep(std::time::Duration::from_millis(1));
                    order.lock().unwrap().push(i);
                    match i {
                        7 => Err(StudioError::Open("seven".to_owned())),
                        9 => Ok(Some("nine".to_owned())),
                        _ => Ok(None),
                    }
                })
                .unwrap();
        }
        assert!(saver.pending() > 0);
        saver.wait();
        assert_eq!(saver.pending(), 0);
        let told: Vec<_> = saver.outcomes().into_iter().map(|it| it.map_err(|e| e.to_string())).collect();
        assert_eq!(told, [Err("seven".to_owned()), Ok("nine".to_owned())]);
        saver
            .run({
                let order = Arc::clone(&order);
                move || {
                    order.lock().unwrap().push(20);
                    Ok(None)
                }
            })
            .unwrap();
        drop(saver);
        assert_eq!(*order.lock().unwrap(), (0..=20).collect::<Vec<_>>());
    }
}
