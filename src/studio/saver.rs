//! Files are written on a thread of their own, one after the other: no stroke waits for a disk.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use super::error::StudioError;

type Job = Box<dyn FnOnce() -> Result<(), StudioError> + Send>;

/// Writes files in the order in which they were given. Dropping it waits until all are written.
#[derive(Debug)]
pub struct Saver {
    jobs: Option<Sender<Job>>,
    results: Receiver<Result<(), StudioError>>,
    thread: Option<JoinHandle<()>>,
    pending: usize,
    failed: Vec<StudioError>,
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
        Self { jobs: Some(jobs), results, thread: Some(thread), pending: 0, failed: Vec::new() }
    }

    /// Has something written.
    pub fn run(
        &mut self,
        job: impl FnOnce() -> Result<(), StudioError> + Send + 'static,
    ) -> Result<(), StudioError> {
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
            self.failed.extend(result.err());
        }
    }

    /// What went wrong since the last call.
    pub fn errors(&mut self) -> Vec<StudioError> {
        let mut errors = std::mem::take(&mut self.failed);
        while let Ok(result) = self.results.try_recv() {
            self.pending -= 1;
            errors.extend(result.err());
        }
        errors
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
                    if i == 7 { Err(StudioError::Open("seven".to_owned())) } else { Ok(()) }
                })
                .unwrap();
        }
        assert!(saver.pending() > 0);
        saver.wait();
        assert_eq!(saver.pending(), 0);
        let errors = saver.errors();
        assert_eq!(errors.iter().map(ToString::to_string).collect::<Vec<_>>(), ["seven"]);
        saver
            .run({
                let order = Arc::clone(&order);
                move || {
                    order.lock().unwrap().push(20);
                    Ok(())
                }
            })
            .unwrap();
        drop(saver);
        assert_eq!(*order.lock().unwrap(), (0..=20).collect::<Vec<_>>());
    }
}
