// max_pool_backward, four channels at once: gradient of a max pooling, gathered.
//   d_y [R, N, H_out, W_out, C], argmax [R, N, H_out, W_out, C] (h W + w), d_x [R, N, H, W, C];
//   C a multiple of 4
// One invocation per position and run of 16 channels: finding the place costs more than the sum.
// Derivation: y[h', w', c] is the copy of the one x[h, w, c] that argmax names, so
//   d_x[h, w, c] = sum of d_y[h', w', c] over the windows (h', w') that hold (h, w) and whose argmax is
//   h W + w.
// The windows that hold h are those with h' s_h <= h + p_h < h' s_h + K_h.
// uses shared/grid
// uses shared/max_pool

const COLUMNS: u32 = 16;

@group(0) @binding(0) var<uniform> params: MaxPool;
@group(0) @binding(1) var<storage, read> d_y: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> argmax: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read_write> d_x: array<vec4<f32>>;

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
    let channels = params.channels / 4u; // in vec4
    let runs = (params.channels + COLUMNS - 1u) / COLUMNS;
    if i >= params.images * params.height * params.width * runs {
        return;
    }
    let position = i / runs;
    let line = position / params.width;
    let image = line / params.height;
    let h = line - image * params.height;
    let w = position - line * params.width;
    let at = vec4(h * params.width + w);
    let h_padded = h + params.padding_h;
    let w_padded = w + params.padding_w;

    let h_end = min(h_padded / params.stride_h + 1u, params.height_out);
    let w_end = min(w_padded / params.stride_w + 1u, params.width_out);
    let h_first = first_window(h_padded, params.kernel_h, params.stride_h);
    let w_first = first_window(w_padded, params.kernel_w, params.stride_w);
    let c_first = (i - position * runs) * (COLUMNS / 4u);
    for (var c = c_first; c < min(c_first + COLUMNS / 4u, channels); c++) {
        var sum = vec4(0.0);
        for (var h_out = h_first; h_out < h_end; h_out++) {
            for (var w_out = w_first; w_out < w_end; w_out++) {
                let window = ((image * params.height_out + h_out) * params.width_out + w_out) * channels + c;
                sum += select(vec4(0.0), d_y[window], argmax[window] == at);
            }
        }
        d_x[position * channels + c] = sum;
    }
}
