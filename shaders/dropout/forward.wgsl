// dropout_forward: y = scale · x where the element is kept, else 0; applied to d_y it is the backward direction.
//   key [R, 2] (random words of the replica and the pass over the data), clock [1] (number of the step in the pass),
//   x [R, size], y [R, size]
// One invocation per element. The mask is stored nowhere: it is a hash of key, layer, step and the element's number in
// its replica, in integers, so that every device and every pass over the step has the same one.
// Derivation of the backward direction: y = m x with m free of x, so d_x = m d_y.
// uses shared/grid

struct Dropout {
    count: u32,     // R·size
    size: u32,      // elements of one replica
    layer: u32,     // a number for the layer
    threshold: u32, // an element is dropped where its hash is below: rate · 2³²
    scale: f32,     // 1 / (1 − rate)
}

@group(0) @binding(0) var<uniform> params: Dropout;
@group(0) @binding(1) var<storage, read> key: array<u32>;
@group(0) @binding(2) var<storage, read> clock: array<u32>;
@group(0) @binding(3) var<storage, read> x: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;

// Every bit of the result depends on every bit of `word`: the finaliser of MurmurHash3 (Appleby 2011).
fn mix(word: u32) -> u32 {
    var h = word;
    h = (h ^ (h >> 16u)) * 0x85ebca6bu;
    h = (h ^ (h >> 13u)) * 0xc2b2ae35u;
    return h ^ (h >> 16u);
}

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
    let replica = i / params.size;
    let step = mix(mix(key[replica * 2u] ^ params.layer) + clock[0]);
    let hash = mix(mix(step ^ key[replica * 2u + 1u]) + i % params.size);
    y[i] = select(params.scale * x[i], 0.0, hash < params.threshold);
}
