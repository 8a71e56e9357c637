//! Times one command, for benches.

use super::{GpuSession, Loaded, Submitted, memory::Buffer};
use crate::exec::{ExecError, Session, Time};
use crate::shader::DType;
use crate::time::Instant;

/// A query set for the beginning and the end of a pass, and where its two counts go.
struct Stamps {
    set: wgpu::QuerySet,
    counts: Buffer,
}

impl GpuSession {
    fn stamps(&mut self) -> Result<Option<Stamps>, ExecError> {
        if !self.gpu.device().features().contains(wgpu::Features::TIMESTAMP_QUERY) {
            return Ok(None);
        }
        self.guarded("preparing timestamps", |this| {
            let device = this.gpu.device();
            let set = device.create_query_set(&wgpu::QuerySetDescriptor {
                label: Some("timestamps"),
                ty: wgpu::QueryType::Timestamp,
                count: 2,
            });
            let gpu = device.create_buffer(&wgpu::BufferDescriptor {
                label: Some("timestamps"),
                size: 16,
                usage: wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC,
                mapped_at_creation: false,
            });
            let counts = Buffer { gpu, name: "timestamps".to_owned(), len: 4, dtype: DType::U32 };
            Some(Stamps { set, counts })
        })
    }

    /// Queues `times` runs of one command as one pass and waits for it.
    pub(super) fn time_command(
        &mut self,
        plan: Loaded,
        command: usize,
        times: usize,
    ) -> Result<Time, ExecError> {
        self.wait()?;
        let stamps = self.stamps()?;
        let mut cost = 0.0;
        let start = Instant::now();
        let index = self.guarded("timing a command", |this| {
            let dispatch = &this.store.plans[plan.0].dispatches[command];
            cost = dispatch.cost * times as f64;
            let mut encoder =
                this.gpu.device().create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
            {
                let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
                    label: Some("timed"),
                    timestamp_writes: stamps.as_ref().map(|stamps| wgpu::ComputePassTimestampWrites {
                        query_set: &stamps.set,
                        beginning_of_pass_write_index: Some(0),
                        end_of_pass_write_index: Some(1),
                    }),
                });
                pass.set_pipeline(&dispatch.pipeline.compute);
                pass.set_bind_group(0, &dispatch.bindings, &[]);
                let [x, y, z] = dispatch.grid;
                for _ in 0..times {
                    pass.dispatch_workgroups(x, y, z);
                }
            }
            if let Some(stamps) = &stamps {
                encoder.resolve_query_set(&stamps.set, 0..2, &stamps.counts.gpu, 0);
            }
            this.gpu.queue().submit([encoder.finish()])
        })?;
        self.in_flight.push_back(Submitted { index, at: start, cost });
        self.wait()?;
        let wall = start.elapsed().as_secs_f64();
        let device = match stamps {
            None => None,
            Some(stamps) => {
                let words = self.read_words(&stamps.counts, 0, 4)?;
                let count = |at: usize| u64::from(words[at]) | u64::from(words[at + 1]) << 32;
                let nanoseconds = f64::from(self.gpu.queue().get_timestamp_period());
                // Counters may wrap; a difference the other way round is the same difference.
                Some(count(2).wrapping_sub(count(0)) as f64 * nanoseconds * 1e-9)
            }
        };
        Ok(Time { wall, device })
    }
}
