// conv2d_backward_weight, register blocks: gradient of a convolution with respect to its weight, in slices
// over the positions of y.
//   x [R, N, H, W, C_in], d_y [R, N, H_out, W_out, C_out], d_weight [R, S, K_h, K_w, C_in, C_out];
//   C_in and C_out multiples of 4
// One invocation per block of 16 rows (kh, kw, c) by 8 columns o of d_weight, held in registers; no barriers.
// reduce_sum_slices adds the S slices.
// Derivation: weight[kh, kw, c, o] enters y[n, h', w', o] with the factor
// x[n, h' s_h + kh d_h - p_h, w' s_w + kw d_w - p_w, c], which is 0 outside of x. So
//   d_weight[kh, kw, c, o] = sum over n, h', w' of that factor times d_y[n, h', w', o].
// A step takes four positions at once: the matrix with their d_y[.., o .. o + 3] as columns times their four
// x is the share of d_weight[.., o .. o + 3]. Slice s takes the positions from s slice_length on, in order.
// Past the end the last rows and columns are computed again, and written again with the same bits.
// uses shared/grid
// uses shared/conv2d

const ROWS: u32 = 16;
const COLUMNS: u32 = 8;

@group(0) @binding(0) var<uniform> params: Conv2d;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
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

// Offset down, offset across and first channel of four rows of the weight (C_in is a multiple of 4).
fn taps(quad: u32) -> vec3<u32> {
    let c_in = params.channels_in / 4u;
    let tap = quad / c_in;
    let across = tap % params.kernel_w * params.dilation_w;
    return vec3(tap / params.kernel_w * params.dilation_h, across, quad % c_in);
}

// The four channels of x that a tap meets at a position of y.
fn input(place: vec3<u32>, tap: vec3<u32>, within: bool) -> vec4<f32> {
    let h = place.y * params.stride_h + tap.x - params.padding_h; // huge where it is below 0
    let w = place.z * params.stride_w + tap.y - params.padding_w;
    let at = ((place.x * params.height + h) * params.width + w) * (params.channels_in / 4u) + tap.z;
    let inside = within && h < params.height && w < params.width;
    return select(vec4(0.0), x[select(0u, at, inside)], inside);
}

fn store(at: u32, o0: u32, o1: u32, sum0: vec4<f32>, sum1: vec4<f32>) {
    d_weight[at + o0] = sum0;
    d_weight[at + o1] = sum1;
}

