// linear_forward, register blocks: y = x W + b and, if params.relu is 1, a ReLU behind it.
//   x [R, N, D_in], weight [R, D_in, D_out], bias [R, D_out], y [R, N, D_out]; D_in and D_out multiples of 4
// One invocation per block of 16 pictures by 8 outputs, held in registers; no barriers, no workgroup memory.
// y[n, o] = bias[o] + sum over i of x[n, i] weight[i, o]
// A step takes four i at once: with the columns w_k = weight[i + k, o .. o + 3] the matrix (w_0 w_1 w_2 w_3)
// times x[n, i .. i + 3] is the share of y[n, o .. o + 3].
// Past the end the last picture and outputs are computed again, and written again with the same bits.
// uses shared/grid
// uses shared/linear
// uses shared/activate_vec4
// uses shared/square

const ROWS: u32 = 16;
const COLUMNS: u32 = 8;

@group(0) @binding(0) var<uniform> params: Linear;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> weight: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> bias: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> y: array<vec4<f32>>;

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

    //: for r in 0..ROWS
    let n$r = replica * params.batch + min(first + $(r)u, last);
    //: end
    let bias0 = bias[replica * d_out + o0];
    let bias1 = bias[replica * d_out + o1];
    //: for r in 0..ROWS
    var a$r = bias0; var b$r = bias1;
    //: end

    var row = replica * params.features_in * d_out;
    for (var k = 0u; k < d_in; k++) {
        let w0 = square(row + o0, d_out);
        let w1 = square(row + o1, d_out);
        row += 4u * d_out;
        //: for r in 0..ROWS
        let x$r = x[n$r * d_in + k]; a$r += w0 * x$r; b$r += w1 * x$r;
        //: end
    }

    //: for r in 0..ROWS
    store(n$r * d_out, o0, o1, a$r, b$r);
    //: end
}
