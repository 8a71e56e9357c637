// conv2d_backward_weight, register blocks for a few input channels: gradient of a convolution with respect to
// its weight, in slices over the positions of y.
//   x [R, N, H, W, C_in], d_y [R, N, H_out, W_out, C_out], d_weight [R, S, K_h, K_w, C_in, C_out];
//   C_out a multiple of 4
// One invocation per block of 9 rows (kh, kw, c) by 16 columns o of d_weight, held in registers; no barriers.
// reduce_sum_slices adds the S slices. Nine rows are all of a 3 x 3 window of a grey picture.
// Derivation: weight[kh, kw, c, o] enters y[n, h', w', o] with the factor
// x[n, h' s_h + kh d_h - p_h, w' s_w + kw d_w - p_w, c], which is 0 outside of x. So
//   d_weight[kh, kw, c, o] = sum over n, h', w' of that factor times d_y[n, h', w', o].
// Slice s takes the positions from s slice_length on, in row order.
// Past the end the last rows and columns are computed again, and written again with the same bits.
// uses shared/grid
// uses shared/conv2d
// uses shared/conv2d_next

const ROWS: u32 = 9;
const COLUMNS: u32 = 16;

@group(0) @binding(0) var<uniform> params: Conv2d;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> d_y: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> d_weight: array<vec4<f32>>;

// Offset down, offset across and channel of one row of the weight.
fn taps(row: u32) -> vec3<u32> {
    let tap = row / params.channels_in;
    let across = tap % params.kernel_w * params.dilation_w;
    return vec3(tap / params.kernel_w * params.dilation_h, across, row % params.channels_in);
}

// The element of x that a tap meets at a position of y.
fn input(place: vec3<u32>, tap: vec3<u32>) -> f32 {
    let h = place.y * params.stride_h + tap.x - params.padding_h; // huge where it is below 0
    let w = place.z * params.stride_w + tap.y - params.padding_w;
    let at = ((place.x * params.height + h) * params.width + w) * params.channels_in + tap.z;
    let inside = h < params.height && w < params.width;
    return select(0.0, x[select(0u, at, inside)], inside);
}

fn store(at: u32, o: vec4<u32>, a: vec4<f32>, b: vec4<f32>, c: vec4<f32>, d: vec4<f32>) {
    d_weight[at + o.x] = a;
    d_weight[at + o.y] = b;
    d_weight[at + o.z] = c;
    d_weight[at + o.w] = d;
}

@compute @workgroup_size(32)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let c_out = params.channels_out / 4u; // in vec4
    let rows = params.kernel_h * params.kernel_w * params.channels_in;
    let blocks_o = (c_out + 3u) / 4u;
    let blocks_r = (rows + ROWS - 1u) / ROWS;
    let i = group_index(group, groups) * 32u + local;
    if i >= params.replicas * params.slices * blocks_r * blocks_o {
        return;
    }
    let slice = i / blocks_o / blocks_r; // counts on over the replicas
    let replica = slice / params.slices;
    let o = min(i % blocks_o * 4u + vec4(0u, 1u, 2u, 3u), vec4(c_out - 1u));
    let r = i / blocks_o % blocks_r * ROWS;
    //: for r in 0..ROWS
    let r$r = min(r + $(r)u, rows - 1u); let k$r = taps(r$r);
    //: end
    //: for r in 0..ROWS
    var a$r = vec4(0.0); var b$r = a$r; var c$r = a$r; var d$r = a$r;
    //: end

    let positions = params.batch * params.height_out * params.width_out;
    let first = slice % params.slices * params.slice_length;
    let end = min(first + params.slice_length, positions);
    let line = first / params.width_out;
    let image = replica * params.batch + line / params.height_out;
    var place = vec3(image, line % params.height_out, first % params.width_out);
    for (var p = first; p < end; p++) {
        let from_y = (replica * positions + p) * c_out;
        let g0 = d_y[from_y + o.x];
        let g1 = d_y[from_y + o.y];
        let g2 = d_y[from_y + o.z];
        let g3 = d_y[from_y + o.w];
        //: for r in 0..ROWS
        let x$r = input(place, k$r); a$r += g0 * x$r; b$r += g1 * x$r; c$r += g2 * x$r; d$r += g3 * x$r;
        //: end
        place = next(place);
    }

    let at = slice * rows * c_out;
    //: for r in 0..ROWS
    store(at + r$r * c_out, o, a$r, b$r, c$r, d$r);
    //: end
}
