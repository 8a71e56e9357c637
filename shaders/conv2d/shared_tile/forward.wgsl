// conv2d_forward, shared tiles: 2-d convolution with bias and, if params.relu is 1, a ReLU behind it, as a product.
//   x [R, N, H, W, C_in], weight [R, K_h, K_w, C_in, C_out], bias [R, C_out], y [R, N, H_out, W_out, C_out]
// One workgroup per tile of 64 positions by 64 output channels, both factors in workgroup memory: for devices with thousands of
// lanes, where 16 outputs to an invocation share the work out widely and the next memory is the slow part.
// y[h', w', o] = bias[o] + sum over kh, kw, c of
//   x[h' s_h + kh d_h - p_h, w' s_w + kw d_w - p_w, c] weight[kh, kw, c, o]
// The terms (kh, kw, c) are counted through, as they lie in the weight.
// uses shared/grid
// uses shared/conv2d
// uses shared/tile
// uses shared/activate
// uses shared/conv2d_window

@group(0) @binding(0) var<uniform> params: Conv2d;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> weight: array<f32>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;

// x under offset down, offset across and channel of a term.
fn left(window: vec3<u32>, tap: vec3<u32>, within: bool) -> f32 {
    let h = window.y + tap.x - params.padding_h; // huge where it is below 0
    let w = window.z + tap.y - params.padding_w;
    let inside = within && h < params.height && w < params.width;
    let at = ((window.x * params.height + h) * params.width + w) * params.channels_in + tap.z;
    return select(0.0, x[select(0u, at, inside)], inside);
}

fn right(replica: u32, k: u32, o: u32, depth: u32) -> f32 {
    let inside = k < depth && o < params.channels_out;
    return select(0.0, weight[select(0u, (replica * depth + k) * params.channels_out + o, inside)], inside);
}

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let positions = params.batch * params.height_out * params.width_out;
    let depth = params.kernel_h * params.kernel_w * params.channels_in;
    let blocks_o = (params.channels_out + COLUMNS - 1u) / COLUMNS;
    let blocks_p = (positions + ROWS - 1u) / ROWS;
    let block = group_index(group, groups);
    if block >= params.replicas * blocks_p * blocks_o {
        return;
    }
    let first_column = block % blocks_o * COLUMNS;
    let first_row = block / blocks_o % blocks_p * ROWS;
    let replica = block / blocks_o / blocks_p;
    let position = first_row + local / 16u * 4u;
    //: for j in 0..4
    let window$j = window(replica, min(position + $(j)u, positions - 1u));
    //: end

    var sums = mat4x4<f32>();
    for (var k = 0u; k < depth; k += DEPTH) {
        let term = k + local % 16u;
        let tap = term / params.channels_in;
        let across = tap % params.kernel_w * params.dilation_w;
        let at = vec3(tap / params.kernel_w * params.dilation_h, across, term % params.channels_in);
        let o = first_column + local % 16u * 4u;
        left_tile[local % 16u * LINE + local / 16u] = vec4(
            //: for j in 0..4
            left(window$j, at, term < depth),
            //: end
        );
        right_tile[local / 16u * LINE + local % 16u] = vec4(
            //: for j in 0..4
            right(replica, k + local / 16u, o + $(j)u, depth),
            //: end
        );
        workgroupBarrier();
        sums = multiplied(local, sums);
        workgroupBarrier();
    }

    let row = first_row + 4u * (local / 16u);
    let column = first_column + 4u * (local % 16u);
    //: for r in 0..4
    if row + $(r)u < positions {
        let at = (replica * positions + row + $(r)u) * params.channels_out;
        //: for c in 0..4
        if column + $(c)u < params.channels_out {
            y[at + column + $(c)u] = activate(sums[$r][$c] + bias[replica * params.channels_out + column + $(c)u]);
        }
        //: end
    }
    //: end
}
