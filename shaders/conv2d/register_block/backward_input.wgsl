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

const ROWS: u32 = 16;
const COLUMNS: u32 = 8;
const OUTSIDE: u32 = 0xffffffffu;

@group(0) @binding(0) var<uniform> params: Conv2d;
@group(0) @binding(1) var<storage, read> d_y: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> weight: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> d_x: array<vec4<f32>>;

// Picture, row and column of the nth position of a phase. Row and column may lie just outside of x.
fn place(replica: u32, phase: vec2<u32>, nth: u32) -> vec3<u32> {
    let width = (params.width + params.stride_w - 1u) / params.stride_w;
    let height = (params.height + params.stride_h - 1u) / params.stride_h;
    let row = nth / width;
    let image = replica * params.batch + row / height;
    return vec3(image, row % height * params.stride_h + phase.x, nth % width * params.stride_w + phase.y);
}

// Where the channels of y that a tap reaches start, in vec4. The tap divides.
fn source(place: vec3<u32>, tap: vec2<u32>) -> u32 {
    let h = (place.y + params.padding_h - tap.x) / params.stride_h; // huge where it is below 0
    let w = (place.z + params.padding_w - tap.y) / params.stride_w;
    let above = place.y + params.padding_h < tap.x || place.z + params.padding_w < tap.y;
    let at = ((place.x * params.height_out + h) * params.width_out + w) * (params.channels_out / 4u);
    return select(at, OUTSIDE, above || h >= params.height_out || w >= params.width_out);
}

fn load(at: u32, o: u32) -> vec4<f32> {
    return select(d_y[select(at + o, 0u, at == OUTSIDE)], vec4(0.0), at == OUTSIDE);
}

fn square(at: u32, row: u32) -> mat4x4<f32> {
    return mat4x4(weight[at], weight[at + row], weight[at + 2u * row], weight[at + 3u * row]);
}

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

    let v0 = place(replica, phase, min(first + 0u, last));
    let v1 = place(replica, phase, min(first + 1u, last));
    let v2 = place(replica, phase, min(first + 2u, last));
    let v3 = place(replica, phase, min(first + 3u, last));
    let v4 = place(replica, phase, min(first + 4u, last));
    let v5 = place(replica, phase, min(first + 5u, last));
    let v6 = place(replica, phase, min(first + 6u, last));
    let v7 = place(replica, phase, min(first + 7u, last));
    let v8 = place(replica, phase, min(first + 8u, last));
    let v9 = place(replica, phase, min(first + 9u, last));
    let v10 = place(replica, phase, min(first + 10u, last));
    let v11 = place(replica, phase, min(first + 11u, last));
    let v12 = place(replica, phase, min(first + 12u, last));
    let v13 = place(replica, phase, min(first + 13u, last));
    let v14 = place(replica, phase, min(first + 14u, last));
    let v15 = place(replica, phase, min(first + 15u, last));
    let zero = vec4(0.0);
    var a0 = zero; var b0 = zero; var a1 = zero; var b1 = zero; var a2 = zero; var b2 = zero;
    var a3 = zero; var b3 = zero; var a4 = zero; var b4 = zero; var a5 = zero; var b5 = zero;
    var a6 = zero; var b6 = zero; var a7 = zero; var b7 = zero; var a8 = zero; var b8 = zero;
    var a9 = zero; var b9 = zero; var a10 = zero; var b10 = zero; var a11 = zero; var b11 = zero;
    var a12 = zero; var b12 = zero; var a13 = zero; var b13 = zero; var a14 = zero; var b14 = zero;
    var a15 = zero; var b15 = zero;

    for (var kh = 0u; kh < params.kernel_h; kh++) {
        for (var kw = 0u; kw < params.kernel_w; kw++) {
            let tap = vec2(kh * params.dilation_h, kw * params.dilation_w);
            let stride = vec2(params.stride_h, params.stride_w);
            let padding = vec2(params.padding_h, params.padding_w);
            if any((phase + padding) % stride != tap % stride) {
                continue;
            }
            let s0 = source(v0, tap); let s1 = source(v1, tap); let s2 = source(v2, tap);
            let s3 = source(v3, tap); let s4 = source(v4, tap); let s5 = source(v5, tap);
            let s6 = source(v6, tap); let s7 = source(v7, tap); let s8 = source(v8, tap);
            let s9 = source(v9, tap); let s10 = source(v10, tap); let s11 = source(v11, tap);
            let s12 = source(v12, tap); let s13 = source(v13, tap); let s14 = source(v14, tap);
            let s15 = source(v15, tap);
            let row = ((replica * params.kernel_h + kh) * params.kernel_w + kw) * params.channels_in;
            for (var o = 0u; o < c_out; o++) {
                let w0 = square((row + 4u * c0) * c_out + o, c_out);
                let w1 = square((row + 4u * c1) * c_out + o, c_out);
                let g0 = load(s0, o); a0 += g0 * w0; b0 += g0 * w1;
                let g1 = load(s1, o); a1 += g1 * w0; b1 += g1 * w1;
                let g2 = load(s2, o); a2 += g2 * w0; b2 += g2 * w1;
                let g3 = load(s3, o); a3 += g3 * w0; b3 += g3 * w1;
                let g4 = load(s4, o); a4 += g4 * w0; b4 += g4 * w1;
                let g5 = load(s5, o); a5 += g5 * w0; b5 += g5 * w1;
                let g6 = load(s6, o); a6 += g6 * w0; b6 += g6 * w1;
                let g7 = load(s7, o); a7 += g7 * w0; b7 += g7 * w1;
                let g8 = load(s8, o); a8 += g8 * w0; b8 += g8 * w1;
                let g9 = load(s9, o); a9 += g9 * w0; b9 += g9 * w1;
                let g10 = load(s10, o); a10 += g10 * w0; b10 += g10 * w1;
                let g11 = load(s11, o); a11 += g11 * w0; b11 += g11 * w1;
                let g12 = load(s12, o); a12 += g12 * w0; b12 += g12 * w1;
                let g13 = load(s13, o); a13 += g13 * w0; b13 += g13 * w1;
                let g14 = load(s14, o); a14 += g14 * w0; b14 += g14 * w1;
                let g15 = load(s15, o); a15 += g15 * w0; b15 += g15 * w1;
            }
        }
    }

    store(v0, c0, c1, a0, b0); store(v1, c0, c1, a1, b1);
    store(v2, c0, c1, a2, b2); store(v3, c0, c1, a3, b3);
    store(v4, c0, c1, a4, b4); store(v5, c0, c1, a5, b5);
    store(v6, c0, c1, a6, b6); store(v7, c0, c1, a7, b7);
    store(v8, c0, c1, a8, b8); store(v9, c0, c1, a9, b9);
    store(v10, c0, c1, a10, b10); store(v11, c0, c1, a11, b11);
    store(v12, c0, c1, a12, b12); store(v13, c0, c1, a13, b13);
    store(v14, c0, c1, a14, b14); store(v15, c0, c1, a15, b15);
}
