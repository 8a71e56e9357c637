// conv2d_backward_input: gradient of a convolution with respect to its input, gathered: no atomics.
//   d_y [R, N, H_out, W_out, C_out], weight [R, K_h, K_w, C_in, C_out], d_x [R, N, H, W, C_in]
// One invocation per element of d_x.
// Derivation: x[h, w, c] enters y[h', w', o] through the tap (kh, kw) with h' s_h + kh d_h - p_h = h and
// w' s_w + kw d_w - p_w = w, with the factor weight[kh, kw, c, o]. So each tap has at most one (h', w'),
//   h' = (h + p_h - kh d_h) / s_h, w' = (w + p_w - kw d_w) / s_w, where both divide and lie within y, and
//   d_x[h, w, c] = sum over those taps and over o of d_y[h', w', o] weight[kh, kw, c, o].
// uses shared/grid
// uses shared/conv2d

@group(0) @binding(0) var<uniform> params: Conv2d;
@group(0) @binding(1) var<storage, read> d_y: array<f32>;
@group(0) @binding(2) var<storage, read> weight: array<f32>;
@group(0) @binding(3) var<storage, read_write> d_x: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let i = group_index(group, groups) * 64u + local;
    let images = params.replicas * params.batch;
    if i >= images * params.height * params.width * params.channels_in {
        return;
    }
    let c = i % params.channels_in;
    let position = i / params.channels_in;
    let w_padded = position % params.width + params.padding_w;
    let h_padded = position / params.width % params.height + params.padding_h;
    let image = position / params.width / params.height;
    let replica = image / params.batch;

    var sum = 0.0;
    for (var kh = 0u; kh < params.kernel_h; kh++) {
        let h = h_padded - kh * params.dilation_h; // wraps below 0, so it is tested before it is used
        let above = kh * params.dilation_h > h_padded;
        if above || h % params.stride_h != 0u || h / params.stride_h >= params.height_out {
            continue;
        }
        let row = image * params.height_out + h / params.stride_h;
        for (var kw = 0u; kw < params.kernel_w; kw++) {
            let w = w_padded - kw * params.dilation_w;
            let left = kw * params.dilation_w > w_padded;
            if left || w % params.stride_w != 0u || w / params.stride_w >= params.width_out {
                continue;
            }
            let d_y_at = (row * params.width_out + w / params.stride_w) * params.channels_out;
            let tap = (replica * params.kernel_h + kh) * params.kernel_w + kw;
            let weight_at = (tap * params.channels_in + c) * params.channels_out;
            for (var o = 0u; o < params.channels_out; o++) {
                sum += d_y[d_y_at + o] * weight[weight_at + o];
            }
        }
    }
    d_x[i] = sum;
}
