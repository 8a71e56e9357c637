// linear_backward_input, register blocks: gradient of a linear layer with respect to its input.
//   d_y [R, N, D_out], weight [R, D_in, D_out], d_x [R, N, D_in]; D_in and D_out multiples of 4
// One invocation per block of 16 pictures by 8 inputs, held in registers; no barriers, no workgroup memory.
// Derivation: x[n, i] enters y[n, o] with the factor weight[i, o], so
//   d_x[n, i] = sum over o of d_y[n, o] weight[i, o], that is, d_x = d_y W^T.
// A step takes four o at once: with the columns w_k = weight[i + k, o .. o + 3] the row d_y[n, o .. o + 3]
// times the matrix (w_0 w_1 w_2 w_3) is the share of d_x[n, i .. i + 3].
// Past the end the last picture and the last inputs are computed again, and written again with the same bits.
// uses shared/grid
// uses shared/linear

const ROWS: u32 = 16;
const COLUMNS: u32 = 8;

@group(0) @binding(0) var<uniform> params: Linear;
@group(0) @binding(1) var<storage, read> d_y: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> weight: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> d_x: array<vec4<f32>>;

// weight[i .. i + 3, o .. o + 3] by columns of one input; `at` counts in vec4.
fn square(at: u32, row: u32) -> mat4x4<f32> {
    return mat4x4(weight[at], weight[at + row], weight[at + 2u * row], weight[at + 3u * row]);
}

@compute @workgroup_size(32)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let d_in = params.features_in / 4u; // both in vec4
    let d_out = params.features_out / 4u;
    let blocks_i = (d_in + 1u) / 2u;
    let blocks_n = (params.batch + ROWS - 1u) / ROWS;
    let i = group_index(group, groups) * 32u + local;
    if i >= params.replicas * blocks_n * blocks_i {
        return;
    }
    // Neighbours take up to eight blocks of inputs; all pictures follow while these weights are in the cache.
    let beside = min(blocks_i & (~blocks_i + 1u), 8u); // largest power of two that divides
    let replica = i / blocks_i / blocks_n;
    let first = i / beside % blocks_n * ROWS;
    let last = params.batch - 1u;
    let i0 = (i / beside / blocks_n * beside + i % beside) % blocks_i * 2u;
    let i1 = min(i0 + 1u, d_in - 1u);
    let row0 = (replica * params.features_in + 4u * i0) * d_out;
    let row1 = (replica * params.features_in + 4u * i1) * d_out;

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
    let zero = vec4(0.0);
    var a0 = zero; var b0 = zero; var a1 = zero; var b1 = zero; var a2 = zero; var b2 = zero;
    var a3 = zero; var b3 = zero; var a4 = zero; var b4 = zero; var a5 = zero; var b5 = zero;
    var a6 = zero; var b6 = zero; var a7 = zero; var b7 = zero; var a8 = zero; var b8 = zero;
    var a9 = zero; var b9 = zero; var a10 = zero; var b10 = zero; var a11 = zero; var b11 = zero;
    var a12 = zero; var b12 = zero; var a13 = zero; var b13 = zero; var a14 = zero; var b14 = zero;
    var a15 = zero; var b15 = zero;

    for (var k = 0u; k < d_out; k++) {
        let w0 = square(row0 + k, d_out);
        let w1 = square(row1 + k, d_out);
        let g0 = d_y[n0 * d_out + k]; a0 += g0 * w0; b0 += g0 * w1;
        let g1 = d_y[n1 * d_out + k]; a1 += g1 * w0; b1 += g1 * w1;
        let g2 = d_y[n2 * d_out + k]; a2 += g2 * w0; b2 += g2 * w1;
        let g3 = d_y[n3 * d_out + k]; a3 += g3 * w0; b3 += g3 * w1;
        let g4 = d_y[n4 * d_out + k]; a4 += g4 * w0; b4 += g4 * w1;
        let g5 = d_y[n5 * d_out + k]; a5 += g5 * w0; b5 += g5 * w1;
        let g6 = d_y[n6 * d_out + k]; a6 += g6 * w0; b6 += g6 * w1;
        let g7 = d_y[n7 * d_out + k]; a7 += g7 * w0; b7 += g7 * w1;
        let g8 = d_y[n8 * d_out + k]; a8 += g8 * w0; b8 += g8 * w1;
        let g9 = d_y[n9 * d_out + k]; a9 += g9 * w0; b9 += g9 * w1;
        let g10 = d_y[n10 * d_out + k]; a10 += g10 * w0; b10 += g10 * w1;
        let g11 = d_y[n11 * d_out + k]; a11 += g11 * w0; b11 += g11 * w1;
        let g12 = d_y[n12 * d_out + k]; a12 += g12 * w0; b12 += g12 * w1;
        let g13 = d_y[n13 * d_out + k]; a13 += g13 * w0; b13 += g13 * w1;
        let g14 = d_y[n14 * d_out + k]; a14 += g14 * w0; b14 += g14 * w1;
        let g15 = d_y[n15 * d_out + k]; a15 += g15 * w0; b15 += g15 * w1;
    }

    d_x[n0 * d_in + i0] = a0; d_x[n0 * d_in + i1] = b0;
    d_x[n1 * d_in + i0] = a1; d_x[n1 * d_in + i1] = b1;
    d_x[n2 * d_in + i0] = a2; d_x[n2 * d_in + i1] = b2;
    d_x[n3 * d_in + i0] = a3; d_x[n3 * d_in + i1] = b3;
    d_x[n4 * d_in + i0] = a4; d_x[n4 * d_in + i1] = b4;
    d_x[n5 * d_in + i0] = a5; d_x[n5 * d_in + i1] = b5;
    d_x[n6 * d_in + i0] = a6; d_x[n6 * d_in + i1] = b6;
    d_x[n7 * d_in + i0] = a7; d_x[n7 * d_in + i1] = b7;
    d_x[n8 * d_in + i0] = a8; d_x[n8 * d_in + i1] = b8;
    d_x[n9 * d_in + i0] = a9; d_x[n9 * d_in + i1] = b9;
    d_x[n10 * d_in + i0] = a10; d_x[n10 * d_in + i1] = b10;
    d_x[n11 * d_in + i0] = a11; d_x[n11 * d_in + i1] = b11;
    d_x[n12 * d_in + i0] = a12; d_x[n12 * d_in + i1] = b12;
    d_x[n13 * d_in + i0] = a13; d_x[n13 * d_in + i1] = b13;
    d_x[n14 * d_in + i0] = a14; d_x[n14 * d_in + i1] = b14;
    d_x[n15 * d_in + i0] = a15; d_x[n15 * d_in + i1] = b15;
}
