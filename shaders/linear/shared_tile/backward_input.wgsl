// linear_backward_input, shared tiles: gradient of a linear layer with respect to its input.
//   d_y [R, N, D_out], weight [R, D_in, D_out], d_x [R, N, D_in]
// One workgroup per tile of 64 pictures by 64 inputs, both factors in workgroup memory: for devices with thousands of
// lanes, where 16 outputs to an invocation share the work out widely and the next memory is the slow part.
// Derivation: x[n, i] enters y[n, o] with the factor weight[i, o], so
//   d_x[n, i] = sum over o of d_y[n, o] weight[i, o], that is, d_x = d_y W^T.
// uses shared/grid
// uses shared/linear
// uses shared/tile

@group(0) @binding(0) var<uniform> params: Linear;
@group(0) @binding(1) var<storage, read> d_y: array<f32>;
@group(0) @binding(2) var<storage, read> weight: array<f32>;
@group(0) @binding(3) var<storage, read_write> d_x: array<f32>;

fn left(replica: u32, n: u32, o: u32) -> f32 {
    let inside = n < params.batch && o < params.features_out;
    return select(0.0, d_y[select(0u, (replica * params.batch + n) * params.features_out + o, inside)], inside);
}

fn right(replica: u32, o: u32, i: u32) -> f32 {
    let inside = i < params.features_in && o < params.features_out;
    let at = (replica * params.features_in + i) * params.features_out + o;
    return select(0.0, weight[select(0u, at, inside)], inside);
}

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let blocks_i = (params.features_in + COLUMNS - 1u) / COLUMNS;
    let blocks_n = (params.batch + ROWS - 1u) / ROWS;
    let block = group_index(group, groups);
    if block >= params.replicas * blocks_n * blocks_i {
        return;
    }
    let first_column = block % blocks_i * COLUMNS;
    let first_row = block / blocks_i % blocks_n * ROWS;
    let replica = block / blocks_i / blocks_n;

    var sums = mat4x4<f32>();
    for (var k = 0u; k < params.features_out; k += DEPTH) {
        let n = first_row + local / 16u * 4u;
        let i = first_column + local / 16u * 4u;
        let o = k + local % 16u;
        left_tile[local % 16u * LINE + local / 16u] = vec4(
            //: for j in 0..4
            left(replica, n + $(j)u, o),
            //: end
        );
        right_tile[local % 16u * LINE + local / 16u] = vec4(
            //: for j in 0..4
            right(replica, o, i + $(j)u),
            //: end
        );
        workgroupBarrier();
        sums = multiplied(local, sums);
        workgroupBarrier();
    }

    let row = first_row + 4u * (local / 16u);
    let column = first_column + 4u * (local % 16u);
    //: for r in 0..4
    if row + $(r)u < params.batch {
        let at = (replica * params.batch + row + $(r)u) * params.features_in;
        //: for c in 0..4
        if column + $(c)u < params.features_in {
            d_x[at + column + $(c)u] = sums[$r][$c];
        }
        //: end
    }
    //: end
}