@compute @workgroup_size(32)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let c_out = params.channels_out / 4u; // in vec4
    let quads = params.kernel_h * params.kernel_w * params.channels_in / 4u;
    let blocks_o = (c_out + 1u) / 2u;
    let blocks_q = (quads + 3u) / 4u;
    let i = group_index(group, groups) * 32u + local;
    if i >= params.replicas * params.slices * blocks_q * blocks_o {
        return;
    }
    let slice = i / blocks_o / blocks_q; // counts on over the replicas
    let replica = slice / params.slices;
    let o0 = i % blocks_o * 2u;
    let o1 = min(o0 + 1u, c_out - 1u);
    let q0 = i / blocks_o % blocks_q * 4u;
    let q1 = min(q0 + 1u, quads - 1u);
    let q2 = min(q0 + 2u, quads - 1u);
    let q3 = min(q0 + 3u, quads - 1u);
    let k0 = taps(q0); let k1 = taps(q1); let k2 = taps(q2); let k3 = taps(q3);

    let zero = vec4(0.0);
    var a0 = zero; var b0 = zero; var a1 = zero; var b1 = zero; var a2 = zero; var b2 = zero;
    var a3 = zero; var b3 = zero; var a4 = zero; var b4 = zero; var a5 = zero; var b5 = zero;
    var a6 = zero; var b6 = zero; var a7 = zero; var b7 = zero; var a8 = zero; var b8 = zero;
    var a9 = zero; var b9 = zero; var a10 = zero; var b10 = zero; var a11 = zero; var b11 = zero;
    var a12 = zero; var b12 = zero; var a13 = zero; var b13 = zero; var a14 = zero; var b14 = zero;
    var a15 = zero; var b15 = zero;

    let positions = params.batch * params.height_out * params.width_out;
    let first = slice % params.slices * params.slice_length;
    let end = min(first + params.slice_length, positions);
    let row = first / params.width_out;
    let image = replica * params.batch + row / params.height_out;
    var v0 = vec3(image, row % params.height_out, first % params.width_out);
    for (var p = first; p < end; p += 4u) {
        let v1 = next(v0); let v2 = next(v1); let v3 = next(v2);
        let at = (replica * positions + min(vec4(p, p + 1u, p + 2u, p + 3u), vec4(end - 1u))) * c_out;
        let g0 = mat4x4(d_y[at.x + o0], d_y[at.y + o0], d_y[at.z + o0], d_y[at.w + o0]);
        let g1 = mat4x4(d_y[at.x + o1], d_y[at.y + o1], d_y[at.z + o1], d_y[at.w + o1]);
        let in1 = p + 1u < end; let in2 = p + 2u < end; let in3 = p + 3u < end;
        let x0 = mat4x4(input(v0, k0, true), input(v1, k0, in1), input(v2, k0, in2), input(v3, k0, in3));
        let t0 = transpose(x0);
        a0 += g0 * t0[0]; b0 += g1 * t0[0];
        a1 += g0 * t0[1]; b1 += g1 * t0[1];
        a2 += g0 * t0[2]; b2 += g1 * t0[2];
        a3 += g0 * t0[3]; b3 += g1 * t0[3];
        let x1 = mat4x4(input(v0, k1, true), input(v1, k1, in1), input(v2, k1, in2), input(v3, k1, in3));
        let t1 = transpose(x1);
        a4 += g0 * t1[0]; b4 += g1 * t1[0];
        a5 += g0 * t1[1]; b5 += g1 * t1[1];
        a6 += g0 * t1[2]; b6 += g1 * t1[2];
        a7 += g0 * t1[3]; b7 += g1 * t1[3];
        let x2 = mat4x4(input(v0, k2, true), input(v1, k2, in1), input(v2, k2, in2), input(v3, k2, in3));
        let t2 = transpose(x2);
        a8 += g0 * t2[0]; b8 += g1 * t2[0];
        a9 += g0 * t2[1]; b9 += g1 * t2[1];
        a10 += g0 * t2[2]; b10 += g1 * t2[2];
        a11 += g0 * t2[3]; b11 += g1 * t2[3];
        let x3 = mat4x4(input(v0, k3, true), input(v1, k3, in1), input(v2, k3, in2), input(v3, k3, in3));
        let t3 = transpose(x3);
        a12 += g0 * t3[0]; b12 += g1 * t3[0];
        a13 += g0 * t3[1]; b13 += g1 * t3[1];
        a14 += g0 * t3[2]; b14 += g1 * t3[2];
        a15 += g0 * t3[3]; b15 += g1 * t3[3];
        v0 = next(v3);
    }

    let at = slice * 4u * quads * c_out;
    store(at + (4u * q0 + 0u) * c_out, o0, o1, a0, b0);
    store(at + (4u * q0 + 1u) * c_out, o0, o1, a1, b1);
    store(at + (4u * q0 + 2u) * c_out, o0, o1, a2, b2);
    store(at + (4u * q0 + 3u) * c_out, o0, o1, a3, b3);
    store(at + (4u * q1 + 0u) * c_out, o0, o1, a4, b4);
    store(at + (4u * q1 + 1u) * c_out, o0, o1, a5, b5);
    store(at + (4u * q1 + 2u) * c_out, o0, o1, a6, b6);
    store(at + (4u * q1 + 3u) * c_out, o0, o1, a7, b7);
    store(at + (4u * q2 + 0u) * c_out, o0, o1, a8, b8);
    store(at + (4u * q2 + 1u) * c_out, o0, o1, a9, b9);
    store(at + (4u * q2 + 2u) * c_out, o0, o1, a10, b10);
    store(at + (4u * q2 + 3u) * c_out, o0, o1, a11, b11);
    store(at + (4u * q3 + 0u) * c_out, o0, o1, a12, b12);
    store(at + (4u * q3 + 1u) * c_out, o0, o1, a13, b13);
    store(at + (4u * q3 + 2u) * c_out, o0, o1, a14, b14);
    store(at + (4u * q3 + 3u) * c_out, o0, o1, a15, b15);
}
