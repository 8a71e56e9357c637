// conv2d_backward_input, shared tiles: gradient of a convolution with respect to its input, as a product.
//   d_y [R, N, H_out, W_out, C_out], weight [R, K_h, K_w, C_in, C_out], d_x [R, N, H, W, C_in]
// One workgroup per tile of 64 positions of x by 64 of its channels, both factors in workgroup memory: for devices with thousands of
// lanes, where 16 outputs to an invocation share the work out widely and the next memory is the slow part.
// Derivation: each tap (kh, kw) takes x[h, w, c] into at most one y[h', w', o], with the factor
// weight[kh, kw, c, o]:
//   h' = (h + p_h - kh d_h) / s_h, w' = (w + p_w - kw d_w) / s_w, where both divide and lie within y, so
//   d_x[h, w, c] = sum over those taps and over o of d_y[h', w', o] weight[kh, kw, c, o].
// Whether a tap divides depends on h mod s_h and w mod s_w alone. A block holds positions that agree in both
// (a phase), so that a tap serves all of them or is left out.
// uses shared/grid
// uses shared/conv2d
// uses shared/tile

@group(0) @binding(0) var<uniform> params: Conv2d;
@group(0) @binding(1) var<storage, read> d_y: array<f32>;
@group(0) @binding(2) var<storage, read> weight: array<f32>;
@group(0) @binding(3) var<storage, read_write> d_x: array<f32>;

// Picture, row and column of the nth position of a phase. Row and column may lie just outside of x.
fn place(replica: u32, phase: vec2<u32>, nth: u32) -> vec3<u32> {
    let width = (params.width + params.stride_w - 1u) / params.stride_w;
    let height = (params.height + params.stride_h - 1u) / params.stride_h;
    let row = nth / width;
    let image = replica * params.batch + row / height;
    return vec3(image, row % height * params.stride_h + phase.x, nth % width * params.stride_w + phase.y);
}

// d_y[.., o] where a tap leads to. The tap divides.
fn left(place: vec3<u32>, tap: vec2<u32>, o: u32) -> f32 {
    let h = (place.y + params.padding_h - tap.x) / params.stride_h; // huge where it is below 0
    let w = (place.z + params.padding_w - tap.y) / params.stride_w;
    let above = place.y + params.padding_h < tap.x || place.z + params.padding_w < tap.y;
    let inside = !above && h < params.height_out && w < params.width_out && o < params.channels_out;
    let at = ((place.x * params.height_out + h) * params.width_out + w) * params.channels_out + o;
    return select(0.0, d_y[select(0u, at, inside)], inside);
}

fn right(row: u32, o: u32, c: u32) -> f32 {
    let inside = o < params.channels_out && c < params.channels_in;
    return select(0.0, weight[select(0u, (row + c) * params.channels_out + o, inside)], inside);
}

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let phases = params.stride_h * params.stride_w;
    let positions = params.batch * ((params.height + params.stride_h - 1u) / params.stride_h)
        * ((params.width + params.stride_w - 1u) / params.stride_w); // of one phase
    let blocks_c = (params.channels_in + COLUMNS - 1u) / COLUMNS;
    let blocks_p = (positions + ROWS - 1u) / ROWS;
    let block = group_index(group, groups);
    if block >= params.replicas * phases * blocks_p * blocks_c {
        return;
    }
    let first_column = block % blocks_c * COLUMNS;
    let first_row = block / blocks_c % blocks_p * ROWS;
    let replica = block / blocks_c / blocks_p / phases;
    let nth_phase = block / blocks_c / blocks_p % phases;
    let phase = vec2(nth_phase / params.stride_w, nth_phase % params.stride_w);
    let stride = vec2(params.stride_h, params.stride_w);
    let padding = vec2(params.padding_h, params.padding_w);
    let position = first_row + local / 16u * 4u;
    //: for j in 0..4
    let place$j = place(replica, phase, min(position + $(j)u, positions - 1u));
    //: end

    var sums = mat4x4<f32>();
    for (var kh = 0u; kh < params.kernel_h; kh++) {
        for (var kw = 0u; kw < params.kernel_w; kw++) {
            let tap = vec2(kh * params.dilation_h, kw * params.dilation_w);
            if any((phase + padding) % stride != tap % stride) {
                continue;
            }
            let row = ((replica * params.kernel_h + kh) * params.kernel_w + kw) * params.channels_in;
            for (var k = 0u; k < params.channels_out; k += DEPTH) {
                let o = k + local % 16u;
                let c = first_column + local / 16u * 4u;
                left_tile[local % 16u * LINE + local / 16u] = vec4(
                    //: for j in 0..4
                    left(place$j, tap, o),
                    //: end
                );
                right_tile[local % 16u * LINE + local / 16u] = vec4(
                    //: for j in 0..4
                    right(row, o, c + $(j)u),
                    //: end
                );
                workgroupBarrier();
                sums = multiplied(local, sums);
                workgroupBarrier();
            }
        }
    }

    let column = first_column + 4u * (local % 16u);
    //: for r in 0..4
    if position + $(r)u < positions && place$(r).y < params.height && place$(r).z < params.width {
        let at = ((place$(r).x * params.height + place$(r).y) * params.width + place$(r).z) * params.channels_in;
        //: for c in 0..4
        if column + $(c)u < params.channels_in {
            d_x[at + column + $(c)u] = sums[$r][$c];
        }
        //: end
    }
    //: end
}
