// The numbers of an update by Adam or AdamW.
struct Adam {
    count: u32, // R·size
    size: u32,
    beta1: f32,
    one_minus_beta1: f32,
    beta2: f32,
    one_minus_beta2: f32,
    epsilon: f32,
    weight_decay: f32,
    decoupled: u32,
}
