// interval_conv2d: bounds of a 2-d convolution with bias and, if params.relu is 1, a ReLU behind it, over a box.
//   lo, hi [R, N, H, W, C_in], weight [R, K_h, K_w, C_in, C_out], bias [R, C_out],
//   y_lo, y_hi [R, N, H_out, W_out, C_out]
// One invocation per element of y. Sums run over the window as in conv2d_forward:
//   y_lo = bias + sum of w · (lo where w >= 0, else hi) - margin, y_hi = bias + sum of w · (hi where w >= 0, else lo)
//   + margin, margin = relative · S + absolute, S = |bias| + sum of |w| · max(|lo|, |hi|).
// Derivation: each x has [lo, hi] to itself and w x is monotone in x, so the least sum takes lo under positive and hi
// under negative weights. For one layer this is exact. The margin is that of shared/interval.
// uses shared/grid
// uses shared/interval

struct IntervalConv2d {
    replicas: u32,
    batch: u32,
    height: u32,
    width: u32,
    channels_in: u32,
    height_out: u32,
    width_out: u32,
    channels_out: u32,
    kernel_h: u32,
    kernel_w: u32,
    stride_h: u32,
    stride_w: u32,
    padding_h: u32,
    padding_w: u32,
    dilation_h: u32,
    dilation_w: u32,
    relu: u32,
    relative: f32,
    absolute: f32,
}

@group(0) @binding(0) var<uniform> params: IntervalConv2d;
@group(0) @binding(1) var<storage, read> lo: array<f32>;
@group(0) @binding(2) var<storage, read> hi: array<f32>;
@group(0) @binding(3) var<storage, read> weight: array<f32>;
@group(0) @binding(4) var<storage, read> bias: array<f32>;
@group(0) @binding(5) var<storage, read_write> y_lo: array<f32>;
@group(0) @binding(6) var<storage, read_write> y_hi: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let i = group_index(group, groups) * 64u + local;
    let images = params.replicas * params.batch;
    if i >= images * params.height_out * params.width_out * params.channels_out {
        return;
    }
    let o = i % params.channels_out;
    let position = i / params.channels_out;
    let w_out = position % params.width_out;
    let h_out = position / params.width_out % params.height_out;
    let image = position / params.width_out / params.height_out;
    let replica = image / params.batch;

    let b = bias[replica * params.channels_out + o];
    var low = b;
    var high = b;
    var sizes = abs(b);
    for (var kh = 0u; kh < params.kernel_h; kh++) {
        let h_padded = h_out * params.stride_h + kh * params.dilation_h;
        if h_padded < params.padding_h || h_padded - params.padding_h >= params.height {
            continue;
        }
        let row = image * params.height + h_padded - params.padding_h;
        for (var kw = 0u; kw < params.kernel_w; kw++) {
            let w_padded = w_out * params.stride_w + kw * params.dilation_w;
            if w_padded < params.padding_w || w_padded - params.padding_w >= params.width {
                continue;
            }
            let x_at = (row * params.width + w_padded - params.padding_w) * params.channels_in;
            let tap = (replica * params.kernel_h + kh) * params.kernel_w + kw;
            let weight_at = tap * params.channels_in * params.channels_out + o;
            for (var c = 0u; c < params.channels_in; c++) {
                let l = lo[x_at + c];
                let h = hi[x_at + c];
                let w = weight[weight_at + c * params.channels_out];
                low += w * select(h, l, w >= 0.0);
                high += w * select(l, h, w >= 0.0);
                sizes += (abs(w) + FLOOR) * (size(l, h) + FLOOR);
            }
        }
    }
    let margin = params.relative * sizes + params.absolute;
    // A NaN stays a NaN: max() may drop it.
    y_lo[i] = select(low - margin, 0.0, params.relu == 1u && low - margin < 0.0);
    y_hi[i] = select(high + margin, 0.0, params.relu == 1u && high + margin < 0.0);
}
