// linear_backward_weight, subgroup: gradient of a linear layer with respect to its weight, in slices over the batch.
//   x [R, N, D_in], d_y [R, N, D_out], d_weight [R, S, D_in, D_out]; D_in and D_out multiples of 4
// One subgroup per block of 4 · SUBGROUP_SIZE inputs by 32 outputs, each lane with four inputs in registers. A lane
// loads x for its own inputs and its share of d_y, which goes round by broadcast. reduce_sum_slices adds the S slices.
// Derivation: weight[i, o] enters y[n, o] with the factor x[n, i], so
//   d_weight[i, o] = sum over n of x[n, i] d_y[n, o], that is, d_W = x^T d_y.
// A step takes four n at once: the matrix with the columns d_y[n .. n + 3, o .. o + 3] times x[n .. n + 3, i]
// is the share of d_weight[i, o .. o + 3]. Slice s takes the pictures from s slice_length on, in order.
// Past the end the last inputs and outputs are computed again but not written; all lanes stay to the end.
// uses shared/grid
// uses shared/linear

const ROWS: u32 = 4 * SUBGROUP_SIZE;
const COLUMNS: u32 = 32;
const QUADS: u32 = COLUMNS / 4;
const LOADS: u32 = (COLUMNS + SUBGROUP_SIZE - 1) / SUBGROUP_SIZE;

@group(0) @binding(0) var<uniform> params: Linear;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> d_y: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> d_weight: array<vec4<f32>>;

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

@compute @workgroup_size(SUBGROUP_SIZE)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(subgroup_invocation_id) lane: u32,
) {
    let d_in = params.features_in / 4u; // both in vec4
    let d_out = params.features_out / 4u;
    let blocks_o = (d_out + QUADS - 1u) / QUADS;
    let blocks_i = (params.features_in + ROWS - 1u) / ROWS;
    let i = group_index(group, groups);
    if i >= params.replicas * params.slices * blocks_i * blocks_o {
        return;
    }
    let slice = i / blocks_o / blocks_i; // counts on over the replicas
    let replica = slice / params.slices;
    let o = i % blocks_o * QUADS;
    let own = i / blocks_o % blocks_i * (ROWS / 4u) + lane; // in vec4
    //: for r in 0..4
    //: for q in 0..QUADS
    var a$(r)_$q = vec4(0.0);
    //: end
    //: end
    // Four pictures by COLUMNS outputs are COLUMNS vec4; a lane loads LOADS of them.
    //: for l in 0..LOADS
    let t$l = min(lane + $(l * SUBGROUP_SIZE)u, COLUMNS - 1u);
    let o$l = min(o + t$l % QUADS, d_out - 1u);
    //: end

    let first = slice % params.slices * params.slice_length;
    let end = min(first + params.slice_length, params.batch);
    for (var k = first; k < end; k += 4u) {
        //: for l in 0..LOADS
        let g$l = d_y[(replica * params.batch + min(k + t$l / QUADS, end - 1u)) * d_out + o$l];
        //: end
        let four = vec4(k, k + 1u, k + 2u, k + 3u);
        let n = replica * params.batch + min(four, vec4(end - 1u));
        let x_t = inputs(n, min(own, d_in - 1u), four < vec4(end));
        //: for q in 0..QUADS
        let square$q = mat4x4(
            //: for n in 0..4
            subgroupBroadcast(g$((n * QUADS + q) / SUBGROUP_SIZE), $((n * QUADS + q) % SUBGROUP_SIZE)u),
            //: end
        );
        //: for r in 0..4
        a$(r)_$q += square$q * x_t[$r];
        //: end
        //: end
    }

    if own < d_in {
        let at = (slice * params.features_in + 4u * own) * d_out + o;
        //: for q in 0..QUADS
        if o + $(q)u < d_out {
            //: for r in 0..4
            d_weight[at + $(r)u * d_out + $(q)u] = a$(r)_$q;
            //: end
        }
        //: end
    }
}
