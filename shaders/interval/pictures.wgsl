// interval_pictures: the box of all pictures of this step's batch whose irrelevant pixels have any value in [0, 1].
//   order [R, steps·N] (row of the data set, 0xffffffff = no picture), clock [1] (number of the step),
//   pixels [count, H, W, C] as f32 bits or as unorm8, masks [count, H, W] unorm8, four to a word (255 = relevant),
//   lo, hi [R, N, H, W, C]
// One invocation per value of the box.
// Formula: with x = scale · p + shift, lo = x − margin and hi = x + margin where mask ≥ 128 (relevant);
// lo = shift − margin and hi = scale + shift + margin elsewhere; lo = hi = 0 where there is no picture.
// Derivation of the margin, u = 2^-23: x is rounded once, by at most u as |x| ≤ 1; the quotient of a byte by 255 is
// within 2.5 u, doubled by scale = 2. Both this kernel and gather_pictures may err by as much: 2 u, or 2 · 6 u.
// uses shared/grid
// uses shared/gather
// uses shared/pixel

const FLOAT_MARGIN: f32 = 0x2p-23;
const BYTE_MARGIN: f32 = 0xcp-23;

@group(0) @binding(0) var<uniform> params: Gather;
@group(0) @binding(1) var<storage, read> order: array<u32>;
@group(0) @binding(2) var<storage, read> clock: array<u32>;
@group(0) @binding(3) var<storage, read> pixels: array<u32>;
@group(0) @binding(4) var<storage, read> masks: array<u32>;
@group(0) @binding(5) var<storage, read_write> lo: array<f32>;
@group(0) @binding(6) var<storage, read_write> hi: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let at = group_index(group, groups) * 64u + local;
    if at >= params.rows * params.size {
        return;
    }
    let picture = picture_of(at / params.size);
    if picture >= params.count {
        lo[at] = 0.0;
        hi[at] = 0.0;
        return;
    }
    let i = picture * params.size + at % params.size;
    let position = i / params.channels;
    let relevant = ((masks[position / 4u] >> (position % 4u * 8u)) & 255u) >= 128u;
    let margin = select(FLOAT_MARGIN, BYTE_MARGIN, params.packed == 1u);
    let x = params.scale * pixel(i) + params.shift;
    lo[at] = select(params.shift, x, relevant) - margin;
    hi[at] = select(params.scale + params.shift, x, relevant) + margin;
}
