// The numbers of an update by gradient descent with momentum.
struct Sgd {
    count: u32, // R·size
    size: u32,
    momentum: f32,
    weight_decay: f32,
    nesterov: u32,
}
