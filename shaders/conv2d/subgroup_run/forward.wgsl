// conv2d_forward, subgroup_run: 2-d convolution with bias and, if params.relu is 1, a ReLU behind it, for windows of
// three columns side by side.
//   x [R, N, H, W, C_in], weight [R, K_h, 3, C_in, C_out], bias [R, C_out], y [R, N, H_out, W_out, C_out]
//   C_in and C_out multiples of 4, s_w = d_w = 1
// One subgroup per block of SUBGROUP_SIZE runs by 32 output channels. A run is RUN positions side by side in a row of y;
// each lane holds one in registers. The RUN + 2 columns of x below a run serve the three taps of a row of the window,
// where single positions would load 3 · RUN. The weights are loaded in shares and go round by broadcast. Of the four channels
// of a vec4 one is taken at a time: written out for all four, the loop is slower on a software adapter.
// y[h', w', o] = bias[o] + sum over kh, kw, c of x[h' s_h + kh d_h - p_h, w' + kw - p_w, c] weight[kh, kw, c, o]
// Past the end the last run and channel are computed again, but not written; all lanes stay to the end, as broadcasts
// need them all.
// uses shared/grid
// uses shared/conv2d
// uses shared/activate_vec4
// uses shared/conv2d_run

const RUN: u32 = 8;
const TAPS: u32 = 3;
const REACH: u32 = RUN + TAPS - 1;
const ROWS: u32 = RUN * SUBGROUP_SIZE;
const COLUMNS: u32 = 32;
const QUADS: u32 = COLUMNS / 4;
const SHARES: u32 = TAPS * QUADS;
const LOADS: u32 = (SHARES + SUBGROUP_SIZE - 1) / SUBGROUP_SIZE;

@group(0) @binding(0) var<uniform> params: Conv2d;
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
    let c_in = params.channels_in / 4u; // both in vec4
    let c_out = params.channels_out / 4u;
    let runs = runs_in(params.height_out, params.width_out);
    let blocks_o = (c_out + QUADS - 1u) / QUADS;
    let blocks_r = (runs + SUBGROUP_SIZE - 1u) / SUBGROUP_SIZE;
    let i = group_index(group, groups);
    if i >= params.replicas * blocks_r * blocks_o {
        return;
    }
    let o = i % blocks_o * QUADS;
    let own = i / blocks_o % blocks_r * SUBGROUP_SIZE + lane;
    let replica = i / blocks_o / blocks_r;
    let at = run_at(replica, min(own, runs - 1u), params.height_out, params.width_out);
    let column = at.z - params.padding_w; // huge where it is left of x
    //: for j in 0..REACH
    let in$j = column + $(j)u < params.width;
    //: end
    // One input channel under the TAPS taps of a row has SHARES vec4 of weights; a lane loads LOADS of them.
    let tap = params.channels_in * c_out;
    //: for l in 0..LOADS
    let t$l = min(lane + $(l * SUBGROUP_SIZE)u, SHARES - 1u);
    let w_at$l = t$l / QUADS * tap + min(o + t$l % QUADS, c_out - 1u);
    //: end
    //: for q in 0..QUADS
    let bias$q = bias[replica * c_out + min(o + $(q)u, c_out - 1u)];
    //: for v in 0..RUN
    var a$(v)_$q = bias$q;
    //: end
    //: end

    for (var kh = 0u; kh < params.kernel_h; kh++) {
        let h = at.y * params.stride_h + kh * params.dilation_h - params.padding_h; // huge where it is above x
        let first = ((at.x * params.height + h) * params.width + column) * c_in;
        //: for j in 0..REACH
        let inside$j = in$j && h < params.height;
        let x_at$j = select(0u, first + $(j)u * c_in, inside$j);
        //: end
        var row = (replica * params.kernel_h + kh) * TAPS * tap;
        for (var c = 0u; c < c_in; c++) {
            //: for j in 0..REACH
            let quad$j = select(vec4(0.0), x[x_at$j + select(0u, c, inside$j)], inside$j);
            //: end
            for (var k = 0u; k < 4u; k++) {
                //: for j in 0..REACH
                let x$j = quad$j[k];
                //: end
                //: for l in 0..LOADS
                let w$l = weight[row + w_at$l];
                //: end
                row += c_out;
                //: for q in 0..QUADS
                //: for t in 0..TAPS
                let w$(q)_$t = subgroupBroadcast(w$((t * QUADS + q) / SUBGROUP_SIZE), $((t * QUADS + q) % SUBGROUP_SIZE)u);
                //: end
                //: for v in 0..RUN
                a$(v)_$q += w$(q)_0 * x$v + w$(q)_1 * x$(v + 1) + w$(q)_2 * x$(v + 2);
                //: end
                //: end
            }
        }
    }

    //: for v in 0..RUN
    if own < runs && at.z + $(v)u < params.width_out {
        let y_at = ((at.x * params.height_out + at.y) * params.width_out + at.z + $(v)u) * c_out + o;
        //: for q in 0..QUADS
        if o + $(q)u < c_out {
            y[y_at + $(q)u] = activate(a$(v)_$q);
        }
        //: end
    }
    //: end
}
