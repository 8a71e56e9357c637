// linear_backward_input, subgroup: gradient of a linear layer with respect to its input.
//   d_y [R, N, D_out], weight [R, D_in, D_out], d_x [R, N, D_in]; D_in and D_out multiples of 4
// One subgroup per block of 8 · SUBGROUP_SIZE pictures by 32 inputs, each lane with eight pictures, SUBGROUP_SIZE
// apart, in registers. A lane loads d_y for its own pictures and its share of the weights; these go round by broadcast.
// Derivation: x[n, i] enters y[n, o] with the factor weight[i, o], so
//   d_x[n, i] = sum over o of d_y[n, o] weight[i, o], that is, d_x = d_y W^T.
// A step takes four o at once: with the columns w_k = weight[i + k, o .. o + 3] the row d_y[n, o .. o + 3]
// times the matrix (w_0 w_1 w_2 w_3) is the share of d_x[n, i .. i + 3].
// Past the end the last picture and inputs are computed again but not written; all lanes stay to the end.
// uses shared/grid
// uses shared/linear

const HELD: u32 = 8;
const ROWS: u32 = HELD * SUBGROUP_SIZE;
const COLUMNS: u32 = 32;
const QUADS: u32 = COLUMNS / 4;
const LOADS: u32 = (COLUMNS + SUBGROUP_SIZE - 1) / SUBGROUP_SIZE;

@group(0) @binding(0) var<uniform> params: Linear;
@group(0) @binding(1) var<storage, read> d_y: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> weight: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> d_x: array<vec4<f32>>;

@compute @workgroup_size(SUBGROUP_SIZE)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(subgroup_invocation_id) lane: u32,
) {
    let d_in = params.features_in / 4u; // both in vec4
    let d_out = params.features_out / 4u;
    let blocks_i = (d_in + QUADS - 1u) / QUADS;
    let blocks_n = (params.batch + ROWS - 1u) / ROWS;
    let i = group_index(group, groups);
    if i >= params.replicas * blocks_n * blocks_i {
        return;
    }
    let column = i % blocks_i * QUADS;
    let first = i / blocks_i % blocks_n * ROWS + lane;
    let replica = i / blocks_i / blocks_n;
    //: for v in 0..HELD
    let g_at$v = (replica * params.batch + min(first + $(v * SUBGROUP_SIZE)u, params.batch - 1u)) * d_out;
    //: for q in 0..QUADS
    var a$(v)_$q = vec4(0.0);
    //: end
    //: end
    // Four outputs of COLUMNS inputs are COLUMNS vec4; a lane loads LOADS of them.
    //: for l in 0..LOADS
    let t$l = 4u * column + min(lane + $(l * SUBGROUP_SIZE)u, COLUMNS - 1u);
    let w_at$l = (replica * params.features_in + min(t$l, params.features_in - 1u)) * d_out;
    //: end

    for (var k = 0u; k < d_out; k++) {
        //: for l in 0..LOADS
        let w$l = weight[w_at$l + k];
        //: end
        //: for v in 0..HELD
        let g$v = d_y[g_at$v + k];
        //: end
        //: for q in 0..QUADS
        let square$q = mat4x4(
            //: for k in 0..4
            subgroupBroadcast(w$((4 * q + k) / SUBGROUP_SIZE), $((4 * q + k) % SUBGROUP_SIZE)u),
            //: end
        );
        //: for v in 0..HELD
        a$(v)_$q += g$v * square$q;
        //: end
        //: end
    }

    //: for v in 0..HELD
    if first + $(v * SUBGROUP_SIZE)u < params.batch {
        let at = (replica * params.batch + first + $(v * SUBGROUP_SIZE)u) * d_in + column;
        //: for q in 0..QUADS
        if column + $(q)u < d_in {
            d_x[at + $(q)u] = a$(v)_$q;
        }
        //: end
    }
    //: end
}
