// interval_margin: by how much the logit of the predicted class stays above each other one, over a box of the input of
// the last, linear layer.
//   lo, hi [R, N, D], weight [R, D, K], bias [R, K], predictions [R, N] (K = no class), margins [R, N, K]
// One invocation per element of margins.
//   margins[n, k] = b_p - b_k + sum of v · (lo where v >= 0, else hi) - relative · S - absolute, v = w_p - w_k, p the
//   prediction, S = |b_p| + |b_k| + sum of (|w_p| + |w_k|) · max(|lo|, |hi|); 0 for k = p, NaN where p is no class.
// Derivation: logit_p - logit_k = (b_p - b_k) + sum of (w_p - w_k) x is one linear function of x: its least value is at
// least the difference of the bounds of both logits, which could not both be met (Gowal et al. 2018). The margin is that
// of shared/interval for both logits together.
// uses shared/grid
// uses shared/interval

struct IntervalMargin {
    replicas: u32,
    batch: u32,
    features: u32,
    classes: u32,
    relative: f32,
    absolute: f32,
}

@group(0) @binding(0) var<uniform> params: IntervalMargin;
@group(0) @binding(1) var<storage, read> lo: array<f32>;
@group(0) @binding(2) var<storage, read> hi: array<f32>;
@group(0) @binding(3) var<storage, read> weight: array<f32>;
@group(0) @binding(4) var<storage, read> bias: array<f32>;
@group(0) @binding(5) var<storage, read> predictions: array<u32>;
@group(0) @binding(6) var<storage, read_write> margins: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let at = group_index(group, groups) * 64u + local;
    if at >= params.replicas * params.batch * params.classes {
        return;
    }
    let k = at % params.classes;
    let n = at / params.classes; // counts on over the replicas
    let replica = n / params.batch;
    let predicted = predictions[n];
    let known = predicted < params.classes;
    let p = select(0u, predicted, known);

    let b_p = bias[replica * params.classes + p];
    let b_k = bias[replica * params.classes + k];
    var low = b_p - b_k;
    var sizes = abs(b_p) + abs(b_k);
    let x_at = n * params.features;
    let weight_at = replica * params.features * params.classes;
    for (var i = 0u; i < params.features; i++) {
        let l = lo[x_at + i];
        let h = hi[x_at + i];
        let w_p = weight[weight_at + i * params.classes + p];
        let w_k = weight[weight_at + i * params.classes + k];
        let v = w_p - w_k;
        low += v * select(h, l, v >= 0.0);
        sizes += (abs(w_p) + abs(w_k) + FLOOR) * (size(l, h) + FLOOR);
    }
    let margin = low - (params.relative * sizes + params.absolute);
    let nan = bitcast<f32>(0x7fc00000u | params.classes); // not a constant: WGSL has no constant NaN
    margins[at] = select(nan, select(margin, 0.0, k == p), known);
}
