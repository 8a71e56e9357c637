// linear_forward, register blocks: y = x W + b and, if params.relu is 1, a ReLU behind it.
//   x [R, N, D_in], weight [R, D_in, D_out], bias [R, D_out], y [R, N, D_out]; D_in and D_out multiples of 4
// One invocation per block of 16 pictures by 8 outputs, held in registers; no barriers, no workgroup memory.
// y[n, o] = bias[o] + sum over i of x[n, i] weight[i, o]
// A step takes four i at once: with the columns w_k = weight[i + k, o .. o + 3] the matrix (w_0 w_1 w_2 w_3)
// times x[n, i .. i + 3] is the share of y[n, o .. o + 3].
// Past the end the last picture and outputs are computed again, and written again with the same bits.
// uses shared/grid
// uses shared/linear

const ROWS: u32 = 16;
const COLUMNS: u32 = 8;

@group(0) @binding(0) var<uniform> params: Linear;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> weight: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> bias: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> y: array<vec4<f32>>;

// weight[i .. i + 3, o .. o + 3] by columns of four outputs; `at` counts in vec4.
fn square(at: u32, row: u32) -> mat4x4<f32> {
    return mat4x4(weight[at], weight[at + row], weight[at + 2u * row], weight[at + 3u * row]);
}

// A NaN stays a NaN: max() may drop it.
fn activate(sum: vec4<f32>) -> vec4<f32> {
    return select(sum, vec4(0.0), (sum < vec4(0.0)) & vec4(params.relu == 1u));
}

fn store(at: u32, o0: u32, o1: u32, sum0: vec4<f32>, sum1: vec4<f32>) {
    y[at + o0] = activate(sum0);
    y[at + o1] = activate(sum1);
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
    let blocks_n = (params.batch + ROWS - 1u) / ROWS;
    let i = group_index(group, groups) * 32u + local;
    if i >= params.replicas * blocks_n * blocks_o {
        return;
    }
    // Neighbours take up to eight blocks of outputs; all pictures follow while these weights are in the cache.
    let beside = min(blocks_o & (~blocks_o + 1u), 8u); // largest power of two that divides
    let replica = i / blocks_o / blocks_n;
    let first = i / beside % blocks_n * ROWS;
    let last = params.batch - 1u;
    let o0 = (i / beside / blocks_n * beside + i % beside) % blocks_o * 2u;
    let o1 = min(o0 + 1u, d_out - 1u);

    let n0 = replica * params.batch + min(first + 0u, last);
    let n1 = replica * params.batch + min(first + 1u, last);
    let n2 = replica * params.batch + min(first + 2u, last);
    let n3 = replica * params.batch + min(first + 3u, last);
    let n4 = replica * params.batch + min(first + 4u, last);
    let n5 = replica * params.batch + min(first + 5u, last);
    let n6 = replica * params.batch + min(first + 6u, last);
    let n7 = replica * params.batch + min(first + 7u, last);
    let n8 = replica * params.batch + min(first + 8u, last);
    let n9 = replica * params.batch + min(first + 9u, last);
    let n10 = replica * params.batch + min(first + 10u, last);
    let n11 = replica * params.batch + min(first + 11u, last);
    let n12 = replica * params.batch + min(first + 12u, last);
    let n13 = replica * params.batch + min(first + 13u, last);
    let n14 = replica * params.batch + min(first + 14u, last);
    let n15 = replica * params.batch + min(first + 15u, last);
    let bias0 = bias[replica * d_out + o0];
    let bias1 = bias[replica * d_out + o1];
    var a0 = bias0; var b0 = bias1; var a1 = bias0; var b1 = bias1; var a2 = bias0; var b2 = bias1;
    var a3 = bias0; var b3 = bias1; var a4 = bias0; var b4 = bias1; var a5 = bias0; var b5 = bias1;
    var a6 = bias0; var b6 = bias1; var a7 = bias0; var b7 = bias1; var a8 = bias0; var b8 = bias1;
    var a9 = bias0; var b9 = bias1; var a10 = bias0; var b10 = bias1; var a11 = bias0; var b11 = bias1;
    var a12 = bias0; var b12 = bias1; var a13 = bias0; var b13 = bias1; var a14 = bias0; var b14 = bias1;
    var a15 = bias0; var b15 = bias1;

    var row = replica * params.features_in * d_out;
    for (var k = 0u; k < d_in; k++) {
        let w0 = square(row + o0, d_out);
        let w1 = square(row + o1, d_out);
        row += 4u * d_out;
        let x0 = x[n0 * d_in + k]; a0 += w0 * x0; b0 += w1 * x0;
        let x1 = x[n1 * d_in + k]; a1 += w0 * x1; b1 += w1 * x1;
        let x2 = x[n2 * d_in + k]; a2 += w0 * x2; b2 += w1 * x2;
        let x3 = x[n3 * d_in + k]; a3 += w0 * x3; b3 += w1 * x3;
        let x4 = x[n4 * d_in + k]; a4 += w0 * x4; b4 += w1 * x4;
        let x5 = x[n5 * d_in + k]; a5 += w0 * x5; b5 += w1 * x5;
        let x6 = x[n6 * d_in + k]; a6 += w0 * x6; b6 += w1 * x6;
        let x7 = x[n7 * d_in + k]; a7 += w0 * x7; b7 += w1 * x7;
        let x8 = x[n8 * d_in + k]; a8 += w0 * x8; b8 += w1 * x8;
        let x9 = x[n9 * d_in + k]; a9 += w0 * x9; b9 += w1 * x9;
        let x10 = x[n10 * d_in + k]; a10 += w0 * x10; b10 += w1 * x10;
        let x11 = x[n11 * d_in + k]; a11 += w0 * x11; b11 += w1 * x11;
        let x12 = x[n12 * d_in + k]; a12 += w0 * x12; b12 += w1 * x12;
        let x13 = x[n13 * d_in + k]; a13 += w0 * x13; b13 += w1 * x13;
        let x14 = x[n14 * d_in + k]; a14 += w0 * x14; b14 += w1 * x14;
        let x15 = x[n15 * d_in + k]; a15 += w0 * x15; b15 += w1 * x15;
    }

    store(n0 * d_out, o0, o1, a0, b0);
    store(n1 * d_out, o0, o1, a1, b1);
    store(n2 * d_out, o0, o1, a2, b2);
    store(n3 * d_out, o0, o1, a3, b3);
    store(n4 * d_out, o0, o1, a4, b4);
    store(n5 * d_out, o0, o1, a5, b5);
    store(n6 * d_out, o0, o1, a6, b6);
    store(n7 * d_out, o0, o1, a7, b7);
    store(n8 * d_out, o0, o1, a8, b8);
    store(n9 * d_out, o0, o1, a9, b9);
    store(n10 * d_out, o0, o1, a10, b10);
    store(n11 * d_out, o0, o1, a11, b11);
    store(n12 * d_out, o0, o1, a12, b12);
    store(n13 * d_out, o0, o1, a13, b13);
    store(n14 * d_out, o0, o1, a14, b14);
    store(n15 * d_out, o0, o1, a15, b15);
}
