//! A plan printed for people.

use std::fmt::Write as _;

use super::{Plan, TensorId};

/// Bytes with a binary unit.
pub(crate) fn show_bytes(bytes: u64) -> String {
    let (mut value, mut unit) = (bytes as f64, "B");
    for next in ["KiB", "MiB", "GiB"] {
        if value < 1024.0 {
            break;
        }
        value /= 1024.0;
        unit = next;
    }
    if unit == "B" { format!("{bytes} B") } else { format!("{value:.1} {unit}") }
}

fn show_count(count: u64) -> String {
    let (mut value, mut unit) = (count as f64, "");
    for next in ["k", "M", "G"] {
        if value < 1000.0 {
            break;
        }
        value /= 1000.0;
        unit = next;
    }
    if unit.is_empty() { count.to_string() } else { format!("{value:.1}{unit}") }
}

pub(super) fn render(plan: &Plan) -> String {
    let names = |ids: Vec<TensorId>| {
        ids.iter().map(|&id| plan.tensor(id).name.as_str()).collect::<Vec<_>>().join(", ")
    };
    let mut rows = vec![
        ["#", "command", "kernel", "variant", "reads", "writes", "grid", "FLOPs", "bytes"].map(str::to_owned),
    ];
    for (i, command) in plan.commands().iter().enumerate() {
        let pick = |writes| command.args.iter().filter(|a| a.writes == writes).map(|a| a.tensor).collect();
        let [x, y, _] = command.grid;
        rows.push([
            (i + 1).to_string(),
            command.label.clone(),
            command.shader.kernel.to_owned(),
            command.shader.variant.to_owned(),
            names(pick(false)),
            names(pick(true)),
            if y == 1 { x.to_string() } else { format!("{x}×{y}") },
            show_count(command.flops),
            show_bytes(command.bytes(plan)),
        ]);
    }
    let mut text = format!(
        "plan `{}`: {} commands, {} FLOPs, {} read and written\n\n",
        plan.name(),
        plan.commands().len(),
        show_count(plan.flops()),
        show_bytes(plan.bytes())
    );
    text.push_str(&align(&rows));

    let layout = plan.layout();
    let mut rows = vec![["tensor", "dimensions", "type", "role", "place", "bytes"].map(str::to_owned)];
    for (tensor, slot) in plan.tensors().iter().zip(&layout.slot_of) {
        rows.push([
            tensor.name.clone(),
            tensor.dims.iter().map(usize::to_string).collect::<Vec<_>>().join("×"),
            format!("{:?}", tensor.dtype).to_lowercase(),
            format!("{:?}", tensor.role),
            slot.map_or("own buffer".to_owned(), |slot| format!("slot {slot}")),
            show_bytes(tensor.bytes()),
        ]);
    }
    write!(
        text,
        "\nmemory: {} in {} shared slots, {} in buffers of their own\n\n{}",
        show_bytes(layout.slot_bytes()),
        layout.slots.len(),
        show_bytes(layout.persistent_bytes),
        align(&rows)
    )
    .unwrap_or_default(); // writing to a string cannot fail
    text
}

fn align<const N: usize>(rows: &[[String; N]]) -> String {
    let mut widths = [0; N];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (width, cell) in widths.iter().zip(row) {
            line.push_str(cell);
            line.extend(std::iter::repeat_n(' ', width - cell.chars().count() + 2));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}
