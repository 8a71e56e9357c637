// conv2d_backward_weight: gradient of a convolution with respect to its weight, in slices over the positions
// of y.
//   x [R, N, H, W, C_in], d_y [R, N, H_out, W_out, C_out], d_weight [R, S, K_h, K_w, C_in, C_out]
// One invocation per element of d_weight; reduce_sum_slices adds the S slices.
// Derivation: weight[kh, kw, c, o] enters y[n, h', w', o] with the factor
// x[n, h' s_h + kh d_h - p_h, w' s_w + kw d_w - p_w, c], which is 0 outside of x. So
//   d_weight[kh, kw, c, o] = sum over n, h', w' of that factor times d_y[n, h', w', o].
// Slice s takes the positions (n, h', w') from s slice_length on, slice_length of them, in row order.
// uses shared/grid
// uses shared/conv2d

@group(0) @binding(0) var<uniform> params: Conv2d;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> d_y: array<f32>;
@group(0) @binding(3) var<storage, read_write> d_weight: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let i = group_index(group, groups) * 64u + local;
    let taps = params.kernel_h * params.kernel_w;
    if i >= params.replicas * params.slices * taps * params.channels_in * params.channels_out {
        return;
    }
    let o = i % params.channels_out;
    let c = i / params.channels_out % params.channels_in;
    let tap = i / params.channels_out / params.channels_in % taps;
    let slice = i / params.channels_out / params.channels_in / taps;
    let replica = slice / params.slices;
    let offset_h = tap / params.kernel_w * params.dilation_h;
    let offset_w = tap % params.kernel_w * params.dilation_w;

    let positions = params.batch * params.height_out * params.width_out;
    let first = slice % params.slices * params.slice_length;
    let end = min(first + params.slice_length, positions);
    var w_out = first % params.width_out;
    var h_out = first / params.width_out % params.height_out;
    var image = replica * params.batch + first / params.width_out / params.height_out;
    var sum = 0.0;
    for (var position = first; position < end; position++) {
        let h = h_out * params.stride_h + offset_h - params.padding_h; // huge where it is below 0
        let w = w_out * params.stride_w + offset_w - params.padding_w;
        if h < params.height && w < params.width {
            let x_at = ((image * params.height + h) * params.width + w) * params.channels_in + c;
            sum += x[x_at] * d_y[(replica * positions + position) * params.channels_out + o];
        }
        w_out++;
        if w_out == params.width_out {
            w_out = 0u;
            h_out++;
            if h_out == params.height_out {
                h_out = 0u;
                image++;
            }
        }
    }
    d_weight[i] = sum;
}
