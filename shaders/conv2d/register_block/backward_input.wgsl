// conv2d_backward_input, register blocks: gradient of a convolution with respect to its input, gathered.
//   d_y [R, N, H_out, W_out, C_out], weight [R, K_h, K_w, C_in, C_out], d_x [R, N, H, W, C_in];
//   C_in and C_out multiples of 4
// One invocation per block of 16 positions of x by 8 of its channels, held in registers; no barriers.
// Derivation: each tap (kh, kw) takes x[h, w, c] into at most one y[h', w', o], with the factor
// weight[kh, kw, c, o]:
//   h' = (h + p_h - kh d_h) / s_h, w' = (w + p_w - kw d_w) / s_w, where both divide and lie within y, so
//   d_x[h, w, c] = sum over those taps and over o of d_y[h', w', o] weight[kh, kw, c, o].
// Whether a tap divides depends on h mod s_h and w mod s_w alone. A block holds positions that agree in both
// (a phase), so that a tap serves all of them or is left out.
// A step takes four o at once: d_y[.., o .. o + 3] times four rows of the weight is the share of four channels.
// uses shared/grid
// uses shared/conv2d
// uses shared/conv2d_phase
// uses shared/square

const ROWS: u32 = 16;
const COLUMNS: u32 = 8;

@group(0) @binding(0) var<uniform> params: Conv2d;
@group(0) @binding(1) var<storage, read> d_y: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> weight: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> d_x: array<vec4<f32>>;

fn store(place: vec3<u32>, c0: u32, c1: u32, sum0: vec4<f32>, sum1: vec4<f32>) {
    if place.y < params.height && place.z < params.width {
        let at = ((place.x * params.height + place.y) * params.width + place.z) * (params.channels_in / 4u);
        d_x[at + c0] = sum0;
        d_x[at + c1] = sum1;
    }
}

@compute @workgroup_size(32)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let c_in = params.channels_in / 4u; // both in vec4
    let c_out = params.channels_out / 4u;
    let phases = params.stride_h * params.stride_w;
    let positions = params.batch * ((params.height + params.stride_h - 1u) / params.stride_h)
        * ((params.width + params.stride_w - 1u) / params.stride_w); // of one phase
    let blocks_c = (c_in + 1u) / 2u;
    let blocks_p = (positions + ROWS - 1u) / ROWS;
    let i = group_index(group, groups) * 32u + local;
    if i >= params.replicas * phases * blocks_p * blocks_c {
        return;
    }
    let c0 = i % blocks_c * 2u;
    let c1 = min(c0 + 1u, c_in - 1u);
    let first = i / blocks_c % blocks_p * ROWS;
    let last = positions - 1u;
    let replica = i / blocks_c / blocks_p / phases;
    let nth_phase = i / blocks_c / blocks_p % phases;
    let phase = vec2(nth_phase / params.stride_w, nth_phase % params.stride_w);

    //: for r in 0..ROWS
    let v$r = place(replica, phase, min(first + $(r)u, last));
    //: end
    let zero = vec4(0.0);
    //: for r in 0..ROWS
    var a$r = zero; var b$r = zero;
    //: end

    for (var kh = 0u; kh < params.kernel_h; kh++) {
        for (var kw = 0u; kw < params.kernel_w; kw++) {
            let tap = vec2(kh * params.dilation_h, kw * params.dilation_w);
            let stride = vec2(params.stride_h, params.stride_w);
            let padding = vec2(params.padding_h, params.padding_w);
            if any((phase + padding) % stride != tap % stride) {
                continue;
            }
            //: for r in 0..ROWS
            let s$r = source(v$r, tap);
            //: end
            let row = ((replica * params.kernel_h + kh) * params.kernel_w + kw) * params.channels_in;
            for (var o = 0u; o < c_out; o++) {
                let w0 = square((row + 4u * c0) * c_out + o, c_out);
                let w1 = square((row + 4u * c1) * c_out + o, c_out);
                //: for r in 0..ROWS
                let g$r = load(s$r, o); a$r += g$r * w0; b$r += g$r * w1;
                //: end
            }
        }
    }

    //: for r in 0..ROWS
    store(v$r, c0, c1, a$r, b$r);
    //: end
}
