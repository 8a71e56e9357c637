// max_pool_forward, four channels at once: the largest value of each window, and where it stood.
//   x [R, N, H, W, C], y [R, N, H_out, W_out, C], argmax [R, N, H_out, W_out, C] (h W + w in the plane of x);
//   C a multiple of 4
// One invocation per position and run of 16 channels: finding the place costs more than the maximum.
// y[h', w', c] = max of x[h, w, c] over h' s_h - p_h <= h < h' s_h - p_h + K_h, the same for w, within x.
// Padding never wins; of equals the first in row order wins; a NaN beats every number and the first NaN wins.
// uses shared/grid
// uses shared/max_pool

const COLUMNS: u32 = 16;

@group(0) @binding(0) var<uniform> params: MaxPool;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> argmax: array<vec4<u32>>;

// By its bits: WGSL may assume that there are no NaN, so value != value proves nothing.
fn is_nan(value: vec4<f32>) -> vec4<bool> {
    return (bitcast<vec4<u32>>(value) & vec4(0x7fffffffu)) > vec4(0x7f800000u);
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
    if i >= params.images * params.height_out * params.width_out * runs {
        return;
    }
    let position = i / runs;
    let line = position / params.width_out;
    let image = line / params.height_out;
    let w_padded = (position - line * params.width_out) * params.stride_w;
    let h_padded = (line - image * params.height_out) * params.stride_h;
    let plane = image * params.height * params.width;

    let h_first = max(h_padded, params.padding_h) - params.padding_h;
    let w_first = max(w_padded, params.padding_w) - params.padding_w;
    let h_end = min(h_padded + params.kernel_h - params.padding_h, params.height);
    let w_end = min(w_padded + params.kernel_w - params.padding_w, params.width);
    let c_first = (i - position * runs) * (COLUMNS / 4u);
    for (var c = c_first; c < min(c_first + COLUMNS / 4u, channels); c++) {
        var best = vec4(0.0);
        var best_at = vec4(0xffffffffu);
        for (var h = h_first; h < h_end; h++) {
            for (var w = w_first; w < w_end; w++) {
                let at = h * params.width + w;
                let value = x[(plane + at) * channels + c];
                let beats = ((value > best) | is_nan(value)) & !is_nan(best);
                let wins = beats | (best_at == vec4(0xffffffffu));
                best = select(best, value, wins);
                best_at = select(best_at, vec4(at), wins);
            }
        }
        y[position * channels + c] = best;
        argmax[position * channels + c] = best_at;
    }
}
