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

const ROWS: u32 = 9;
const COLUMNS: u32 = 16;

@group(0) @binding(0) var<uniform> params: Conv2d;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> d_y: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> d_weight: array<vec4<f32>>;

// Picture, row and column of y that follow; the counting replaces a division.
fn next(place: vec3<u32>) -> vec3<u32> {
    var after = place + vec3(0u, 0u, 1u);
    if after.z == params.width_out {
        after = vec3(place.x, place.y + 1u, 0u);
    }
    if after.y == params.height_out {
        after = vec3(place.x + 1u, 0u, 0u);
    }
    return after;
}

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
    let r0 = min(r + 0u, rows - 1u); let k0 = taps(r0);
    let r1 = min(r + 1u, rows - 1u); let k1 = taps(r1);
    let r2 = min(r + 2u, rows - 1u); let k2 = taps(r2);
    let r3 = min(r + 3u, rows - 1u); let k3 = taps(r3);
    let r4 = min(r + 4u, rows - 1u); let k4 = taps(r4);
    let r5 = min(r + 5u, rows - 1u); let k5 = taps(r5);
    let r6 = min(r + 6u, rows - 1u); let k6 = taps(r6);
    let r7 = min(r + 7u, rows - 1u); let k7 = taps(r7);
    let r8 = min(r + 8u, rows - 1u); let k8 = taps(r8);
    var a0 = vec4(0.0); var b0 = a0; var c0 = a0; var d0 = a0;
    var a1 = vec4(0.0); var b1 = a1; var c1 = a1; var d1 = a1;
    var a2 = vec4(0.0); var b2 = a2; var c2 = a2; var d2 = a2;
    var a3 = vec4(0.0); var b3 = a3; var c3 = a3; var d3 = a3;
    var a4 = vec4(0.0); var b4 = a4; var c4 = a4; var d4 = a4;
    var a5 = vec4(0.0); var b5 = a5; var c5 = a5; var d5 = a5;
    var a6 = vec4(0.0); var b6 = a6; var c6 = a6; var d6 = a6;
    var a7 = vec4(0.0); var b7 = a7; var c7 = a7; var d7 = a7;
    var a8 = vec4(0.0); var b8 = a8; var c8 = a8; var d8 = a8;

    let positions = params.batch * params.height_out * params.width_out;
    let first = slice % params.slices * params.slice_length;
    let end = min(first + params.slice_length, positions);
    let line = first / params.width_out;
    let image = replica * params.batch + line / params.height_out;
    var place = vec3(image, line % params.height_out, first % params.width_out);
    for (var p = first; p < end; p++) {
        let from_y = (replica * positions + p) * c_out;
        let g0 = d_y[from_y + o.x]; let g1 = d_y[from_y + o.y];
        let g2 = d_y[from_y + o.z]; let g3 = d_y[from_y + o.w];
        let x0 = input(place, k0);
        a0 += g0 * x0; b0 += g1 * x0; c0 += g2 * x0; d0 += g3 * x0;
        let x1 = input(place, k1);
        a1 += g0 * x1; b1 += g1 * x1; c1 += g2 * x1; d1 += g3 * x1;
        let x2 = input(place, k2);
        a2 += g0 * x2; b2 += g1 * x2; c2 += g2 * x2; d2 += g3 * x2;
        let x3 = input(place, k3);
        a3 += g0 * x3; b3 += g1 * x3; c3 += g2 * x3; d3 += g3 * x3;
        let x4 = input(place, k4);
        a4 += g0 * x4; b4 += g1 * x4; c4 += g2 * x4; d4 += g3 * x4;
        let x5 = input(place, k5);
        a5 += g0 * x5; b5 += g1 * x5; c5 += g2 * x5; d5 += g3 * x5;
        let x6 = input(place, k6);
        a6 += g0 * x6; b6 += g1 * x6; c6 += g2 * x6; d6 += g3 * x6;
        let x7 = input(place, k7);
        a7 += g0 * x7; b7 += g1 * x7; c7 += g2 * x7; d7 += g3 * x7;
        let x8 = input(place, k8);
        a8 += g0 * x8; b8 += g1 * x8; c8 += g2 * x8; d8 += g3 * x8;
        place = next(place);
    }

    let at = slice * rows * c_out;
    store(at + r0 * c_out, o, a0, b0, c0, d0);
    store(at + r1 * c_out, o, a1, b1, c1, d1);
    store(at + r2 * c_out, o, a2, b2, c2, d2);
    store(at + r3 * c_out, o, a3, b3, c3, d3);
    store(at + r4 * c_out, o, a4, b4, c4, d4);
    store(at + r5 * c_out, o, a5, b5, c5, d5);
    store(at + r6 * c_out, o, a6, b6, c6, d6);
    store(at + r7 * c_out, o, a7, b7, c7, d7);
    store(at + r8 * c_out, o, a8, b8, c8, d8);
}
