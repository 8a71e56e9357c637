// conv2d_backward_weight, shared tiles: gradient of a convolution with respect to its weight, in slices over the positions
// of y.
//   x [R, N, H, W, C_in], d_y [R, N, H_out, W_out, C_out], d_weight [R, S, K_h, K_w, C_in, C_out]
// One workgroup per tile of 64 rows (kh, kw, c) by 64 columns o of d_weight, both factors in workgroup memory: for devices with thousands of
// lanes, where 16 outputs to an invocation share the work out widely and the next memory is the slow part.
// reduce_sum_slices adds the S slices.
// Derivation: weight[kh, kw, c, o] enters y[n, h', w', o] with the factor
// x[n, h' s_h + kh d_h - p_h, w' s_w + kw d_w - p_w, c], which is 0 outside of x. So
//   d_weight[kh, kw, c, o] = sum over n, h', w' of that factor times d_y[n, h', w', o].
// Slice s takes the positions from s slice_length on, in order.
// uses shared/grid
// uses shared/conv2d
// uses shared/tile

@group(0) @binding(0) var<uniform> params: Conv2d;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> d_y: array<f32>;
@group(0) @binding(3) var<storage, read_write> d_weight: array<f32>;

// Offset down, offset across and channel of a row of the weight.
fn tap(row: u32) -> vec3<u32> {
    let tap = row / params.channels_in;
    let across = tap % params.kernel_w * params.dilation_w;
    return vec3(tap / params.kernel_w * params.dilation_h, across, row % params.channels_in);
}

// x where a tap meets it at a position of y: picture, row, column.
fn left(place: vec3<u32>, tap: vec3<u32>, within: bool) -> f32 {
    let h = place.y * params.stride_h + tap.x - params.padding_h; // huge where it is below 0
    let w = place.z * params.stride_w + tap.y - params.padding_w;
    let inside = within && h < params.height && w < params.width;
    let at = ((place.x * params.height + h) * params.width + w) * params.channels_in + tap.z;
    return select(0.0, x[select(0u, at, inside)], inside);
}

fn right(at: u32, o: u32, within: bool) -> f32 {
    let inside = within && o < params.channels_out;
    return select(0.0, d_y[select(0u, at * params.channels_out + o, inside)], inside);
}

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let rows = params.kernel_h * params.kernel_w * params.channels_in;
    let positions = params.batch * params.height_out * params.width_out;
    let blocks_o = (params.channels_out + COLUMNS - 1u) / COLUMNS;
    let blocks_r = (rows + ROWS - 1u) / ROWS;
    let block = group_index(group, groups);
    if block >= params.replicas * params.slices * blocks_r * blocks_o {
        return;
    }
    let slice = block / blocks_o / blocks_r; // counts on over the replicas
    let replica = slice / params.slices;
    let first_column = block % blocks_o * COLUMNS;
    let first_row = block / blocks_o % blocks_r * ROWS;
    let begin = slice % params.slices * params.slice_length;
    let end = min(begin + params.slice_length, positions);
    //: for j in 0..4
    let tap$j = tap(min(first_row + local % 16u * 4u + $(j)u, rows - 1u));
    //: end

    var sums = mat4x4<f32>();
    for (var k = begin; k < end; k += DEPTH) {
        let p = k + local / 16u;
        let line = p / params.width_out;
        let image = replica * params.batch + line / params.height_out;
        let place = vec3(image, line % params.height_out, p % params.width_out);
        let o = first_column + local % 16u * 4u;
        left_tile[local / 16u * LINE + local % 16u] = vec4(
            //: for j in 0..4
            left(place, tap$j, p < end),
            //: end
        );
        right_tile[local / 16u * LINE + local % 16u] = vec4(
            //: for j in 0..4
            right(replica * positions + p, o + $(j)u, p < end),
            //: end
        );
        workgroupBarrier();
        sums = multiplied(local, sums);
        workgroupBarrier();
    }

    let row = first_row + 4u * (local / 16u);
    let column = first_column + 4u * (local % 16u);
    //: for r in 0..4
    if row + $(r)u < rows {
        let at = (slice * rows + row + $(r)u) * params.channels_out;
        //: for c in 0..4
        if column + $(c)u < params.channels_out {
            d_weight[at + column + $(c)u] = sums[$r][$c];
        }
        //: end
    }
    //: end
}
