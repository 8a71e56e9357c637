// linear_forward, subgroup: y = x W + b and, if params.relu is 1, a ReLU behind it.
//   x [R, N, D_in], weight [R, D_in, D_out], bias [R, D_out], y [R, N, D_out]; D_in and D_out multiples of 4
// One subgroup per block of 8 · SUBGROUP_SIZE pictures by 32 outputs, each lane with eight pictures, SUBGROUP_SIZE
// apart, in registers. A lane loads x for its own pictures and its share of the weights; these go round by broadcast,
// because a load costs a software adapter many times as much.
// y[n, o] = bias[o] + sum over i of x[n, i] weight[i, o]
// A step takes four i at once: with the columns w_k = weight[i + k, o .. o + 3] the matrix (w_0 w_1 w_2 w_3)
// times x[n, i .. i + 3] is the share of y[n, o .. o + 3].
// Past the end the last picture and outputs are computed again but not written; all lanes stay to the end.
// uses shared/grid
// uses shared/linear
// uses shared/activate_vec4

const HELD: u32 = 8;
const ROWS: u32 = HELD * SUBGROUP_SIZE;
const COLUMNS: u32 = 32;
const QUADS: u32 = COLUMNS / 4;
const LOADS: u32 = (COLUMNS + SUBGROUP_SIZE - 1) / SUBGROUP_SIZE;

@group(0) @binding(0) var<uniform> params: Linear;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> weight: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> bias: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> y: array<vec4<f32>>;

@compute @workgroup_size(SUBGROUP_SIZE)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(subgroup_invocation_id) lane: u32,
) {
    let d_in = params.features_in / 4u; // both in vec4
    let d_out = params.features_out / 4u;
    let blocks_o = (d_out + QUADS - 1u) / QUADS;
    let blocks_n = (params.batch + ROWS - 1u) / ROWS;
    let i = group_index(group, groups);
    if i >= params.replicas * blocks_n * blocks_o {
        return;
    }
    let o = i % blocks_o * QUADS;
    let first = i / blocks_o % blocks_n * ROWS + lane;
    let replica = i / blocks_o / blocks_n;
    //: for v in 0..HELD
    let x_at$v = (replica * params.batch + min(first + $(v * SUBGROUP_SIZE)u, params.batch - 1u)) * d_in;
    //: end
    // The square of four inputs by COLUMNS outputs is COLUMNS vec4; a lane loads LOADS of them.
    //: for l in 0..LOADS
    let t$l = min(lane + $(l * SUBGROUP_SIZE)u, COLUMNS - 1u);
    let w_at$l = t$l / QUADS * d_out + min(o + t$l % QUADS, d_out - 1u);
    //: end
    //: for q in 0..QUADS
    let bias$q = bias[replica * d_out + min(o + $(q)u, d_out - 1u)];
    //: for v in 0..HELD
    var a$(v)_$q = bias$q;
    //: end
    //: end

    var row = replica * params.features_in * d_out;
    for (var k = 0u; k < d_in; k++) {
        //: for l in 0..LOADS
        let w$l = weight[row + w_at$l];
        //: end
        row += 4u * d_out;
        //: for v in 0..HELD
        let x$v = x[x_at$v + k];
        //: end
        //: for q in 0..QUADS
        let square$q = mat4x4(
            //: for k in 0..4
            subgroupBroadcast(w$((k * QUADS + q) / SUBGROUP_SIZE), $((k * QUADS + q) % SUBGROUP_SIZE)u),
            //: end
        );
        //: for v in 0..HELD
        a$(v)_$q += square$q * x$v;
        //: end
        //: end
    }

    //: for v in 0..HELD
    if first + $(v * SUBGROUP_SIZE)u < params.batch {
        let at = (replica * params.batch + first + $(v * SUBGROUP_SIZE)u) * d_out + o;
        //: for q in 0..QUADS
        if o + $(q)u < d_out {
            y[at + $(q)u] = activate(a$(v)_$q);
        }
        //: end
    }
    //: end
}
