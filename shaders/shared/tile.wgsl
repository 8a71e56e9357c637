// Products in tiles of 64 × 64 outputs through workgroup memory, sixteen terms at a time, by 16 × 16 invocations of
// 4 × 4 outputs each. The kernel fills both tiles, a vec4 to an invocation: of the left factor four rows at one term, of
// the right factor four columns at one term; zeros stand for what lies past the end.
const ROWS: u32 = 64;
const COLUMNS: u32 = 64;
const DEPTH: u32 = 16;
const LINE: u32 = 17; // sixteen vec4 and one more, so that neighbouring lines begin in different banks

var<workgroup> left_tile: array<vec4<f32>, 272>;
var<workgroup> right_tile: array<vec4<f32>, 272>;

// The sums of an invocation, one row to a column of the matrix, with sixteen more terms.
fn multiplied(local: u32, sums: mat4x4<f32>) -> mat4x4<f32> {
    let row = local / 16u;
    let column = local % 16u;
    var s0 = sums[0];
    var s1 = sums[1];
    var s2 = sums[2];
    var s3 = sums[3];
    //: for k in 0..DEPTH
    let l$k = left_tile[$(k * LINE)u + row];
    let r$k = right_tile[$(k * LINE)u + column];
    s0 += l$(k).x * r$k;
    s1 += l$(k).y * r$k;
    s2 += l$(k).z * r$k;
    s3 += l$(k).w * r$k;
    //: end
    return mat4x4(s0, s1, s2, s3);
}
