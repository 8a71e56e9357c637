// conv2d_forward, register blocks: 2-d convolution with bias and, if params.relu is 1, a ReLU behind it.
//   x [R, N, H, W, C_in], weight [R, K_h, K_w, C_in, C_out], bias [R, C_out], y [R, N, H_out, W_out, C_out];
//   C_in and C_out multiples of 4
// One invocation per block of 16 positions by 8 output channels, held in registers; no barriers.
// y[h', w', o] = bias[o] + sum over kh, kw, c of
//   x[h' s_h + kh d_h - p_h, w' s_w + kw d_w - p_w, c] weight[kh, kw, c, o]
// A step takes four c at once: with the columns w_k = weight[kh, kw, c + k, o .. o + 3] the matrix
// (w_0 w_1 w_2 w_3) times x[.., c .. c + 3] is the share of y[.., o .. o + 3].
// Past the end the last position and channels are computed again, and written again with the same bits.
// uses shared/grid
// uses shared/conv2d

const ROWS: u32 = 16;
const COLUMNS: u32 = 8;
const PADDING: u32 = 0xffffffffu;

@group(0) @binding(0) var<uniform> params: Conv2d;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> weight: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> bias: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> y: array<vec4<f32>>;

// Where the window of a position of y (counted over N, H_out, W_out of one replica) starts in the padded x:
// picture, row, column.
fn window(replica: u32, position: u32) -> vec3<u32> {
    let row = position / params.width_out;
    let image = replica * params.batch + row / params.height_out;
    return vec3(
        image,
        row % params.height_out * params.stride_h,
        position % params.width_out * params.stride_w,
    );
}

// Where the channels under one tap start in x, in vec4.
fn source(window: vec3<u32>, tap: vec2<u32>) -> u32 {
    let h = window.y + tap.x - params.padding_h; // huge where it is below 0
    let w = window.z + tap.y - params.padding_w;
    let at = ((window.x * params.height + h) * params.width + w) * (params.channels_in / 4u);
    return select(PADDING, at, h < params.height && w < params.width);
}

fn load(at: u32, c: u32) -> vec4<f32> {
    return select(x[select(at + c, 0u, at == PADDING)], vec4(0.0), at == PADDING);
}

fn square(at: u32, row: u32) -> mat4x4<f32> {
    return mat4x4(weight[at], weight[at + row], weight[at + 2u * row], weight[at + 3u * row]);
}

// A NaN stays a NaN: max() may drop it.
fn activate(sum: vec4<f32>) -> vec4<f32> {
    return select(sum, vec4(0.0), (sum < vec4(0.0)) & vec4(params.relu == 1u));
}

fn store(at: u32, o0: u32, o1: u32, sum0: vec4<f32>, sum1: vec4<f32>) {
    y[at + o0] = activate(sum0);
    y[at + o1] = activate(sum1);
}

