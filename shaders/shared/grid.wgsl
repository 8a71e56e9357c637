// Index of this workgroup in a grid that is folded into y past 65,535 groups.
fn group_index(group: vec3<u32>, groups: vec3<u32>) -> u32 {
    return group.y * groups.x + group.x;
}
