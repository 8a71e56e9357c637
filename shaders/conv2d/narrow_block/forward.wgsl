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
// uses shared/activate_vec4
// uses shared/conv2d_window
// uses shared/conv2d_source_scalar

const ROWS: u32 = 8;
const COLUMNS: u32 = 16;

@group(0) @binding(0) var<uniform> params: Conv2d;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> weight: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> bias: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> y: array<vec4<f32>>;

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

    //: for r in 0..ROWS
    let p$r = min(first + $(r)u, last); let v$r = window(replica, p$r);
    //: end
    let bias0 = bias[replica * c_out + o.x];
    let bias1 = bias[replica * c_out + o.y];
    let bias2 = bias[replica * c_out + o.z];
    let bias3 = bias[replica * c_out + o.w];
    //: for r in 0..ROWS
    var a$r = bias0; var b$r = bias1; var c$r = bias2; var d$r = bias3;
    //: end

    var row = replica * params.kernel_h * params.kernel_w * params.channels_in * c_out;
    for (var kh = 0u; kh < params.kernel_h; kh++) {
        for (var kw = 0u; kw < params.kernel_w; kw++) {
            let tap = vec2(kh * params.dilation_h, kw * params.dilation_w);
            //: for r in 0..ROWS
            let s$r = source(v$r, tap);
            //: end
            for (var c = 0u; c < params.channels_in; c++) {
                let w0 = weight[row + o.x];
                let w1 = weight[row + o.y];
                let w2 = weight[row + o.z];
                let w3 = weight[row + o.w];
                row += c_out;
                //: for r in 0..ROWS
                let x$r = load(s$r, c); a$r += w0 * x$r; b$r += w1 * x$r; c$r += w2 * x$r; d$r += w3 * x$r;
                //: end
            }
        }
    }

    //: for r in 0..ROWS
    store((replica * positions + p$r) * c_out, o, a$r, b$r, c$r, d$r);
    //: end
}
