// conv2d_forward, register blocks for a few input channels (such as the one of a grey picture): 2-d
// convolution with bias and, if params.relu is 1, a ReLU behind it.
//   x [R, N, H, W, C_in], weight [R, K_h, K_w, C_in, C_out], bias [R, C_out], y [R, N, H_out, W_out, C_out];
//   C_out a multiple of 4
// One invocation per block of 8 positions by 16 output channels, held in registers; no barriers.
// y[h', w', o] = bias[o] + sum over kh, kw, c of
//   x[h' s_h + kh d_h - p_h, w' s_w + kw d_w - p_w, c] weight[kh, kw, c, o]
// Past the end the last position and channels are computed again, and written again with the same bits.
// uses shared/grid
// uses shared/conv2d

const ROWS: u32 = 8;
const COLUMNS: u32 = 16;
const PADDING: u32 = 0xffffffffu;

@group(0) @binding(0) var<uniform> params: Conv2d;
@group(0) @binding(1) var<storage, read> x: array<f32>;
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

// Where the channels under one tap start in x.
fn source(window: vec3<u32>, tap: vec2<u32>) -> u32 {
    let h = window.y + tap.x - params.padding_h; // huge where it is below 0
    let w = window.z + tap.y - params.padding_w;
    let at = ((window.x * params.height + h) * params.width + w) * params.channels_in;
    return select(PADDING, at, h < params.height && w < params.width);
}

fn load(at: u32, c: u32) -> f32 {
    return select(x[select(at + c, 0u, at == PADDING)], 0.0, at == PADDING);
}

// A NaN stays a NaN: max() may drop it.
fn activate(sum: vec4<f32>) -> vec4<f32> {
    return select(sum, vec4(0.0), (sum < vec4(0.0)) & vec4(params.relu == 1u));
}

fn store(at: u32, o: vec4<u32>, a: vec4<f32>, b: vec4<f32>, c: vec4<f32>, d: vec4<f32>) {
    y[at + o.x] = activate(a);
    y[at + o.y] = activate(b);
    y[at + o.z] = activate(c);
    y[at + o.w] = activate(d);
}

@compute @workgroup_size(32)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let c_out = params.channels_out / 4u; // in vec4
    let positions = params.batch * params.height_out * params.width_out;
    let blocks_o = (c_out + 3u) / 4u;
    let blocks_p = (positions + ROWS - 1u) / ROWS;
    let i = group_index(group, groups) * 32u + local;
    if i >= params.replicas * blocks_p * blocks_o {
        return;
    }
    let replica = i / blocks_o / blocks_p;
    let first = i / blocks_o % blocks_p * ROWS;
    let last = positions - 1u;
    let o = min(i % blocks_o * 4u + vec4(0u, 1u, 2u, 3u), vec4(c_out - 1u));

    let p0 = min(first + 0u, last); let v0 = window(replica, p0);
    let p1 = min(first + 1u, last); let v1 = window(replica, p1);
    let p2 = min(first + 2u, last); let v2 = window(replica, p2);
    let p3 = min(first + 3u, last); let v3 = window(replica, p3);
    let p4 = min(first + 4u, last); let v4 = window(replica, p4);
    let p5 = min(first + 5u, last); let v5 = window(replica, p5);
    let p6 = min(first + 6u, last); let v6 = window(replica, p6);
    let p7 = min(first + 7u, last); let v7 = window(replica, p7);
    let bias0 = bias[replica * c_out + o.x];
    let bias1 = bias[replica * c_out + o.y];
    let bias2 = bias[replica * c_out + o.z];
    let bias3 = bias[replica * c_out + o.w];
    var a0 = bias0; var b0 = bias1; var c0 = bias2; var d0 = bias3;
    var a1 = bias0; var b1 = bias1; var c1 = bias2; var d1 = bias3;
    var a2 = bias0; var b2 = bias1; var c2 = bias2; var d2 = bias3;
    var a3 = bias0; var b3 = bias1; var c3 = bias2; var d3 = bias3;
    var a4 = bias0; var b4 = bias1; var c4 = bias2; var d4 = bias3;
    var a5 = bias0; var b5 = bias1; var c5 = bias2; var d5 = bias3;
    var a6 = bias0; var b6 = bias1; var c6 = bias2; var d6 = bias3;
    var a7 = bias0; var b7 = bias1; var c7 = bias2; var d7 = bias3;

    var row = replica * params.kernel_h * params.kernel_w * params.channels_in * c_out;
    for (var kh = 0u; kh < params.kernel_h; kh++) {
        for (var kw = 0u; kw < params.kernel_w; kw++) {
            let tap = vec2(kh * params.dilation_h, kw * params.dilation_w);
            let s0 = source(v0, tap); let s1 = source(v1, tap); let s2 = source(v2, tap); let s3 = source(v3, tap);
            let s4 = source(v4, tap); let s5 = source(v5, tap); let s6 = source(v6, tap); let s7 = source(v7, tap);
            for (var c = 0u; c < params.channels_in; c++) {
                let w0 = weight[row + o.x]; let w1 = weight[row + o.y];
                let w2 = weight[row + o.z]; let w3 = weight[row + o.w];
                row += c_out;
                let x0 = load(s0, c);
                a0 += w0 * x0; b0 += w1 * x0; c0 += w2 * x0; d0 += w3 * x0;
                let x1 = load(s1, c);
                a1 += w0 * x1; b1 += w1 * x1; c1 += w2 * x1; d1 += w3 * x1;
                let x2 = load(s2, c);
                a2 += w0 * x2; b2 += w1 * x2; c2 += w2 * x2; d2 += w3 * x2;
                let x3 = load(s3, c);
                a3 += w0 * x3; b3 += w1 * x3; c3 += w2 * x3; d3 += w3 * x3;
                let x4 = load(s4, c);
                a4 += w0 * x4; b4 += w1 * x4; c4 += w2 * x4; d4 += w3 * x4;
                let x5 = load(s5, c);
                a5 += w0 * x5; b5 += w1 * x5; c5 += w2 * x5; d5 += w3 * x5;
                let x6 = load(s6, c);
                a6 += w0 * x6; b6 += w1 * x6; c6 += w2 * x6; d6 += w3 * x6;
                let x7 = load(s7, c);
                a7 += w0 * x7; b7 += w1 * x7; c7 += w2 * x7; d7 += w3 * x7;
            }
        }
    }

    store((replica * positions + p0) * c_out, o, a0, b0, c0, d0);
    store((replica * positions + p1) * c_out, o, a1, b1, c1, d1);
    store((replica * positions + p2) * c_out, o, a2, b2, c2, d2);
    store((replica * positions + p3) * c_out, o, a3, b3, c3, d3);
    store((replica * positions + p4) * c_out, o, a4, b4, c4, d4);
    store((replica * positions + p5) * c_out, o, a5, b5, c5, d5);
    store((replica * positions + p6) * c_out, o, a6, b6, c6, d6);
    store((replica * positions + p7) * c_out, o, a7, b7, c7, d7);
}
