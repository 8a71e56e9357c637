// One group of the target t and of z under both softmaxes, p = softmax(t / T) and q = softmax(z / T), for the
// divergences. t and z [rows, length, inner], weight [rows] and norm [R] are bindings of the kernel.
// One workgroup of 64 per group: strided loops, then trees in fixed order.
// Formula: with a_i = (t_i − max t) / T, p_i = exp(a_i) / Σ exp(a_j) and log p_i = a_i − log Σ exp(a_j); q and b from z.
struct Group {
    index: u32,
    first: u32,
    length: u32,
    live: bool,
    t_max: f32,
    z_max: f32,
    p_sum: f32,
    q_sum: f32,
    p_log: f32,
    q_log: f32,
    // weight / G, and what the mean and T make of it; where it is skipped, losses and d_z are exactly 0.
    share: f32,
    factor: f32,
    skipped: bool,
}

fn place(g: Group, i: u32) -> u32 {
    return g.first + i * params.inner;
}

// a_i and b_i of the value at a place.
fn exponents(g: Group, at: u32) -> vec2<f32> {
    return vec2<f32>((t[at] - g.t_max) / params.temperature, (z[at] - g.z_max) / params.temperature);
}

fn read_group(group: vec3<u32>, groups: vec3<u32>, local: u32) -> Group {
    var g: Group;
    let index = group_index(group, groups);
    // A workgroup past the last group takes part in every barrier and touches nothing.
    g.live = index < params.groups;
    g.index = select(0u, index, g.live);
    g.length = select(0u, params.length, g.live);
    g.first = g.index / params.inner * params.length * params.inner + g.index % params.inner;

    var t_max = t[g.first];
    var z_max = z[g.first];
    for (var i = local; i < g.length; i += 64u) {
        let at = place(g, i);
        t_max = max(t_max, t[at]);
        z_max = max(z_max, z[at]);
    }
    g.t_max = tree_max(local, t_max);
    g.z_max = tree_max(local, z_max);

    var p_sum = 0.0;
    var q_sum = 0.0;
    for (var i = local; i < g.length; i += 64u) {
        let e = exponents(g, place(g, i));
        p_sum += exp(e.x);
        q_sum += exp(e.y);
    }
    g.p_sum = tree_sum(local, p_sum);
    g.q_sum = tree_sum(local, q_sum);
    g.p_log = log(g.p_sum);
    g.q_log = log(g.q_sum);

    let row = g.index / params.inner;
    let row_weight = weight[row];
    let total = norm[row / params.batch];
    g.skipped = row_weight == 0.0 || total == 0.0;
    g.share = row_weight / f32(params.inner);
    g.factor = g.share / (total * params.temperature);
    return g;
}