@compute @workgroup_size(32)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let c_out = params.channels_out / 4u; // in vec4
    let positions = params.batch * params.height_out * params.width_out;
    let blocks_o = (c_out + 1u) / 2u;
    let blocks_p = (positions + ROWS - 1u) / ROWS;
    let i = group_index(group, groups) * 32u + local;
    if i >= params.replicas * blocks_p * blocks_o {
        return;
    }
    let replica = i / blocks_o / blocks_p;
    let first = i / blocks_o % blocks_p * ROWS;
    let last = positions - 1u;
    let o0 = i % blocks_o * 2u;
    let o1 = min(o0 + 1u, c_out - 1u);

    let p0 = min(first + 0u, last); let v0 = window(replica, p0);
    let p1 = min(first + 1u, last); let v1 = window(replica, p1);
    let p2 = min(first + 2u, last); let v2 = window(replica, p2);
    let p3 = min(first + 3u, last); let v3 = window(replica, p3);
    let p4 = min(first + 4u, last); let v4 = window(replica, p4);
    let p5 = min(first + 5u, last); let v5 = window(replica, p5);
    let p6 = min(first + 6u, last); let v6 = window(replica, p6);
    let p7 = min(first + 7u, last); let v7 = window(replica, p7);
    let p8 = min(first + 8u, last); let v8 = window(replica, p8);
    let p9 = min(first + 9u, last); let v9 = window(replica, p9);
    let p10 = min(first + 10u, last); let v10 = window(replica, p10);
    let p11 = min(first + 11u, last); let v11 = window(replica, p11);
    let p12 = min(first + 12u, last); let v12 = window(replica, p12);
    let p13 = min(first + 13u, last); let v13 = window(replica, p13);
    let p14 = min(first + 14u, last); let v14 = window(replica, p14);
    let p15 = min(first + 15u, last); let v15 = window(replica, p15);
    let bias0 = bias[replica * c_out + o0];
    let bias1 = bias[replica * c_out + o1];
    var a0 = bias0; var b0 = bias1; var a1 = bias0; var b1 = bias1; var a2 = bias0; var b2 = bias1;
    var a3 = bias0; var b3 = bias1; var a4 = bias0; var b4 = bias1; var a5 = bias0; var b5 = bias1;
    var a6 = bias0; var b6 = bias1; var a7 = bias0; var b7 = bias1; var a8 = bias0; var b8 = bias1;
    var a9 = bias0; var b9 = bias1; var a10 = bias0; var b10 = bias1; var a11 = bias0; var b11 = bias1;
    var a12 = bias0; var b12 = bias1; var a13 = bias0; var b13 = bias1; var a14 = bias0; var b14 = bias1;
    var a15 = bias0; var b15 = bias1;

    var row = replica * params.kernel_h * params.kernel_w * params.channels_in * c_out;
    for (var kh = 0u; kh < params.kernel_h; kh++) {
        for (var kw = 0u; kw < params.kernel_w; kw++) {
            let tap = vec2(kh * params.dilation_h, kw * params.dilation_w);
            let s0 = source(v0, tap); let s1 = source(v1, tap); let s2 = source(v2, tap);
            let s3 = source(v3, tap); let s4 = source(v4, tap); let s5 = source(v5, tap);
            let s6 = source(v6, tap); let s7 = source(v7, tap); let s8 = source(v8, tap);
            let s9 = source(v9, tap); let s10 = source(v10, tap); let s11 = source(v11, tap);
            let s12 = source(v12, tap); let s13 = source(v13, tap); let s14 = source(v14, tap);
            let s15 = source(v15, tap);
            for (var c = 0u; c < params.channels_in / 4u; c++) {
                let w0 = square(row + o0, c_out);
                let w1 = square(row + o1, c_out);
                row += 4u * c_out;
                let x0 = load(s0, c); a0 += w0 * x0; b0 += w1 * x0;
                let x1 = load(s1, c); a1 += w0 * x1; b1 += w1 * x1;
                let x2 = load(s2, c); a2 += w0 * x2; b2 += w1 * x2;
                let x3 = load(s3, c); a3 += w0 * x3; b3 += w1 * x3;
                let x4 = load(s4, c); a4 += w0 * x4; b4 += w1 * x4;
                let x5 = load(s5, c); a5 += w0 * x5; b5 += w1 * x5;
                let x6 = load(s6, c); a6 += w0 * x6; b6 += w1 * x6;
                let x7 = load(s7, c); a7 += w0 * x7; b7 += w1 * x7;
                let x8 = load(s8, c); a8 += w0 * x8; b8 += w1 * x8;
                let x9 = load(s9, c); a9 += w0 * x9; b9 += w1 * x9;
                let x10 = load(s10, c); a10 += w0 * x10; b10 += w1 * x10;
                let x11 = load(s11, c); a11 += w0 * x11; b11 += w1 * x11;
                let x12 = load(s12, c); a12 += w0 * x12; b12 += w1 * x12;
                let x13 = load(s13, c); a13 += w0 * x13; b13 += w1 * x13;
                let x14 = load(s14, c); a14 += w0 * x14; b14 += w1 * x14;
                let x15 = load(s15, c); a15 += w0 * x15; b15 += w1 * x15;
            }
        }
    }

    let base = replica * positions;
    store((base + p0) * c_out, o0, o1, a0, b0);
    store((base + p1) * c_out, o0, o1, a1, b1);
    store((base + p2) * c_out, o0, o1, a2, b2);
    store((base + p3) * c_out, o0, o1, a3, b3);
    store((base + p4) * c_out, o0, o1, a4, b4);
    store((base + p5) * c_out, o0, o1, a5, b5);
    store((base + p6) * c_out, o0, o1, a6, b6);
    store((base + p7) * c_out, o0, o1, a7, b7);
    store((base + p8) * c_out, o0, o1, a8, b8);
    store((base + p9) * c_out, o0, o1, a9, b9);
    store((base + p10) * c_out, o0, o1, a10, b10);
    store((base + p11) * c_out, o0, o1, a11, b11);
    store((base + p12) * c_out, o0, o1, a12, b12);
    store((base + p13) * c_out, o0, o1, a13, b13);
    store((base + p14) * c_out, o0, o1, a14, b14);
    store((base + p15) * c_out, o0, o1, a15, b15);
}
