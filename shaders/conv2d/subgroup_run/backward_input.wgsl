// conv2d_backward_input, subgroup_run: gradient of a convolution with respect to its input, gathered, for windows of three
// columns side by side.
//   d_y [R, N, H_out, W_out, C_out], weight [R, K_h, 3, C_in, C_out], d_x [R, N, H, W, C_in]
//   C_in and C_out multiples of 4; strides and dilations 1
// One subgroup per block of SUBGROUP_SIZE runs by 16 input channels. A run is RUN positions side by side in a row of x;
// each lane holds one in registers. The RUN + 2 columns of d_y that a run meets serve the three taps of a row of the window.
// The weights are loaded in shares and go round by broadcast. Of the four channels of a vec4 one is taken at a time: written out
// for all four, the loop is slower on a software adapter.
// Derivation: the tap (kh, kw) takes x[h, w, c] into y[h + p_h - kh, w + p_w - kw, o], where that lies within y, with
// the factor weight[kh, kw, c, o], so
//   d_x[h, w, c] = sum over kh, kw, o of d_y[h + p_h - kh, w + p_w - kw, o] weight[kh, kw, c, o].
// Past the end the last run and channel are computed again, but not written.
// uses shared/grid
// uses shared/conv2d
// uses shared/conv2d_run

const RUN: u32 = 8;
const TAPS: u32 = 3;
const REACH: u32 = RUN + TAPS - 1;
const ROWS: u32 = RUN * SUBGROUP_SIZE;
const COLUMNS: u32 = 16;
const QUADS: u32 = COLUMNS / 4;
const LOADS: u32 = (COLUMNS + SUBGROUP_SIZE - 1) / SUBGROUP_SIZE;

@group(0) @binding(0) var<uniform> params: Conv2d;
@group(0) @binding(1) var<storage, read> d_y: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> weight: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> d_x: array<vec4<f32>>;

@compute @workgroup_size(SUBGROUP_SIZE)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(subgroup_invocation_id) lane: u32,
) {
    let c_in = params.channels_in / 4u; // both in vec4
    let c_out = params.channels_out / 4u;
    let runs = runs_in(params.height, params.width);
    let blocks_c = (c_in + QUADS - 1u) / QUADS;
    let blocks_r = (runs + SUBGROUP_SIZE - 1u) / SUBGROUP_SIZE;
    let i = group_index(group, groups);
    if i >= params.replicas * blocks_r * blocks_c {
        return;
    }
    let c = i % blocks_c * QUADS;
    let own = i / blocks_c % blocks_r * SUBGROUP_SIZE + lane;
    let replica = i / blocks_c / blocks_r;
    let at = run_at(replica, min(own, runs - 1u), params.height, params.width);
    let column = at.z + params.padding_w - (TAPS - 1u); // of the last tap; huge where it is left of y
    //: for j in 0..REACH
    let in$j = column + $(j)u < params.width_out;
    //: end
    // Four output channels of COLUMNS input channels are COLUMNS vec4; a lane loads LOADS of them.
    //: for l in 0..LOADS
    let w_at$l = min(4u * c + min(lane + $(l * SUBGROUP_SIZE)u, COLUMNS - 1u), params.channels_in - 1u) * c_out;
    //: end
    //: for v in 0..RUN
    //: for q in 0..QUADS
    var a$(v)_$q = vec4(0.0);
    //: end
    //: end

    let tap = params.channels_in * c_out;
    for (var kh = 0u; kh < params.kernel_h; kh++) {
        let h = at.y + params.padding_h - kh; // huge where it is above y
        let first = ((at.x * params.height_out + h) * params.width_out + column) * c_out;
        //: for j in 0..REACH
        let inside$j = in$j && h < params.height_out;
        let g_at$j = select(0u, first + $(j)u * c_out, inside$j);
        //: end
        let row = (replica * params.kernel_h + kh) * TAPS * tap;
        for (var o = 0u; o < c_out; o++) {
            //: for j in 0..REACH
            let quad$j = select(vec4(0.0), d_y[g_at$j + select(0u, o, inside$j)], inside$j);
            //: end
            //: for t in 0..TAPS
            //: for l in 0..LOADS
            let share$(t)_$l = weight[row + $(t)u * tap + w_at$l + o];
            //: end
            //: end
            for (var k = 0u; k < 4u; k++) {
                //: for j in 0..REACH
                let g$j = quad$j[k];
                //: end
                //: for t in 0..TAPS
                //: for l in 0..LOADS
                let w$(t)_$l = share$(t)_$l[k];
                //: end
                //: end
                //: for q in 0..QUADS
                //: for t in 0..TAPS
                let weight$(q)_$t = vec4(
                    //: for n in 0..4
                    subgroupBroadcast(w$(t)_$((4 * q + n) / SUBGROUP_SIZE), $((4 * q + n) % SUBGROUP_SIZE)u),
                    //: end
                );
                //: end
                //: for v in 0..RUN
                a$(v)_$q += weight$(q)_0 * g$(v + 2) + weight$(q)_1 * g$(v + 1) + weight$(q)_2 * g$v;
                //: end
                //: end
            }
        }
    }

    //: for v in 0..RUN
    if own < runs && at.z + $(v)u < params.width {
        let x_at = ((at.x * params.height + at.y) * params.width + at.z + $(v)u) * c_in + c;
        //: for q in 0..QUADS
        if c + $(q)u < c_in {
            d_x[x_at + $(q)u] = a$(v)_$q;
        }
        //: end
    }
    //: end
}
