// conv2d_backward_weight, register blocks: gradient of a convolution with respect to its weight, in slices
// over the positions of y.
//   x [R, N, H, W, C_in], d_y [R, N, H_out, W_out, C_out], d_weight [R, S, K_h, K_w, C_in, C_out];
//   C_in and C_out multiples of 4
// One invocation per block of 16 rows (kh, kw, c) by 8 columns o of d_weight, held in registers; no barriers.
// reduce_sum_slices adds the S slices.
// Derivation: weight[kh, kw, c, o] enters y[n, h', w', o] with the factor
// x[n, h' s_h + kh d_h - p_h, w' s_w + kw d_w - p_w, c], which is 0 outside of x. So
//   d_weight[kh, kw, c, o] = sum over n, h', w' of that factor times d_y[n, h', w', o].
// A step takes four positions at once: the matrix with their d_y[.., o .. o + 3] as columns times their four
// x is the share of d_weight[.., o .. o + 3]. Slice s takes the positions from s slice_length on, in order.
// Past the end the last rows and columns are computed again, and written again with the same bits.
// uses shared/grid
// uses shared/conv2d
// uses shared/conv2d_next
// uses shared/conv2d_taps

const ROWS: u32 = 16;
const COLUMNS: u32 = 8;

@group(0) @binding(0) var<uniform> params: Conv2d;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> d_y: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> d_weight: array<vec4<f32>>;

fn store(at: u32, o0: u32, o1: u32, sum0: vec4<f32>, sum1: vec4<f32>) {
    d_weight[at + o0] = sum0;
    d_weight[at + o1] = sum1;
}

@compute @workgroup_size(32)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let c_out = params.channels_out / 4u; // in vec4
    let quads = params.kernel_h * params.kernel_w * params.channels_in / 4u;
    let blocks_o = (c_out + 1u) / 2u;
    let blocks_q = (quads + 3u) / 4u;
    let i = group_index(group, groups) * 32u + local;
    if i >= params.replicas * params.slices * blocks_q * blocks_o {
        return;
    }
    let slice = i / blocks_o / blocks_q; // counts on over the replicas
    let replica = slice / params.slices;
    let o0 = i % blocks_o * 2u;
    let o1 = min(o0 + 1u, c_out - 1u);
    let q0 = i / blocks_o % blocks_q * 4u;
    let q1 = min(q0 + 1u, quads - 1u);
    let q2 = min(q0 + 2u, quads - 1u);
    let q3 = min(q0 + 3u, quads - 1u);
    let k0 = taps(q0); let k1 = taps(q1); let k2 = taps(q2); let k3 = taps(q3);

    let zero = vec4(0.0);
    //: for r in 0..ROWS
    var a$r = zero; var b$r = zero;
    //: end

    let positions = params.batch * params.height_out * params.width_out;
    let first = slice % params.slices * params.slice_length;
    let end = min(first + params.slice_length, positions);
    let row = first / params.width_out;
    let image = replica * params.batch + row / params.height_out;
    var v0 = vec3(image, row % params.height_out, first % params.width_out);
    for (var p = first; p < end; p += 4u) {
        let v1 = next(v0); let v2 = next(v1); let v3 = next(v2);
        let at = (replica * positions + min(vec4(p, p + 1u, p + 2u, p + 3u), vec4(end - 1u))) * c_out;
        let g0 = mat4x4(d_y[at.x + o0], d_y[at.y + o0], d_y[at.z + o0], d_y[at.w + o0]);
        let g1 = mat4x4(d_y[at.x + o1], d_y[at.y + o1], d_y[at.z + o1], d_y[at.w + o1]);
        let in1 = p + 1u < end; let in2 = p + 2u < end; let in3 = p + 3u < end;
        //: for q in 0..4
        let x$q = mat4x4(input(v0, k$q, true), input(v1, k$q, in1), input(v2, k$q, in2), input(v3, k$q, in3));
        let t$q = transpose(x$q);
        //: for r in 0..4
        a$(4 * q + r) += g0 * t$(q)[$r]; b$(4 * q + r) += g1 * t$(q)[$r];
        //: end
        //: end
        v0 = next(v3);
    }

    let at = slice * 4u * quads * c_out;
    //: for q in 0..4
    //: for r in 0..4
    store(at + (4u * q$q + $(r)u) * c_out, o0, o1, a$(4 * q + r), b$(4 * q + r));
    //: end
    //: end
}
