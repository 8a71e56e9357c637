// ceiling_fma: y = the affine map a -> a * m + c applied 4 * rounds times to eight chains, then summed.
//   x [2] of vec4: m and c; y [count] of vec4
// One invocation per vec4 of y, with eight independent chains, so that latency hides behind them: measures the rate
// of multiply-adds in registers, count · rounds · 4 · 8 · 4 of them. With |m| < 1 every chain stays bounded.
// uses shared/grid

struct Ceiling {
    count: u32,
    rounds: u32,
}

@group(0) @binding(0) var<uniform> params: Ceiling;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4<f32>>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let i = group_index(group, groups) * 64u + local;
    if i >= params.count {
        return;
    }
    let m = x[0];
    let c = x[1];
    let start = vec4(f32(i % 64u) / 64.0);
    var a0 = start;
    var a1 = start + 1.0;
    var a2 = start + 2.0;
    var a3 = start + 3.0;
    var a4 = start + 4.0;
    var a5 = start + 5.0;
    var a6 = start + 6.0;
    var a7 = start + 7.0;
    for (var round = 0u; round < params.rounds; round++) {
        // Unrolled by hand: four steps of eight chains, so that the loop itself costs little.
        a0 = fma(a0, m, c);
        a1 = fma(a1, m, c);
        a2 = fma(a2, m, c);
        a3 = fma(a3, m, c);
        a4 = fma(a4, m, c);
        a5 = fma(a5, m, c);
        a6 = fma(a6, m, c);
        a7 = fma(a7, m, c);
        a0 = fma(a0, m, c);
        a1 = fma(a1, m, c);
        a2 = fma(a2, m, c);
        a3 = fma(a3, m, c);
        a4 = fma(a4, m, c);
        a5 = fma(a5, m, c);
        a6 = fma(a6, m, c);
        a7 = fma(a7, m, c);
        a0 = fma(a0, m, c);
        a1 = fma(a1, m, c);
        a2 = fma(a2, m, c);
        a3 = fma(a3, m, c);
        a4 = fma(a4, m, c);
        a5 = fma(a5, m, c);
        a6 = fma(a6, m, c);
        a7 = fma(a7, m, c);
        a0 = fma(a0, m, c);
        a1 = fma(a1, m, c);
        a2 = fma(a2, m, c);
        a3 = fma(a3, m, c);
        a4 = fma(a4, m, c);
        a5 = fma(a5, m, c);
        a6 = fma(a6, m, c);
        a7 = fma(a7, m, c);
    }
    y[i] = ((a0 + a1) + (a2 + a3)) + ((a4 + a5) + (a6 + a7));
}
