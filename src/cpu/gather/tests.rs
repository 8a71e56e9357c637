use crate::cpu::testing::{Ran, assert_near};
use crate::ops::clock;
use crate::ops::gather::{self, Source};
use crate::plan::{Plan, PlanError, TensorId};

const PADDING: u32 = u32::MAX;

/// Three pictures of 1×2×2; two replicas, batches of two, two steps.
fn source(plan: &mut Plan, packed: bool) -> Source {
    gather::source_inputs(plan, packed, [2, 2, 2], [3, 1, 2, 2]).unwrap().0
}

fn run(plan: &Plan, source: &Source, step: u32) -> Ran<f64> {
    let mut ran = Ran::<f64>::new(plan);
    let known = |tensor: TensorId| plan.commands().iter().any(|c| c.args.iter().any(|a| a.tensor == tensor));
    let bytes = [0u8, 51, 102, 153, 204, 255, 25, 50, 75, 100, 125, 150];
    let words = |bytes: &[u8]| -> Vec<u32> {
        bytes.chunks(4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
    };
    let pixels = if source.packed {
        words(&bytes)
    } else {
        bytes.map(|byte| (f32::from(byte) / 255.0).to_bits()).to_vec()
    };
    for (tensor, values) in [
        (source.pixels, pixels),
        (source.masks, words(&[255, 0, 128, 127, 51, 255, 0, 0])),
        (source.labels, vec![2, 0, 1]),
        (source.explained, vec![1, 0, 1]),
        (source.order, vec![0, 2, 1, PADDING, 1, 3, 2, 0]),
        (source.clock, vec![step]),
    ] {
        if known(tensor) {
            ran.set_index(tensor, &values);
        }
    }
    if known(source.fill) {
        ran.set(source.fill, &[0.5, -0.5]);
    }
    if known(source.class_weights) {
        ran.set(source.class_weights, &[1.0, 2.0, 0.25]);
    }
    ran.run();
    ran
}

fn x(byte: f64) -> f64 {
    2.0 * byte / 255.0 - 1.0
}

#[test]
fn pictures_follow_order_and_clock_and_padding_is_zero() {
    for packed in [false, true] {
        let mut plan = Plan::new("test");
        let source = source(&mut plan, packed);
        let out = gather::pictures(&mut plan, "batch", &source, 2).unwrap();
        assert_eq!(plan.dims(out), [2, 2, 1, 2, 2]);
        let pictures = [[0.0, 51.0, 102.0, 153.0], [204.0, 255.0, 25.0, 50.0], [75.0, 100.0, 125.0, 150.0]];
        let pictures = pictures.map(|picture| picture.map(x));
        let none = [0.0; 4];
        for (step, expected) in [
            (0, [pictures[0], pictures[2], pictures[1], none]), // 3 is no picture either
            (1, [pictures[1], none, pictures[2], pictures[0]]),
            (2, [none; 4]),
            (u32::MAX, [none; 4]),
        ] {
            let found = run(&plan, &source, step).get(out);
            assert_near(&found, expected.as_flattened(), 0.0, if packed { 1e-15 } else { 2e-7 });
        }
    }
}

#[test]
fn a_mask_keeps_blends_and_fills() {
    for hard in [false, true] {
        let mut plan = Plan::new("test");
        let source = source(&mut plan, true);
        let out = gather::masked(&mut plan, "batch", &source, 2, hard).unwrap();
        let found = run(&plan, &source, 0).get(out);
        let blend = |mask: f64, byte: f64, fill: f64| {
            let e = if hard { f64::from(mask >= 127.5) } else { mask / 255.0 };
            e * x(byte) + (1.0 - e) * fill
        };
        let expected = [
            [x(0.0), x(51.0), 0.5, -0.5], // 255 and 0
            [blend(51.0, 75.0, 0.5), blend(51.0, 100.0, -0.5), x(125.0), x(150.0)], // 51 and 255
            [
                blend(128.0, 204.0, 0.5),
                blend(128.0, 255.0, -0.5),
                blend(127.0, 25.0, 0.5),
                blend(127.0, 50.0, -0.5),
            ],
            [0.0; 4],
        ];
        assert_near(&found, expected.as_flattened(), 0.0, 1e-15);
    }
}

#[test]
fn labels_carry_weights_and_padding_counts_nothing() {
    let mut plan = Plan::new("test");
    let source = source(&mut plan, true);
    let batch = gather::labels(&mut plan, "batch", &source, 2).unwrap();
    let mut ran = run(&plan, &source, 0);
    assert_eq!(ran.get(batch.labels), [2.0, 1.0, 0.0, 0.0]);
    assert_eq!(ran.get(batch.label_weight), [0.25, 2.0, 1.0, 0.0]);
    assert_eq!(ran.get(batch.explained), [1.0, 1.0, 0.0, 0.0]);
}

#[test]
fn a_clock_moves_the_batch_on() {
    let mut plan = Plan::new("test");
    let source = source(&mut plan, true);
    let batch = gather::labels(&mut plan, "batch", &source, 2).unwrap();
    clock::advance(&mut plan, source.clock).unwrap();
    let mut ran = run(&plan, &source, 0);
    assert_eq!(ran.get(source.clock), [1.0]);
    ran.run();
    assert_eq!(ran.get(source.clock), [2.0]);
    assert_eq!(ran.get(batch.labels), [0.0, 0.0, 1.0, 2.0]);
}

#[test]
fn what_does_not_fit_is_refused() {
    let mut plan = Plan::new("test");
    let good = source(&mut plan, true);
    assert!(matches!(gather::pictures(&mut plan, "b", &good, 3), Err(PlanError::Shape { .. })));
    assert!(matches!(gather::pictures(&mut plan, "b", &good, 0), Err(PlanError::Shape { .. })));
    let short = Source { packed: false, ..good };
    assert!(matches!(gather::pictures(&mut plan, "b", &short, 2), Err(PlanError::Shape { .. })));
    let huge = Source { count: 1 << 31, ..good };
    assert!(matches!(gather::pictures(&mut plan, "b", &huge, 2), Err(PlanError::Limit { .. })));
    let error = gather::labels(&mut plan, "b", &Source { labels: good.order, ..good }, 2).unwrap_err();
    assert!(matches!(error, PlanError::Shape { .. }));
}

#[test]
fn outside_is_what_the_mask_leaves_out() {
    for (hard, expected) in [
        (true, [0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0]),
        (false, [0.0, 1.0, 0.8, 0.0, 127.0 / 255.0, 128.0 / 255.0, 0.0, 0.0]),
    ] {
        let mut plan = Plan::new("test");
        let source = source(&mut plan, true);
        let out = gather::outside(&mut plan, "batch", &source, 2, hard).unwrap();
        assert_eq!(plan.dims(out), [2, 2, 1, 2]);
        assert_near(&run(&plan, &source, 0).get(out), &expected, 0.0, 1e-15);
    }
}
