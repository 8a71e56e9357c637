// Reductions over the 64 invocations of a workgroup, as a tree in fixed order. All 64 must call them.
var<workgroup> lanes: array<f32, 64>;

fn tree_sum(local: u32, value: f32) -> f32 {
    lanes[local] = value;
    workgroupBarrier();
    for (var width = 32u; width > 0u; width >>= 1u) {
        if local < width {
            lanes[local] += lanes[local + width];
        }
        workgroupBarrier();
    }
    let total = lanes[0];
    workgroupBarrier();
    return total;
}

fn tree_max(local: u32, value: f32) -> f32 {
    lanes[local] = value;
    workgroupBarrier();
    for (var width = 32u; width > 0u; width >>= 1u) {
        if local < width {
            lanes[local] = max(lanes[local], lanes[local + width]);
        }
        workgroupBarrier();
    }
    let largest = lanes[0];
    workgroupBarrier();
    return largest;
}
