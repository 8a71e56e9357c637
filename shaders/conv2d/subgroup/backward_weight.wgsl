// conv2d_backward_weight, subgroup: gradient of a convolution with respect to its weight, in slices over the
// positions of y.
//   x [R, N, H, W, C_in], d_y [R, N, H_out, W_out, C_out], d_weight [R, S, K_h, K_w, C_in, C_out];
//   C_in and C_out multiples of 4
// One subgroup per block of 4 · SUBGROUP_SIZE rows (kh, kw, c) by 32 columns o of d_weight, each lane with four rows in
// registers. A lane loads x for its own rows and its share of d_y, which goes round by broadcast. reduce_sum_slices
// adds the S slices.
// Derivation: weight[kh, kw, c, o] enters y[n, h', w', o] with the factor
// x[n, h' s_h + kh d_h - p_h, w' s_w + kw d_w - p_w, c], which is 0 outside of x. So
//   d_weight[kh, kw, c, o] = sum over n, h', w' of that factor times d_y[n, h', w', o].
// A step takes four positions at once: the matrix with their d_y[.., o .. o + 3] as columns times their four
// x is the share of d_weight[.., o .. o + 3]. Slice s takes the positions from s slice_length on, in order.
// Past the end the last rows and columns are computed again but not written.
// uses shared/grid
// uses shared/conv2d
// uses shared/conv2d_next
// uses shared/conv2d_taps

const ROWS: u32 = 4 * SUBGROUP_SIZE;
const COLUMNS: u32 = 32;
const QUADS: u32 = COLUMNS / 4;
const LOADS: u32 = (COLUMNS + SUBGROUP_SIZE - 1) / SUBGROUP_SIZE;

@group(0) @binding(0) var<uniform> params: Conv2d;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> d_y: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> d_weight: array<vec4<f32>>;

@compute @workgroup_size(SUBGROUP_SIZE)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(subgroup_invocation_id) lane: u32,
) {
    let c_out = params.channels_out / 4u; // in vec4
    let quads = params.kernel_h * params.kernel_w * params.channels_in / 4u;
    let blocks_o = (c_out + QUADS - 1u) / QUADS;
    let blocks_q = (quads + ROWS / 4u - 1u) / (ROWS / 4u);
    let i = group_index(group, groups);
    if i >= params.replicas * params.slices * blocks_q * blocks_o {
        return;
    }
    let slice = i / blocks_o / blocks_q; // counts on over the replicas
    let replica = slice / params.slices;
    let o = i % blocks_o * QUADS;
    let own = i / blocks_o % blocks_q * (ROWS / 4u) + lane;
    let tap = taps(min(own, quads - 1u));
    //: for r in 0..4
    //: for q in 0..QUADS
    var a$(r)_$q = vec4(0.0);
    //: end
    //: end
    // Four positions by COLUMNS output channels are COLUMNS vec4; a lane loads LOADS of them.
    //: for l in 0..LOADS
    let t$l = min(lane + $(l * SUBGROUP_SIZE)u, COLUMNS - 1u);
    let o$l = min(o + t$l % QUADS, c_out - 1u);
    //: end

    let positions = params.batch * params.height_out * params.width_out;
    let first = slice % params.slices * params.slice_length;
    let end = min(first + params.slice_length, positions);
    let row = first / params.width_out;
    let image = replica * params.batch + row / params.height_out;
    var v0 = vec3(image, row % params.height_out, first % params.width_out);
    for (var p = first; p < end; p += 4u) {
        let v1 = next(v0); let v2 = next(v1); let v3 = next(v2);
        //: for l in 0..LOADS
        let g$l = d_y[(replica * positions + min(p + t$l / QUADS, end - 1u)) * c_out + o$l];
        //: end
        let in1 = p + 1u < end; let in2 = p + 2u < end; let in3 = p + 3u < end;
        let x_t = transpose(mat4x4(
            input(v0, tap, true), input(v1, tap, in1), input(v2, tap, in2), input(v3, tap, in3),
        ));
        //: for q in 0..QUADS
        let square$q = mat4x4(
            //: for n in 0..4
            subgroupBroadcast(g$((n * QUADS + q) / SUBGROUP_SIZE), $((n * QUADS + q) % SUBGROUP_SIZE)u),
            //: end
        );
        //: for r in 0..4
        a$(r)_$q += square$q * x_t[$r];
        //: end
        //: end
        v0 = next(v3);
    }

    if own < quads {
        let at = (slice * quads + own) * 4u * c_out + o;
        //: for q in 0..QUADS
        if o + $(q)u < c_out {
            //: for r in 0..4
            d_weight[at + $(r)u * c_out + $(q)u] = a$(r)_$q;
            //: end
        }
        //: end
    }
}
