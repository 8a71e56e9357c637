// gate_forward and gate_backward_*: elements in all, and the slope that a closed gate passes backward (0 where unused).
struct Gate {
    count: u32,
    slope: f32,
}
