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
    //: for r in 0..ROWS
    var a$r = zero; var b$r = zero;
    //: end

    let first = slice % params.slices * params.slice_length;
    let end = min(first + params.slice_length, params.batch);
    for (var k = first; k < end; k += 4u) {
        let four = vec4(k, k + 1u, k + 2u, k + 3u);
        let within = four < vec4(end);
        let n = replica * params.batch + min(four, vec4(end - 1u));
        let g0 = outputs(n, o0);
        let g1 = outputs(n, o1);
        //: for q in 0..4
        let t$q = inputs(n, i$q, within);
        //: for r in 0..4
        a$(4 * q + r) += g0 * t$(q)[$r]; b$(4 * q + r) += g1 * t$(q)[$r];
        //: end
        //: end
    }

    let at = slice * params.features_in * d_out;
    //: for q in 0..4
    //: for r in 0..4
    store(at + (4u * i$q + $(r)u) * d_out, o0, o1, a$(4 * q + r), b$(4 * q + r));
    //: end
    //: end
}
