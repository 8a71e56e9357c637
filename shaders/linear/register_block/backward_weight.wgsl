// linear_backward_weight, register blocks: gradient of a linear layer with respect to its weight, in slices
// over the batch.
//   x [R, N, D_in], d_y [R, N, D_out], d_weight [R, S, D_in, D_out]; D_in and D_out multiples of 4
// One invocation per block of 16 inputs by 8 outputs, held in registers; no barriers, no workgroup memory.
// reduce_sum_slices adds the S slices.
// Derivation: weight[i, o] enters y[n, o] with the factor x[n, i], so
//   d_weight[i, o] = sum over n of x[n, i] d_y[n, o], that is, d_W = x^T d_y.
// A step takes four n at once: the matrix with the columns d_y[n .. n + 3, o .. o + 3] times x[n .. n + 3, i]
// is the share of d_weight[i, o .. o + 3]. Slice s takes the pictures from s slice_length on, in order.
// Past the end the last inputs and outputs are computed again, and written again with the same bits.
// uses shared/grid
// uses shared/linear

const ROWS: u32 = 16;
const COLUMNS: u32 = 8;

@group(0) @binding(0) var<uniform> params: Linear;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> d_y: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> d_weight: array<vec4<f32>>;

// d_y of four pictures, one to a column.
fn outputs(n: vec4<u32>, o: u32) -> mat4x4<f32> {
    let at = n * (params.features_out / 4u) + o;
    return mat4x4(d_y[at.x], d_y[at.y], d_y[at.z], d_y[at.w]);
}

// Four inputs of four pictures, one input to a column; 0 for a picture past the end.
fn inputs(n: vec4<u32>, i: u32, within: vec4<bool>) -> mat4x4<f32> {
    let at = n * (params.features_in / 4u) + i;
    let zero = vec4(0.0);
    return transpose(mat4x4(
        x[at.x],
        select(zero, x[at.y], within.y),
        select(zero, x[at.z], within.z),
        select(zero, x[at.w], within.w),
    ));
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
    let d_in = params.features_in / 4u; // both in vec4
    let d_out = params.features_out / 4u;
    let blocks_o = (d_out + 1u) / 2u;
    let blocks_i = (d_in + 3u) / 4u;
    let i = group_index(group, groups) * 32u + local;
    if i >= params.replicas * params.slices * blocks_i * blocks_o {
        return;
    }
    let slice = i / blocks_o / blocks_i; // counts on over the replicas
    let replica = slice / params.slices;
    let o0 = i % blocks_o * 2u;
    let o1 = min(o0 + 1u, d_out - 1u);
    let i0 = i / blocks_o % blocks_i * 4u;
    let i1 = min(i0 + 1u, d_in - 1u);
    let i2 = min(i0 + 2u, d_in - 1u);
    let i3 = min(i0 + 3u, d_in - 1u);

    let zero = vec4(0.0);
    var a0 = zero; var b0 = zero; var a1 = zero; var b1 = zero; var a2 = zero; var b2 = zero;
    var a3 = zero; var b3 = zero; var a4 = zero; var b4 = zero; var a5 = zero; var b5 = zero;
    var a6 = zero; var b6 = zero; var a7 = zero; var b7 = zero; var a8 = zero; var b8 = zero;
    var a9 = zero; var b9 = zero; var a10 = zero; var b10 = zero; var a11 = zero; var b11 = zero;
    var a12 = zero; var b12 = zero; var a13 = zero; var b13 = zero; var a14 = zero; var b14 = zero;
    var a15 = zero; var b15 = zero;

    let first = slice % params.slices * params.slice_length;
    let end = min(first + params.slice_length, params.batch);
    for (var k = first; k < end; k += 4u) {
        let four = vec4(k, k + 1u, k + 2u, k + 3u);
        let within = four < vec4(end);
        let n = replica * params.batch + min(four, vec4(end - 1u));
        let g0 = outputs(n, o0);
        let g1 = outputs(n, o1);
        let t0 = inputs(n, i0, within);
        a0 += g0 * t0[0]; b0 += g1 * t0[0];
        a1 += g0 * t0[1]; b1 += g1 * t0[1];
        a2 += g0 * t0[2]; b2 += g1 * t0[2];
        a3 += g0 * t0[3]; b3 += g1 * t0[3];
        let t1 = inputs(n, i1, within);
        a4 += g0 * t1[0]; b4 += g1 * t1[0];
        a5 += g0 * t1[1]; b5 += g1 * t1[1];
        a6 += g0 * t1[2]; b6 += g1 * t1[2];
        a7 += g0 * t1[3]; b7 += g1 * t1[3];
        let t2 = inputs(n, i2, within);
        a8 += g0 * t2[0]; b8 += g1 * t2[0];
        a9 += g0 * t2[1]; b9 += g1 * t2[1];
        a10 += g0 * t2[2]; b10 += g1 * t2[2];
        a11 += g0 * t2[3]; b11 += g1 * t2[3];
        let t3 = inputs(n, i3, within);
        a12 += g0 * t3[0]; b12 += g1 * t3[0];
        a13 += g0 * t3[1]; b13 += g1 * t3[1];
        a14 += g0 * t3[2]; b14 += g1 * t3[2];
        a15 += g0 * t3[3]; b15 += g1 * t3[3];
    }

    let at = slice * params.features_in * d_out;
    store(at + (4u * i0 + 0u) * d_out, o0, o1, a0, b0);
    store(at + (4u * i0 + 1u) * d_out, o0, o1, a1, b1);
    store(at + (4u * i0 + 2u) * d_out, o0, o1, a2, b2);
    store(at + (4u * i0 + 3u) * d_out, o0, o1, a3, b3);
    store(at + (4u * i1 + 0u) * d_out, o0, o1, a4, b4);
    store(at + (4u * i1 + 1u) * d_out, o0, o1, a5, b5);
    store(at + (4u * i1 + 2u) * d_out, o0, o1, a6, b6);
    store(at + (4u * i1 + 3u) * d_out, o0, o1, a7, b7);
    store(at + (4u * i2 + 0u) * d_out, o0, o1, a8, b8);
    store(at + (4u * i2 + 1u) * d_out, o0, o1, a9, b9);
    store(at + (4u * i2 + 2u) * d_out, o0, o1, a10, b10);
    store(at + (4u * i2 + 3u) * d_out, o0, o1, a11, b11);
    store(at + (4u * i3 + 0u) * d_out, o0, o1, a12, b12);
    store(at + (4u * i3 + 1u) * d_out, o0, o1, a13, b13);
    store(at + (4u * i3 + 2u) * d_out, o0, o1, a14, b14);
    store(at + (4u * i3 + 3u) * d_out, o0, o1, a15, b15);
}
