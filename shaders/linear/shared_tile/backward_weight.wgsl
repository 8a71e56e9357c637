// linear_backward_weight, shared tiles: gradient of a linear layer with respect to its weight, in slices over the batch.
//   x [R, N, D_in], d_y [R, N, D_out], d_weight [R, S, D_in, D_out]
// One workgroup per tile of 64 inputs by 64 outputs, both factors in workgroup memory: for devices with thousands of
// lanes, where 16 outputs to an invocation share the work out widely and the next memory is the slow part.
// reduce_sum_slices adds the S slices.
// Derivation: weight[i, o] enters y[n, o] with the factor x[n, i], so
//   d_weight[i, o] = sum over n of x[n, i] d_y[n, o], that is, d_W = x^T d_y.
// Slice s takes the pictures from s slice_length on, in order.
// uses shared/grid
// uses shared/linear
// uses shared/tile

@group(0) @binding(0) var<uniform> params: Linear;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> d_y: array<f32>;
@group(0) @binding(3) var<storage, read_write> d_weight: array<f32>;

fn left(replica: u32, i: u32, n: u32, end: u32) -> f32 {
    let inside = n < end && i < params.features_in;
    return select(0.0, x[select(0u, (replica * params.batch + n) * params.features_in + i, inside)], inside);
}

fn right(replica: u32, n: u32, o: u32, end: u32) -> f32 {
    let inside = n < end && o < params.features_out;
    return select(0.0, d_y[select(0u, (replica * params.batch + n) * params.features_out + o, inside)], inside);
}

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let blocks_o = (params.features_out + COLUMNS - 1u) / COLUMNS;
    let blocks_i = (params.features_in + ROWS - 1u) / ROWS;
    let block = group_index(group, groups);
    if block >= params.replicas * params.slices * blocks_i * blocks_o {
        return;
    }
    let slice = block / blocks_o / blocks_i; // counts on over the replicas
    let replica = slice / params.slices;
    let first_column = block % blocks_o * COLUMNS;
    let first_row = block / blocks_o % blocks_i * ROWS;
    let begin = slice % params.slices * params.slice_length;
    let end = min(begin + params.slice_length, params.batch);

    var sums = mat4x4<f32>();
    for (var k = begin; k < end; k += DEPTH) {
        let i = first_row + local % 16u * 4u;
        let o = first_column + local % 16u * 4u;
        let n = k + local / 16u;
        left_tile[local / 16u * LINE + local % 16u] = vec4(
            //: for j in 0..4
            left(replica, i + $(j)u, n, end),
            //: end
        );
        right_tile[local / 16u * LINE + local % 16u] = vec4(
            //: for j in 0..4
            right(replica, n, o + $(j)u, end),
            //: end
        );
        workgroupBarrier();
        sums = multiplied(local, sums);
        workgroupBarrier();
    }

    let row = first_row + 4u * (local / 16u);
    let column = first_column + 4u * (local % 16u);
    //: for r in 0..4
    if row + $(r)u < params.features_in {
        let at = (slice * params.features_in + row + $(r)u) * params.features_out;
        //: for c in 0..4
        if column + $(c)u < params.features_out {
            d_weight[at + column + $(c)u] = sums[$r][$c];
        }
        //: end
    }
    //: end
}
