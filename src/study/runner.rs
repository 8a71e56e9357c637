//! Runs the cells that are not on the disk yet: in parallel on the CPU, one after the other on a GPU.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;

use super::pictures::Library;
use super::{Cell, Job, Outcome, StudyError, StudyFolder, measure};
use crate::exec::Device;

/// What happens while cells run.
#[derive(Debug)]
pub enum Event<'a> {
    /// A cell has done this share of its epochs.
    Within(&'a Job, f64),
    /// A cell is on the disk.
    Done(&'a Cell),
}

/// How cells are run.
#[derive(Clone, Copy, Debug)]
pub struct Running<'a> {
    /// The device.
    pub device: &'a Device,
    /// Cells at a time on the CPU.
    pub workers: usize,
    /// Ends the work at the next epoch when set.
    pub stop: &'a AtomicBool,
}

/// Runs what is missing and returns the cells in the order of the jobs.
///
/// On the CPU every cell runs in a pool of one thread: the bits do not depend on the number of threads, and cells side
/// by side waste nothing. A cell that diverges or is refused is recorded as such and does not end the others.
pub fn run(
    jobs: &[Job],
    folder: &StudyFolder,
    library: &Library,
    running: Running,
    on: &mut dyn FnMut(Event),
) -> Result<Vec<Cell>, StudyError> {
    let mut cells = Vec::with_capacity(jobs.len());
    for job in jobs {
        cells.push(folder.cell(job)?.filter(Cell::is_settled));
    }
    let pending: Vec<usize> = (0..jobs.len()).filter(|&i| cells[i].is_none()).collect();
    let mut keep = |index: usize, outcome, on: &mut dyn FnMut(Event)| -> Result<(), StudyError> {
        let job = &jobs[index];
        let cell = Cell {
            job: job.clone(),
            definition: job.definition(),
            program: super::program(),
            device: running.device.title(),
            outcome,
        };
        folder.write_cell(&cell)?;
        on(Event::Done(&cell));
        cells[index] = Some(cell);
        Ok(())
    };
    match running.device {
        Device::Gpu { .. } => {
            for &index in &pending {
                let tick = &mut |share| on(Event::Within(&jobs[index], share));
                let Some(outcome) = attempt(&jobs[index], library, running.device, running.stop, tick) else {
                    break;
                };
                keep(index, outcome, on)?;
            }
        }
        Device::Cpu { .. } => in_parallel(jobs, &pending, library, running, &mut keep, on)?,
    }
    let total = cells.len();
    let cells: Vec<Cell> = cells.into_iter().flatten().collect();
    if cells.len() < total {
        return Err(StudyError::Stopped { done: cells.len(), total });
    }
    Ok(cells)
}

/// `None` if it was stopped.
fn attempt(
    job: &Job,
    library: &Library,
    device: &Device,
    stop: &AtomicBool,
    tick: &mut dyn FnMut(f64),
) -> Option<Outcome> {
    match library.pictures(job) {
        Ok(data) => measure::run(job, &data, device, stop, tick),
        Err(error) => Some(Outcome::Failed(error.to_string())),
    }
}

enum Message {
    Within(usize, f64),
    Ended(usize, Outcome),
}

type Keep<'a> = dyn FnMut(usize, Outcome, &mut dyn FnMut(Event)) -> Result<(), StudyError> + 'a;

fn in_parallel(
    jobs: &[Job],
    pending: &[usize],
    library: &Library,
    running: Running,
    keep: &mut Keep,
    on: &mut dyn FnMut(Event),
) -> Result<(), StudyError> {
    let workers = running.workers.clamp(1, pending.len().max(1));
    let next = AtomicUsize::new(0);
    // An error of this thread (a full disk) ends the workers too.
    let broken = AtomicBool::new(false);
    let refused = Mutex::new(None);
    let (sender, receiver) = mpsc::channel();
    let reason = running.device.reason().to_owned();
    let stop = running.stop;
    let work = |sender: mpsc::Sender<Message>| {
        let device = Device::Cpu { reason: reason.clone() };
        let tired = || stop.load(Ordering::Relaxed) || broken.load(Ordering::Relaxed);
        while !tired() {
            let Some(&index) = pending.get(next.fetch_add(1, Ordering::Relaxed)) else { break };
            let tick = &mut |share| {
                let _ = sender.send(Message::Within(index, share));
            };
            let Some(outcome) = attempt(&jobs[index], library, &device, stop, tick) else { break };
            if sender.send(Message::Ended(index, outcome)).is_err() {
                break;
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..workers {
            let sender = sender.clone();
            let (work, refused) = (&work, &refused);
            scope.spawn(move || match rayon::ThreadPoolBuilder::new().num_threads(1).build() {
                Ok(pool) => pool.install(|| work(sender)),
                Err(error) => {
                    let mut place = refused.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                    *place = Some(error.to_string());
                }
            });
        }
        drop(sender);
        let mut outcome = Ok(());
        for message in receiver {
            match message {
                Message::Within(index, share) => on(Event::Within(&jobs[index], share)),
                Message::Ended(index, ended) if outcome.is_ok() => {
                    outcome = keep(index, ended, on);
                    broken.store(outcome.is_err(), Ordering::Relaxed);
                }
                Message::Ended(..) => {}
            }
        }
        outcome
    })?;
    match refused.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner) {
        Some(message) => Err(StudyError::Workers { count: workers, message }),
        None => Ok(()),
    }
}
