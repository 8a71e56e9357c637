// overlay_colors: a colour for each position of a map.
//   heat [positions] in [0, 1], table [256] (RGBA8, red in the lowest byte), texels [positions] (RGBA8)
// One invocation per position.
// Formula: texels[p] = table[min(⌊256 · heat[p]⌋, 255)]; below 0, and for a NaN, table[0].
// uses shared/grid
// uses shared/bits

struct Colors {
    positions: u32,
}

@group(0) @binding(0) var<uniform> params: Colors;
@group(0) @binding(1) var<storage, read> heat: array<f32>;
@group(0) @binding(2) var<storage, read> table: array<u32>;
@group(0) @binding(3) var<storage, read_write> texels: array<u32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let p = group_index(group, groups) * 64u + local;
    if p >= params.positions {
        return;
    }
    // 256 · heat is exact, so no device takes another colour.
    let level = select(clamp(256.0 * heat[p], 0.0, 255.0), 0.0, is_nan(heat[p]));
    texels[p] = table[u32(level)];
}
