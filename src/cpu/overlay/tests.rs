//! Heat and colours of maps that can be worked out by hand.

use crate::cpu::testing::{Ran, assert_near};
use crate::ops::{index_input, input, overlay};
use crate::plan::{Plan, PlanError};

#[test]
fn heat_is_the_root_of_squares_over_the_largest() {
    let heat = |values: &[f64], shift, floor| {
        let mut plan = Plan::new("test");
        let x = input(&mut plan, "x", &[values.len() / 2, 2]).unwrap();
        let heat = overlay::heat(&mut plan, "heat", x, shift, floor).unwrap();
        let mut ran = Ran::<f64>::new(&plan);
        ran.set(x, values);
        ran.run();
        ran.get(heat)
    };
    let open = f32::MIN;
    assert_near(&heat(&[3.0, -4.0, 0.0, 2.5, 0.0, 0.0], 0.0, open), &[1.0, 0.5, 0.0], 0.0, 1e-15);
    // A gate: max(1 + s, 0).
    assert_near(&heat(&[-3.0, -1.0, 0.0, -2.0, 1.0, -5.0], 1.0, 0.0), &[0.0, 0.5, 1.0], 0.0, 1e-15);
    assert_near(&heat(&[0.0; 4], 0.0, open), &[0.0, 0.0], 0.0, 0.0);
    assert_near(&heat(&[f64::NAN, 1.0, 2.0, 0.0], 0.0, open), &[0.0, 1.0], 0.0, 0.0);
    assert_near(&heat(&[f64::NAN, 1.0, 2.0, 0.0], 0.0, 0.0), &[0.0, 1.0], 0.0, 0.0);
}

#[test]
fn colors_are_looked_up() {
    let mut plan = Plan::new("test");
    let heat = input(&mut plan, "heat", &[7]).unwrap();
    let table = index_input(&mut plan, "table", &[256]).unwrap();
    let texels = index_input(&mut plan, "texels", &[7]).unwrap();
    overlay::colors(&mut plan, "colors", heat, table, texels).unwrap();
    let mut ran = Ran::<f64>::new(&plan);
    ran.set(heat, &[0.0, 1.0, 0.5, 1.0 / 256.0, -3.0, 9.0, f64::NAN]);
    ran.set_index(table, &(0..256).map(|i| 0xff00_0000 + i).collect::<Vec<u32>>());
    ran.run();
    let found: Vec<u32> = ran.get_index(texels).into_iter().map(|texel| texel - 0xff00_0000).collect();
    assert_eq!(found, [0, 255, 128, 1, 0, 255, 0]);
}

#[test]
fn every_byte_comes_back() {
    let mut plan = Plan::new("test");
    let x = input(&mut plan, "x", &[256, 1]).unwrap();
    let texels = index_input(&mut plan, "texels", &[256]).unwrap();
    overlay::picture(&mut plan, "picture", x, texels).unwrap();
    let mut ran = Ran::<f32>::new(&plan);
    ran.set(x, &(0..256).map(|byte| 2.0 * f64::from(byte) / 255.0 - 1.0).collect::<Vec<f64>>());
    ran.run();
    let expected: Vec<u32> = (0..=255u8).map(|byte| u32::from_le_bytes([byte, byte, byte, 255])).collect();
    assert_eq!(ran.get_index(texels), expected);
}

#[test]
fn what_does_not_fit_is_refused() {
    let mut plan = Plan::new("test");
    let x = input(&mut plan, "x", &[4, 2]).unwrap();
    let texels = index_input(&mut plan, "texels", &[3]).unwrap();
    assert!(matches!(overlay::picture(&mut plan, "p", x, texels), Err(PlanError::Shape { .. })));
    let flat = input(&mut plan, "flat", &[4]).unwrap();
    assert!(matches!(overlay::heat(&mut plan, "h", flat, 0.0, 0.0), Err(PlanError::Shape { .. })));
    assert!(matches!(overlay::colors(&mut plan, "c", flat, texels, texels), Err(PlanError::Shape { .. })));
}
