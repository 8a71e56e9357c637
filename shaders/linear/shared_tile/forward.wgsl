// linear_forward, shared tiles: y = x W + b and, if params.relu is 1, a ReLU behind it.
//   x [R, N, D_in], weight [R, D_in, D_out], bias [R, D_out], y [R, N, D_out]
// One workgroup per tile of 64 pictures by 64 outputs, both factors in workgroup memory: for devices with thousands of
// lanes, where 16 outputs to an invocation share the work out widely and the next memory is the slow part.
// y[n, o] = bias[o] + sum over i of x[n, i] weight[i, o]
// uses shared/grid
// uses shared/linear
// uses shared/tile
// uses shared/activate

@group(0) @binding(0) var<uniform> params: Linear;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> weight: array<f32>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;

fn left(replica: u32, n: u32, i: u32) -> f32 {
    let inside = n < params.batch && i < params.features_in;
    return select(0.0, x[select(0u, (replica * params.batch + n) * params.features_in + i, inside)], inside);
}

fn right(replica: u32, i: u32, o: u32) -> f32 {
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
    let blocks_o = (params.features_out + COLUMNS - 1u) / COLUMNS;
    let blocks_n = (params.batch + ROWS - 1u) / ROWS;
    let block = group_index(group, groups);
    if block >= params.replicas * blocks_n * blocks_o {
        return;
    }
    let first_column = block % blocks_o * COLUMNS;
    let first_row = block / blocks_o % blocks_n * ROWS;
    let replica = block / blocks_o / blocks_n;

    var sums = mat4x4<f32>();
    for (var k = 0u; k < params.features_in; k += DEPTH) {
        let n = first_row + local / 16u * 4u;
        let o = first_column + local % 16u * 4u;
        left_tile[local % 16u * LINE + local / 16u] = vec4(
            //: for j in 0..4
            left(replica, n + $(j)u, k + local % 16u),
            //: end
        );
        right_tile[local / 16u * LINE + local % 16u] = vec4(
            //: for j in 0..4
            right(replica, k + local / 16u, o + $(j)u),
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
        let at = (replica * params.batch + row + $(r)u) * params.features_out;
        //: for c in 0..4
        if column + $(c)u < params.features_out {
            y[at + column + $(c)u] = activate(sums[$r][$c] + bias[replica * params.features_out + column + $(c)u]);
        }
        //: end
    }
    //: end
}
