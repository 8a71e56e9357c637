// conv2d_backward_input, subgroup: gradient of a convolution with respect to its input, gathered.
//   d_y [R, N, H_out, W_out, C_out], weight [R, K_h, K_w, C_in, C_out], d_x [R, N, H, W, C_in];
//   C_in and C_out multiples of 4
// One subgroup per block of 8 · SUBGROUP_SIZE positions of x by 16 of its channels, each lane with eight positions,
// SUBGROUP_SIZE apart, in registers. A lane loads d_y for its own positions and its share of the weights; these go
// round by broadcast.
// Derivation: each tap (kh, kw) takes x[h, w, c] into at most one y[h', w', o], with the factor
// weight[kh, kw, c, o]:
//   h' = (h + p_h - kh d_h) / s_h, w' = (w + p_w - kw d_w) / s_w, where both divide and lie within y, so
//   d_x[h, w, c] = sum over those taps and over o of d_y[h', w', o] weight[kh, kw, c, o].
// Whether a tap divides depends on h mod s_h and w mod s_w alone. A block holds positions that agree in both
// (a phase), so that a tap serves all of them or is left out.
// A step takes four o at once: d_y[.., o .. o + 3] times four rows of the weight is the share of four channels.
// Past the end the last position and channel are computed again but not written.
// uses shared/grid
// uses shared/conv2d
// uses shared/conv2d_phase

const HELD: u32 = 8;
const ROWS: u32 = HELD * SUBGROUP_SIZE;
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
    let phases = params.stride_h * params.stride_w;
    let positions = params.batch * ((params.height + params.stride_h - 1u) / params.stride_h)
        * ((params.width + params.stride_w - 1u) / params.stride_w); // of one phase
    let blocks_c = (c_in + QUADS - 1u) / QUADS;
    let blocks_p = (positions + ROWS - 1u) / ROWS;
    let i = group_index(group, groups);
    if i >= params.replicas * phases * blocks_p * blocks_c {
        return;
    }
    let c = i % blocks_c * QUADS;
    let first = i / blocks_c % blocks_p * ROWS + lane;
    let replica = i / blocks_c / blocks_p / phases;
    let nth_phase = i / blocks_c / blocks_p % phases;
    let phase = vec2(nth_phase / params.stride_w, nth_phase % params.stride_w);
    //: for v in 0..HELD
    let v$v = place(replica, phase, min(first + $(v * SUBGROUP_SIZE)u, positions - 1u));
    //: for q in 0..QUADS
    var a$(v)_$q = vec4(0.0);
    //: end
    //: end
    // Four output channels of COLUMNS input channels are COLUMNS vec4; a lane loads LOADS of them.
    //: for l in 0..LOADS
    let w_at$l = min(4u * c + min(lane + $(l * SUBGROUP_SIZE)u, COLUMNS - 1u), params.channels_in - 1u) * c_out;
    //: end

    for (var kh = 0u; kh < params.kernel_h; kh++) {
        for (var kw = 0u; kw < params.kernel_w; kw++) {
            let tap = vec2(kh * params.dilation_h, kw * params.dilation_w);
            let stride = vec2(params.stride_h, params.stride_w);
            let padding = vec2(params.padding_h, params.padding_w);
            if any((phase + padding) % stride != tap % stride) {
                continue;
            }
            //: for v in 0..HELD
            let s$v = source(v$v, tap);
            //: end
            let row = ((replica * params.kernel_h + kh) * params.kernel_w + kw) * params.channels_in * c_out;
            for (var o = 0u; o < c_out; o++) {
                //: for l in 0..LOADS
                let w$l = weight[row + w_at$l + o];
                //: end
                //: for v in 0..HELD
                let g$v = load(s$v, o);
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
        }
    }

    //: for v in 0..HELD
    if first + $(v * SUBGROUP_SIZE)u < positions && v$(v).y < params.height && v$(v).z < params.width {
        let at = ((v$(v).x * params.height + v$(v).y) * params.width + v$(v).z) * c_in + c;
        //: for q in 0..QUADS
        if c + $(q)u < c_in {
            d_x[at + $(q)u] = a$(v)_$q;
        }
        //: end
    }
    //: end
}
