// conv2d_forward, subgroup for a few input channels (such as the one of a grey picture): 2-d convolution with bias
// and, if params.relu is 1, a ReLU behind it.
//   x [R, N, H, W, C_in], weight [R, K_h, K_w, C_in, C_out], bias [R, C_out], y [R, N, H_out, W_out, C_out];
//   C_out a multiple of 4
// One subgroup per block of 8 · SUBGROUP_SIZE positions by 16 output channels, each lane with eight positions,
// SUBGROUP_SIZE apart, in registers. The 16 weights of one input channel under one tap are loaded once, a vec4 by a
// lane, and go round by broadcast.
// y[h', w', o] = bias[o] + sum over kh, kw, c of
//   x[h' s_h + kh d_h - p_h, w' s_w + kw d_w - p_w, c] weight[kh, kw, c, o]
// Past the end the last position and channel are computed again, but not written; all lanes stay to
// the end, as broadcasts need them all.
// uses shared/grid
// uses shared/conv2d
// uses shared/activate_vec4
// uses shared/conv2d_window
// uses shared/conv2d_source_scalar

const HELD: u32 = 8;
const ROWS: u32 = HELD * SUBGROUP_SIZE;
const COLUMNS: u32 = 16;
const QUADS: u32 = COLUMNS / 4;

@group(0) @binding(0) var<uniform> params: Conv2d;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> weight: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> bias: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> y: array<vec4<f32>>;

@compute @workgroup_size(SUBGROUP_SIZE)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(subgroup_invocation_id) lane: u32,
) {
    let c_out = params.channels_out / 4u; // in vec4
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
    //: for q in 0..QUADS
    let bias$q = bias[replica * c_out + min(o + $(q)u, c_out - 1u)];
    //: for v in 0..HELD
    var a$(v)_$q = bias$q;
    //: end
    //: end

    var row = replica * params.kernel_h * params.kernel_w * params.channels_in * c_out
        + min(o + lane % QUADS, c_out - 1u);
    for (var kh = 0u; kh < params.kernel_h; kh++) {
        for (var kw = 0u; kw < params.kernel_w; kw++) {
            let tap = vec2(kh * params.dilation_h, kw * params.dilation_w);
            //: for v in 0..HELD
            let s$v = source(v$v, tap);
            //: end
            for (var c = 0u; c < params.channels_in; c++) {
                let w = weight[row];
                row += c_out;
                //: for v in 0..HELD
                let x$v = load(s$v, c);
                //: end
                //: for q in 0..QUADS
                let w$q = subgroupBroadcast(w, $(q)u);
                //: for v in 0..HELD
                a$(v)_$q += w$q * x$v;
                //: end
                //: end
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
