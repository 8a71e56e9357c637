use super::rounding::{MOST_TERMS, U, above};
use super::*;
use crate::ops::input;

#[test]
fn margins_grow_with_the_terms_and_end_where_the_derivation_does() {
    let (one, nothing) = margin("test", 1).unwrap();
    assert!(f64::from(one) >= 10.0 * U && f64::from(one) < 10.1 * U);
    assert!(nothing > f32::MIN_POSITIVE);
    assert!(margin("test", 1000).unwrap().0 > 100.0 * one);
    assert!(matches!(margin("test", MOST_TERMS + 1), Err(PlanError::Limit { .. })));
    // At the end, N u is 1/16 but for four terms, as the derivation asks.
    assert!((MOST_TERMS as f64) * U <= 1.0 / 16.0);
    assert_eq!(above(0.1), 0.1f32, "0.1f32 lies above 0.1");
    assert_eq!(above(0.3), 0.3f32);
    assert!(f64::from(above(0.7)) >= 0.7 && (0.7f64 as f32) < above(0.7));
}

#[test]
fn shapes_that_do_not_suit_are_typed_errors() {
    let mut plan = Plan::new("test");
    let x = Interval::new(&mut plan, "x", &[2, 3, 4]).unwrap();
    let weight = input(&mut plan, "weight", &[2, 4, 5]).unwrap();
    let bias = input(&mut plan, "bias", &[2, 5]).unwrap();
    let skewed = Interval { hi: weight, ..x };
    let named = |result: Result<Interval, PlanError>| match result {
        Err(PlanError::Shape { tensor, .. }) => tensor,
        other => panic!("{other:?}"),
    };
    assert_eq!(named(linear(&mut plan, "layer", skewed, weight, bias, false)), "weight");
    assert_eq!(named(linear(&mut plan, "layer", x, bias, bias, false)), "bias");
    assert_eq!(named(linear(&mut plan, "layer", x, weight, weight, false)), "weight");
    assert_eq!(named(diagonal(&mut plan, "layer", x, bias, bias)), "x.lo");
    assert_eq!(named(average_pool(&mut plan, "pool", x)), "x.lo");
    let other = Interval::new(&mut plan, "other", &[2, 3, 5]).unwrap();
    assert_eq!(named(product(&mut plan, "product", x, other)), "x.lo");
    let settings = conv2d::Settings { kernel: [1, 1], stride: [1, 1], padding: [0, 0], dilation: [1, 1] };
    let refused = conv2d(&mut plan, "conv", x, weight, bias, settings, false);
    assert!(matches!(refused, Err(PlanError::Settings { .. })));
    let refused = margins(&mut plan, "layer", x, weight, bias, bias);
    assert!(matches!(refused, Err(PlanError::Shape { tensor, .. }) if tensor == "bias"));
    assert!(linear(&mut plan, "layer", x, weight, bias, false).is_ok());
}
