// place_picture: puts one picture, or its mask, into its place among packed bytes.
//   texels [H, W] (RGBA8, red in the lowest byte), index [1] (number of the picture),
//   bytes [count, H, W, C] unorm8, four to a word
// One invocation per word of `bytes` in which the picture has a part: the words at either end may hold others' bytes too,
// which stay.
// Formula: with C = 1 the byte is (2126 R + 7152 G + 722 B) / 10000, rounded down; else that of the channel, whichever of
// R, G, B, A comes at its number. Nothing is written for an index that is count or more.
// uses shared/grid

struct Place {
    positions: u32, // H·W
    channels: u32,  // C
    count: u32,     // pictures that `bytes` has place for
}

@group(0) @binding(0) var<uniform> params: Place;
@group(0) @binding(1) var<storage, read> texels: array<u32>;
@group(0) @binding(2) var<storage, read> index: array<u32>;
@group(0) @binding(3) var<storage, read_write> bytes: array<u32>;

fn value(at: u32) -> u32 {
    let texel = texels[at / params.channels];
    if params.channels == 1u {
        let r = texel & 255u;
        let g = (texel >> 8u) & 255u;
        let b = (texel >> 16u) & 255u;
        return (2126u * r + 7152u * g + 722u * b) / 10000u;
    }
    return (texel >> (at % params.channels * 8u)) & 255u;
}

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let size = params.positions * params.channels;
    let picture = index[0];
    if picture >= params.count {
        return;
    }
    let first = picture * size;
    let at = first / 4u + group_index(group, groups) * 64u + local;
    if at * 4u >= first + size {
        return;
    }
    var word = bytes[at];
    for (var lane = 0u; lane < 4u; lane++) {
        let i = at * 4u + lane;
        if i >= first && i < first + size {
            word = (word & ~(255u << (lane * 8u))) | (value(i - first) << (lane * 8u));
        }
    }
    bytes[at] = word;
}
