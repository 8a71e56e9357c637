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
// uses shared/square

const ROWS: u32 = 16;
const COLUMNS: u32 = 8;

@group(0) @binding(0) var<uniform> params: Linear;
@group(0) @binding(1) var<storage, read> d_y: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> weight: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> d_x: array<vec4<f32>>;

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

    //: for r in 0..ROWS
    let n$r = replica * params.batch + min(first + $(r)u, last);
    //: end
    let zero = vec4(0.0);
    //: for r in 0..ROWS
    var a$r = zero; var b$r = zero;
    //: end

    for (var k = 0u; k < d_out; k++) {
        let w0 = square(row0 + k, d_out);
        let w1 = square(row1 + k, d_out);
        //: for r in 0..ROWS
        let g$r = d_y[n$r * d_out + k]; a$r += g$r * w0; b$r += g$r * w1;
        //: end
    }

    //: for r in 0..ROWS
    d_x[n$r * d_in + i0] = a$r; d_x[n$r * d_in + i1] = b$r;
    //: end
}
