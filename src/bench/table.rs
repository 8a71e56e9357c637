//! Reports as Markdown.

use std::fmt::Write as _;

use super::{Against, BoundBy, Breakdown, Growth, Report, Row, Spread, Step};

/// The pages of `docs/kernels`, by their stems, with the operations whose tables they hold.
pub const PAGES: [(&str, &[&str]); 9] = [
    ("conv2d", &["conv2d"]),
    ("linear", &["linear"]),
    (
        "losses",
        &[
            "softmax",
            "log_softmax",
            "cross_entropy",
            "kl_divergence",
            "reverse_kl",
            "jensen_shannon",
            "squared_distance",
            "log_probability",
            "input_penalty",
            "multiplier",
        ],
    ),
    ("reductions", &["reduce", "bias"]),
    ("pooling", &["max_pool", "average_pool"]),
    ("normalization", &["normalize", "group_norm", "batch_norm", "dropout"]),
    ("elementwise", &["relu", "pointwise", "gate", "diagonal"]),
    ("optimizers", &["optimizer", "schedule"]),
    ("data", &["gather", "place", "augment", "metrics", "overlay", "clock", "interval", "ceiling"]),
];

/// Seconds as people read them: `1.23 ms`.
pub fn show_seconds(seconds: f64) -> String {
    match seconds {
        s if !s.is_finite() => "–".to_owned(),
        s if s < 1e-3 => format!("{} µs", digits(s * 1e6)),
        s if s < 1.0 => format!("{} ms", digits(s * 1e3)),
        s => format!("{} s", digits(s)),
    }
}

/// Three digits that count.
fn digits(value: f64) -> String {
    match value.abs() {
        v if !v.is_finite() => "–".to_owned(),
        v if v >= 100.0 => format!("{value:.0}"),
        v if v >= 10.0 => format!("{value:.1}"),
        v if v >= 0.01 || v == 0.0 => format!("{value:.2}"),
        _ => format!("{value:.0e}"),
    }
}

fn show_spread(spread: &Spread) -> String {
    format!("{} ± {:.0} %", show_seconds(spread.median), 100.0 * spread.relative())
}

/// Lines of a Markdown table.
fn table(head: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let mut text = line(head.iter().map(|name| (*name).to_owned()).collect());
    text.push_str(&line(head.iter().map(|_| "---".to_owned()).collect()));
    rows.into_iter().for_each(|row| text.push_str(&line(row)));
    text
}

/// Whether a kernel is one of an operation's.
fn belongs(kernel: &str, op: &str) -> bool {
    kernel.strip_prefix(op).is_some_and(|rest| rest.starts_with('_'))
}

/// The rows of some operations; all where `ops` is empty.
pub fn kernel_table(rows: &[Row], ops: &[&str]) -> String {
    let of = |row: &&Row| ops.is_empty() || ops.iter().any(|op| belongs(&row.kernel, op));
    let head = [
        "kernel",
        "variant",
        "shape",
        "time",
        "GFLOP/s",
        "GB/s",
        "FLOP/byte",
        "of the ceiling",
        "error",
        "of its bound",
    ];
    table(&head, rows.iter().filter(of).map(cells))
}

fn cells(row: &Row) -> Vec<String> {
    let rate = |rate: Option<f64>| rate.map_or("–".to_owned(), |rate| digits(rate / 1e9));
    let roof = match row.bound_by {
        BoundBy::Memory => "memory",
        BoundBy::Arithmetic => "arithmetic",
    };
    let time = match (&row.fault, &row.seconds) {
        (Some(fault), _) => format!("wrong: {fault}"),
        (None, Some(seconds)) if row.bytes_rate.is_some() => show_spread(seconds),
        _ => "below a launch".to_owned(),
    };
    vec![
        row.kernel.clone(),
        row.variant.clone(),
        row.shape.clone(),
        time,
        rate(row.flops_rate),
        rate(row.bytes_rate),
        digits(row.intensity),
        row.of_ceiling.map_or("–".to_owned(), |share| format!("{} % ({roof})", digits(100.0 * share))),
        match (row.against, row.error) {
            (Against::Twin, Some(0.0)) => "0".to_owned(),
            (Against::Twin, Some(error)) => format!("{error:.0e}"),
            _ => "checked at smaller shapes".to_owned(),
        },
        row.of_bound.map_or("–".to_owned(), |share| format!("{:.1} %", 100.0 * share)),
    ]
}

fn step_table(steps: &[Step]) -> String {
    let head = ["step", "commands", "MFLOP", "time", "GFLOP/s", "first", "peak memory"];
    table(
        &head,
        steps.iter().map(|step| {
            let mib = |bytes: u64| format!("{:.0} MiB", bytes as f64 / f64::from(1 << 20));
            vec![
                step.name.clone(),
                step.commands.to_string(),
                digits(step.flops as f64 / 1e6),
                show_spread(&step.seconds),
                digits(step.flops as f64 / step.seconds.median / 1e9),
                show_seconds(step.first),
                step.peak_memory.map_or("–".to_owned(), mib),
            ]
        }),
    )
}

