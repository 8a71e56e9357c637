// Picture, row and column of y that follow; the counting replaces a division.
fn next(place: vec3<u32>) -> vec3<u32> {
    var after = place + vec3(0u, 0u, 1u);
    if after.z == params.width_out {
        after = vec3(place.x, place.y + 1u, 0u);
    }
    if after.y == params.height_out {
        after = vec3(place.x + 1u, 0u, 0u);
    }
    return after;
}
