// conv2d_forward: 2-d convolution (cross-correlation) with bias and, if params.relu is 1, a ReLU behind it.
//   x [R, N, H, W, C_in], weight [R, K_h, K_w, C_in, C_out], bias [R, C_out], y [R, N, H_out, W_out, C_out]
// One invocation per element of y.
// y[h', w', o] = bias[o] + sum over kh, kw, c of
//   x[h' s_h + kh d_h - p_h, w' s_w + kw d_w - p_w, c] weight[kh, kw, c, o]
// with stride s, dilation d, padding p; outside of x is 0.
// uses shared/grid
// uses shared/conv2d

@group(0) @binding(0) var<uniform> params: Conv2d;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> weight: array<f32>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;

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

    var sum = bias[replica * params.channels_out + o];
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
                sum += x[x_at + c] * weight[weight_at + c * params.channels_out];
            }
        }
    }
    // A NaN stays a NaN: max() may drop it.
    y[i] = select(sum, 0.0, params.relu == 1u && sum < 0.0);
}
