// conv2d_forward, subgroup: 2-d convolution with bias and, if params.relu is 1, a ReLU behind it.
//   x [R, N, H, W, C_in], weight [R, K_h, K_w, C_in, C_out], bias [R, C_out], y [R, N, H_out, W_out, C_out]
//   C_in and C_out multiples of 4
// One subgroup per block of 8 · SUBGROUP_SIZE positions by 16 output channels, each lane with eight positions,
// SUBGROUP_SIZE apart, in registers. A lane loads x for its own positions and its share of the weights; these go
// round by broadcast, because a load costs a software adapter many times as much.
// y[h', w', o] = bias[o] + sum over kh, kw, c of
//   x[h' s_h + kh d_h - p_h, w' s_w + kw d_w - p_w, c] weight[kh, kw, c, o]
// Past the end the last position and channel are computed again; but not written; all lanes stay to
// the end, as broadcasts need them all.
// uses shared/grid
// uses shared/conv2d
// uses shared/activate_vec4
// uses shared/conv2d_window
// uses shared/conv2d_source

const HELD: u32 = 8;
const ROWS: u32 = HELD * SUBGROUP_SIZE;
const COLUMNS: u32 = 16;
const QUADS: u32 = COLUMNS / 4;
const LOADS: u32 = (COLUMNS + SUBGROUP_SIZE - 1) / SUBGROUP_SIZE;

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
    let positions = params.batch * params.height_out * params.width_out;
    let blocks_o = (c_out + QUADS - 1u) / QUADS;
    let blocks_p = (positions + ROWS - 1u) / ROWS;
    let i = group_index(group, groups);
    if i >= params.replicas * blocks_p * blocks_o {
        return;
    }
    let o = i % blocks_o * QUADS;
    let first = i / blocks_o % blocks_p * ROWS + lane;
    let replica = i / blocks_o / blocks_p;
    //: for v in 0..HELD
    let p$v = first + $(v * SUBGROUP_SIZE)u;
    let v$v = window(replica, min(p$v, positions - 1u));
    //: end
    // The square of four input by COLUMNS output channels is COLUMNS vec4; a lane loads LOADS of them.
    //: for l in 0..LOADS
    let t$l = min(lane + $(l * SUBGROUP_SIZE)u, COLUMNS - 1u);
    let w_at$l = t$l / QUADS * c_out + min(o + t$l % QUADS, c_out - 1u);
    //: end
    //: for q in 0..QUADS
    let bias$q = bias[replica * c_out + min(o + $(q)u, c_out - 1u)];
    //: for v in 0..HELD
    var a$(v)_$q = bias$q;
    //: end
    //: end

    for (var kh = 0u; kh < params.kernel_h; kh++) {
        for (var kw = 0u; kw < params.kernel_w; kw++) {
            let tap = vec2(kh * params.dilation_h, kw * params.dilation_w);
            //: for v in 0..HELD
            let s$v = source(v$v, tap);
            //: end
            var row = ((replica * params.kernel_h + kh) * params.kernel_w + kw) * params.channels_in * c_out;
            for (var c = 0u; c < c_in; c++) {
                //: for l in 0..LOADS
                let w$l = weight[row + w_at$l];
                //: end
                //: for v in 0..HELD
                let x$v = load(s$v, c);
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
                row += 4u * c_out;
            }
        }
    }

    //: for v in 0..HELD
    if p$v < positions {
        let at = (replica * positions + p$v) * c_out + o;
        //: for q in 0..QUADS
        if o + $(q)u < c_out {
            y[at + $(q)u] = activate(a$(v)_$q);
        }
        //: end
    }
    //: end
}