fn breakdown_table(breakdown: &Breakdown) -> String {
    let Breakdown { step, shares, sum, whole } = breakdown;
    let rows = shares.iter().map(|share| {
        vec![
            share.kernel.clone(),
            share.variant.clone(),
            share.commands.to_string(),
            show_seconds(share.seconds),
            format!("{:.1} %", 100.0 * share.seconds / sum),
            digits(share.flops as f64 / share.seconds / 1e9),
        ]
    });
    let rows = table(&["kernel", "variant", "commands", "time", "share", "GFLOP/s"], rows);
    format!(
        "**{step}**: its commands, each by itself, take {} in sum; the step as it runs takes {} ({:.0} % of the sum).\n\n{rows}",
        show_seconds(*sum),
        show_seconds(*whole),
        100.0 * whole / sum
    )
}

/// How the cost grows, beside the FLOPs.
fn growth_table(growth: &Growth) -> String {
    let rows = growth.points.iter().map(|point| {
        let (time, flops) = growth.relative(point).unwrap_or((f64::NAN, f64::NAN));
        vec![
            point.axis.to_owned(),
            point.value.to_string(),
            digits(point.flops as f64 / 1e6),
            show_spread(&point.seconds),
            format!("{flops:.2}"),
            format!("{time:.2}"),
        ]
    });
    table(&["varied", "value", "MFLOP", "time", "FLOPs × first", "time × first"], rows)
}

/// One line of where and when.
fn place(report: &Report) -> String {
    let place = &report.place;
    format!("{}, {} cores, {}, commit {}", place.device, place.cores, place.date, place.commit)
}

fn floors(report: &Report) -> String {
    let timer = &report.timer;
    let mut text = format!(
        "Clock: {}. Version 0, the no-op: {} per launch, {} per submission (wall clock: {} and {}); both are taken off \
         the times of kernels, launches stand in those of steps.\n",
        timer.clock,
        show_seconds(timer.launch),
        show_seconds(timer.submission),
        show_seconds(timer.wall[0]),
        show_seconds(timer.wall[1])
    );
    if let Some(ceilings) = &report.ceilings {
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "Measured ceilings: copy {} GB/s (read and written), multiply-add {} GFLOP/s. What stays in a cache may beat the \
             copy, which does not.",
            digits(ceilings.copy / 1e9),
            digits(ceilings.fma / 1e9)
        );
    }
    if let Some(proof) = &report.proof {
        let _ = writeln!(
            text,
            "Proof of the timer: {} times the work took {:.2} times as long ({} and {}; allowed: {:.0} % off).",
            proof.work,
            proof.found,
            show_seconds(proof.light),
            show_seconds(proof.heavy),
            100.0 * proof.allowed
        );
    }
    text
}

/// The table for a page of `docs/kernels`; `None` for a page that holds none, or where nothing was measured for it.
pub fn page(report: &Report, stem: &str) -> Option<String> {
    let head = |table: &str| format!("{}.\n\n{}\n{table}", place(report), floors(report));
    if stem == "step" {
        let steps = steps(report);
        return (!steps.is_empty()).then(|| head(&steps));
    }
    let (_, ops) = PAGES.iter().find(|(page, _)| *page == stem)?;
    let table = kernel_table(&report.kernels, ops);
    (table.lines().count() > 2).then(|| head(&table))
}

fn steps(report: &Report) -> String {
    let mut parts = Vec::new();
    if !report.steps.is_empty() {
        parts.push(step_table(&report.steps));
    }
    parts.extend(report.breakdowns.iter().map(breakdown_table));
    if let Some(growth) = &report.growth {
        parts.push(growth_table(growth));
    }
    parts.join("\n")
}

/// The whole report.
pub fn markdown(report: &Report) -> String {
    let mut text = format!("# {}\n\n{}.\n\n{}", report.place.device, place(report), floors(report));
    if !report.kernels.is_empty() {
        text.push_str("\n## Kernels\n\n");
        text.push_str(&kernel_table(&report.kernels, &[]));
    }
    let steps = steps(report);
    if !steps.is_empty() {
        text.push_str("\n## Steps\n\n");
        text.push_str(&steps);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::KERNELS;

    #[test]
    fn every_kernel_has_a_page() {
        for kernel in KERNELS {
            let pages = PAGES.iter().filter(|(_, ops)| ops.iter().any(|op| belongs(kernel.name, op)));
            assert_eq!(pages.count(), 1, "{}", kernel.name);
        }
    }

    #[test]
    fn seconds_read_well() {
        assert_eq!(show_seconds(0.001_234), "1.23 ms");
        assert_eq!(show_seconds(0.000_012_34), "12.3 µs");
        assert_eq!(show_seconds(2.5), "2.50 s");
        assert_eq!(show_seconds(f64::NAN), "–");
    }
}
