// Where the window of a position of y (counted over N, H_out, W_out of one replica) starts in the padded x:
// picture, row, column.
fn window(replica: u32, position: u32) -> vec3<u32> {
    let row = position / params.width_out;
    let image = replica * params.batch + row / params.height_out;
    return vec3(
        image,
        row % params.height_out * params.stride_h,
        position % params.width_out * params.stride_w,
    );
}
