// max_pool_backward: gradient of a max pooling, gathered: no atomics.
//   d_y [R, N, H_out, W_out, C], argmax [R, N, H_out, W_out, C] (h W + w), d_x [R, N, H, W, C]
// One invocation per element of d_x.
// Derivation: y[h', w', c] is the copy of the one x[h, w, c] that argmax names, so
//   d_x[h, w, c] = sum of d_y[h', w', c] over the windows (h', w') that hold (h, w) and whose argmax is
//   h W + w.
// The windows that hold h are those with h' s_h <= h + p_h < h' s_h + K_h.
// uses shared/grid
// uses shared/max_pool

@group(0) @binding(0) var<uniform> params: MaxPool;
@group(0) @binding(1) var<storage, read> d_y: array<f32>;
@group(0) @binding(2) var<storage, read> argmax: array<u32>;
@group(0) @binding(3) var<storage, read_write> d_x: array<f32>;

// First window that holds a padded coordinate: the least h' with h' stride + kernel > padded.
fn first_window(padded: u32, kernel: u32, stride: u32) -> u32 {
    return select(0u, (padded - kernel) / stride + 1u, padded >= kernel);
}

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let i = group_index(group, groups) * 64u + local;
    if i >= params.images * params.height * params.width * params.channels {
        return;
    }
    let c = i % params.channels;
    let position = i / params.channels;
    let at = position % (params.height * params.width);
    let image = position / (params.height * params.width);
    let h_padded = at / params.width + params.padding_h;
    let w_padded = at % params.width + params.padding_w;

    let h_end = min(h_padded / params.stride_h + 1u, params.height_out);
    let w_end = min(w_padded / params.stride_w + 1u, params.width_out);
    let w_first = first_window(w_padded, params.kernel_w, params.stride_w);
    var sum = 0.0;
    for (var h = first_window(h_padded, params.kernel_h, params.stride_h); h < h_end; h++) {
        for (var w = w_first; w < w_end; w++) {
            let window = ((image * params.height_out + h) * params.width_out + w) * params.channels + c;
            if argmax[window] == at {
                sum += d_y[window];
            }
        }
    }
    d_x[i] = sum;
}
