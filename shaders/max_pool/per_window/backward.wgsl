// max_pool_backward where the windows tile x: gradient of a max pooling, each window spread over its own positions.
//   d_y [R, N, H_out, W_out, C], argmax [R, N, H_out, W_out, C] (h W + w), d_x [R, N, H, W, C];
//   C a multiple of 4, stride = kernel, no padding, H = H_out K_h, W = W_out K_w
// One invocation per window and run of 16 channels: finding the place costs more than the work there.
// Derivation: y[h', w', c] is the copy of the one x[h, w, c] that argmax names. Each position lies in exactly one window,
//   (h div K_h, w div K_w), so d_x[h, w, c] = d_y[h', w', c] where argmax is h W + w, else 0. Of d_y and argmax
//   each element is read once, not once per position.
// uses shared/grid
// uses shared/max_pool

const COLUMNS: u32 = 16;

@group(0) @binding(0) var<uniform> params: MaxPool;
@group(0) @binding(1) var<storage, read> d_y: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> argmax: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read_write> d_x: array<vec4<f32>>;

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
    let window = i / runs;
    let line = window / params.width_out;
    let image = line / params.height_out;
    let h_first = (line - image * params.height_out) * params.kernel_h;
    let w_first = (window - line * params.width_out) * params.kernel_w;
    let plane = image * params.height * params.width;
    let c_first = (i - window * runs) * (COLUMNS / 4u);
    for (var c = c_first; c < min(c_first + COLUMNS / 4u, channels); c++) {
        let slope = d_y[window * channels + c];
        let winner = argmax[window * channels + c];
        for (var h = h_first; h < h_first + params.kernel_h; h++) {
            for (var w = w_first; w < w_first + params.kernel_w; w++) {
                let at = h * params.width + w;
                d_x[(plane + at) * channels + c] = select(vec4(0.0), slope, winner == vec4(at));
            }
        }
    }
}
