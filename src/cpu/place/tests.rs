//! Bytes at known places, with neighbours that must stay.

use crate::cpu::testing::Ran;
use crate::ops::place;
use crate::plan::{Plan, PlanError, Role, TensorId};
use crate::shader::DType;

fn index(plan: &mut Plan, name: &str, len: usize) -> TensorId {
    plan.add(name, &[len], DType::U32, Role::Data).unwrap()
}

/// Three pictures of three positions, of which number `picture` is placed; the bytes as they are then.
fn placed(picture: u32, channels: usize, texels: [[u8; 4]; 3]) -> Vec<u8> {
    let words = (3 * 3 * channels).div_ceil(4);
    let mut plan = Plan::new("test");
    let from = index(&mut plan, "texels", 3);
    let number = index(&mut plan, "index", 1);
    let bytes = index(&mut plan, "bytes", words);
    place::picture(&mut plan, "place", from, number, bytes, channels, 3).unwrap();
    let mut ran = Ran::<f64>::new(&plan);
    ran.set_index(from, &texels.map(u32::from_le_bytes));
    ran.set_index(number, &[picture]);
    ran.set_index(bytes, &vec![0x0909_0909; words]);
    ran.run();
    ran.get_index(bytes).into_iter().flat_map(u32::to_le_bytes).take(9 * channels).collect()
}

const TEXELS: [[u8; 4]; 3] = [[10, 20, 30, 40], [255, 255, 255, 0], [255, 0, 0, 9]];

#[test]
fn a_picture_lands_in_its_place_and_its_neighbours_stay() {
    let nine = [9; 9];
    assert_eq!(placed(1, 3, TEXELS), [nine, [10, 20, 30, 255, 255, 255, 255, 0, 0], nine].concat());
    // (2126·10 + 7152·20 + 722·30) / 10000 = 18.59; white is 255; red alone 54.2.
    assert_eq!(placed(0, 1, TEXELS), [18, 255, 54, 9, 9, 9, 9, 9, 9]);
    assert_eq!(placed(2, 1, TEXELS), [9, 9, 9, 9, 9, 9, 18, 255, 54]);
    assert_eq!(placed(3, 1, TEXELS), [9; 9], "there is no fourth place");
}

#[test]
fn grey_stays_itself() {
    for grey in [0, 1, 17, 127, 128, 254, 255] {
        assert_eq!(placed(0, 1, [[grey; 4]; 3])[..3], [grey; 3]);
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let mut plan = Plan::new("test");
    let (texels, number) = (index(&mut plan, "texels", 3), index(&mut plan, "index", 1));
    let bytes = index(&mut plan, "bytes", 3);
    for (channels, count) in [(1, 5), (5, 3), (0, 3)] {
        let error = place::picture(&mut plan, "place", texels, number, bytes, channels, count).unwrap_err();
        assert!(matches!(error, PlanError::Shape { .. } | PlanError::Settings { .. }), "{error}");
    }
}
