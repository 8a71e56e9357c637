// gather_labels: labels of this step's batch, how much each row counts, and whether it is explained.
//   order [R, steps·N] (row of the data set, 0xffffffff = no picture), clock [1] (number of the step),
//   all_labels [count], all_explained [count] (0 or 1), class_weights [K],
//   labels [R, N], label_weight [R, N], explained [R, N] (0 or 1)
// One invocation per row of the batch.
// Formula: label_weight = class_weights[label]; where there is no picture, all three are 0. A picture without a label
// (0xffffffff) has label and weight 0.
// A label that is no class weighs 1, so that cross_entropy_forward can make it a NaN that is seen.
// uses shared/grid
// uses shared/gather

@group(0) @binding(0) var<uniform> params: Gather;
@group(0) @binding(1) var<storage, read> order: array<u32>;
@group(0) @binding(2) var<storage, read> clock: array<u32>;
@group(0) @binding(3) var<storage, read> all_labels: array<u32>;
@group(0) @binding(4) var<storage, read> all_explained: array<u32>;
@group(0) @binding(5) var<storage, read> class_weights: array<f32>;
@group(0) @binding(6) var<storage, read_write> labels: array<u32>;
@group(0) @binding(7) var<storage, read_write> label_weight: array<f32>;
@group(0) @binding(8) var<storage, read_write> explained: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let row = group_index(group, groups) * 64u + local;
    if row >= params.rows {
        return;
    }
    let picture = picture_of(row);
    if picture >= params.count {
        labels[row] = 0u;
        label_weight[row] = 0.0;
        explained[row] = 0.0;
        return;
    }
    let label = all_labels[picture];
    var weight = 1.0;
    if label < params.classes {
        weight = class_weights[label];
    }
    let labelled = label != 0xffffffffu;
    labels[row] = select(0u, label, labelled);
    label_weight[row] = select(0.0, weight, labelled);
    explained[row] = select(0.0, 1.0, all_explained[picture] != 0u);
}
