// overlay_heat: how strong each position of a map is, as a share of the strongest.
//   values [positions, channels], heat [positions]
// One workgroup of 64 for the whole map: each invocation strides through the positions, then a tree finds the largest.
// Formula: s_p = √(Σ_c max(values[p, c] + shift, floor)²); heat[p] = min(s_p / max s, 1), all 0 where no s is above 0.
// A position that holds a NaN counts as 0.
// uses shared/grid
// uses shared/tree
// uses shared/bits

struct Heat {
    positions: u32,
    channels: u32,
    shift: f32,
    floor: f32,
}

@group(0) @binding(0) var<uniform> params: Heat;
@group(0) @binding(1) var<storage, read> values: array<f32>;
@group(0) @binding(2) var<storage, read_write> heat: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    // A further workgroup takes part in every barrier and touches nothing.
    let positions = select(0u, params.positions, group_index(group, groups) == 0u);
    var largest = 0.0;
    for (var p = local; p < positions; p += 64u) {
        var sum = 0.0;
        for (var c = 0u; c < params.channels; c++) {
            let v = max(values[p * params.channels + c] + params.shift, params.floor);
            sum += v * v;
            // max may drop a NaN.
            if is_nan(values[p * params.channels + c]) {
                sum = bitcast<f32>(0x7fc00000u);
            }
        }
        let strength = select(sqrt(sum), 0.0, is_nan(sum));
        heat[p] = strength;
        largest = max(largest, strength);
    }
    largest = tree_max(local, largest);
    for (var p = local; p < positions; p += 64u) {
        heat[p] = select(0.0, min(heat[p] / largest, 1.0), largest > 0.0);
    }
}
