use super::*;
use proptest::prelude::*;

fn floats(data: &Dataset) -> &[f32] {
    match &data.pixels {
        Pixels::Float(values) => values,
        Pixels::Byte(_) => panic!("triangles are floats"),
    }
}

/// One noiseless triangle on a plain ground.
fn bare(class: usize, classes: &'static [usize], place: Place, seed: u64) -> (Picture, Mask) {
    let plain = Definition {
        place,
        distractors: (0, 0),
        noise: 0.0,
        train_counts: classes,
        ..TriangleSet::E.definition()
    };
    draw(&plain, class, PatchRule::None, &mut Random::new(seed, 0))
}

/// The pixels that differ from the ground: background ends at .35, triangles begin at .55.
fn lit(picture: &Picture) -> Vec<(f64, f64)> {
    let bright = picture.values.iter().enumerate().filter(|(_, value)| **value >= 0.55);
    bright.map(|(i, _)| ((i % SIZE) as f64 + 0.5, (i / SIZE) as f64 + 0.5)).collect()
}

#[test]
fn training_sets_have_the_documented_counts() {
    for (set, counts) in [
        (TriangleSet::E, vec![250, 250]),
        (TriangleSet::EI, vec![450, 50]),
        (TriangleSet::E4, vec![125; 4]),
        (TriangleSet::DS, vec![250, 250]),
    ] {
        let data = set.train(1).unwrap();
        data.validate().unwrap();
        assert_eq!(data.class_counts(), counts, "{set:?}");
        assert_eq!(data.explained_count(), 500);
        assert!(floats(&data).iter().all(|value| (0.0..=1.0).contains(value)));
        assert!(data.masks.iter().all(|&mask| mask == 0 || mask == 255));
    }
    let test = TriangleSet::E4.test(10, 1, PatchRule::None).unwrap();
    assert_eq!(test.class_counts(), [3, 3, 2, 2]);
    assert_eq!(test.classes, ["up", "right", "down", "left"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn turns_keep_the_counts_and_spread_them(counts in prop::collection::vec(0usize..60, 1..5)) {
        let labels = in_turn(&counts);
        let total = labels.len() as f64;
        for (class, &count) in counts.iter().enumerate() {
            prop_assert_eq!(labels.iter().filter(|&&label| label as usize == class).count(), count);
            let half = labels.iter().take(labels.len() / 2).filter(|&&label| label as usize == class).count();
            let due = count as f64 * (labels.len() / 2) as f64 / total.max(1.0);
            prop_assert!((half as f64 - due).abs() <= counts.len() as f64);
        }
    }

    #[test]
    fn the_mask_is_the_triangle_dilated_by_one(class in 0usize..4, uniform: bool, seed: u64) {
        let place = if uniform { Place::Uniform } else { Place::Centre };
        let (picture, mask) = bare(class, &[1; 4], place, seed);
        let lit = lit(&picture);
        // Area between that of the least and the greatest triangle, give or take its border.
        prop_assert!((20..110).contains(&lit.len()), "{} pixels", lit.len());
        for (i, &relevant) in mask.iter().enumerate() {
            let (x, y) = ((i % SIZE) as f64 + 0.5, (i / SIZE) as f64 + 0.5);
            let near = lit.iter().any(|(u, v)| (u - x).abs() < 1.5 && (v - y).abs() < 1.5);
            prop_assert_eq!(relevant, near, "pixel {} {}", x, y);
        }
    }
}

#[test]
fn classes_point_up_right_down_left_and_stay_in_their_place() {
    for (class, direction) in [(0, (0.0, -1.0)), (1, (1.0, 0.0)), (2, (0.0, 1.0)), (3, (-1.0, 0.0))] {
        let mut lean = 0.0;
        for seed in 0..50 {
            let lit = lit(&bare(class, &[1; 4], Place::Centre, seed).0);
            let n = lit.len() as f64;
            let mean = (lit.iter().map(|p| p.0).sum::<f64>() / n, lit.iter().map(|p| p.1).sum::<f64>() / n);
            let fold = |f: fn(f64, f64) -> f64, start| {
                lit.iter().fold((start, start), |a: (f64, f64), p| (f(a.0, p.0), f(a.1, p.1)))
            };
            let (low, high) = (fold(f64::min, f64::INFINITY), fold(f64::max, f64::NEG_INFINITY));
            let middle = ((low.0 + high.0) / 2.0, (low.1 + high.1) / 2.0);
            // Within 3 of the middle, and half a pixel for the raster.
            assert!((middle.0 - 16.0).abs() < 4.0 && (middle.1 - 16.0).abs() < 4.0, "{middle:?}");
            lean += (mean.0 - middle.0) * direction.0 + (mean.1 - middle.1) * direction.1;
        }
        // A triangle is heavier toward its base: height/6 ≈ 1.6 upright, less by the jitter and the lost apex.
        assert!((-1.6..-0.5).contains(&(lean / 50.0)), "class {class}: {}", lean / 50.0);
    }
}

#[test]
fn uniform_places_reach_the_border_and_centred_ones_do_not() {
    let touches = |place| {
        let border = |p: &(f64, f64)| p.0 < 2.0 || p.1 < 2.0 || p.0 > 30.0 || p.1 > 30.0;
        (0..100).filter(|&seed| lit(&bare(0, &[1, 1], place, seed).0).iter().any(border)).count()
    };
    assert_eq!(touches(Place::Centre), 0);
    assert!(touches(Place::Uniform) > 10);
}

#[test]
fn a_seed_is_a_data_set_and_parts_do_not_repeat() {
    let set = TriangleSet::ES;
    let bits = |data: Dataset| floats(&data).iter().map(|value| value.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(set.train(3).unwrap()), bits(set.train(3).unwrap()));
    assert_ne!(bits(set.train(3).unwrap()), bits(set.train(4).unwrap()));
    let part = |part| bits(generate(set, &[5, 5], 3, part, PatchRule::None).unwrap());
    assert_ne!(part(Part::Train), part(Part::Val));
    assert_ne!(part(Part::Val), part(Part::Test));
    // A longer test set begins with the shorter one.
    let test = |n| bits(set.test(n, 3, PatchRule::None).unwrap());
    assert_eq!(test(20)[..], test(30)[..20 * SIZE * SIZE]);
}

#[test]
fn a_patch_changes_nothing_outside_its_corner() {
    for set in [TriangleSet::E4, TriangleSet::BS] {
        let clean = set.test(40, 9, PatchRule::None).unwrap();
        for class in 0..set.definition().classes() {
            let patched = set.test(40, 9, PatchRule::Always(class)).unwrap();
            let corner = shapes::corner(class);
            assert_eq!(corner.iter().filter(|&&inside| inside).count(), PATCH * PATCH);
            for i in 0..40 {
                for (at, &inside) in corner.iter().enumerate() {
                    let at = i * SIZE * SIZE + at;
                    if inside {
                        assert_eq!(patched.masks[at], 0);
                    } else {
                        assert_eq!(floats(&patched)[at].to_bits(), floats(&clean)[at].to_bits());
                        assert_eq!(patched.masks[at], clean.masks[at]);
                    }
                }
            }
            // White before noise and clip: about 1 − noise·0.4 on average.
            let mean = |data: &Dataset| {
                let inside = (0..floats(data).len()).filter(|at| corner[at % (SIZE * SIZE)]);
                inside.map(|at| f64::from(floats(data)[at])).sum::<f64>() / (40 * PATCH * PATCH) as f64
            };
            assert!(mean(&patched) > 0.8 && mean(&clean) < 0.6, "{} {}", mean(&patched), mean(&clean));
        }
    }
    // Top left for class 0, top right for class 1.
    assert!(shapes::corner(0)[0] && shapes::corner(1)[SIZE - 1]);
}

#[test]
fn the_patch_follows_the_label_as_often_as_asked() {
    let share = |set: TriangleSet| {
        let data = set.train(5).unwrap();
        let clean = generate(set, set.definition().train_counts, 5, Part::Train, PatchRule::None).unwrap();
        let corners = [0, 1].map(shapes::corner);
        // Noise alone can clip to 1, so look for a change in any pixel of the corner.
        let patch = |i: usize, class: usize| {
            let mut pixels = data.picture(i).into_iter().zip(clean.picture(i)).zip(&corners[class]);
            pixels.any(|((a, b), &inside)| inside && a != b)
        };
        let mut follows = 0;
        for i in 0..data.len() {
            let label = data.labels[i] as usize;
            assert!(patch(i, 0) != patch(i, 1), "{set:?} picture {i} has one patch");
            follows += usize::from(patch(i, label));
        }
        follows as f64 / data.len() as f64
    };
    assert_eq!(share(TriangleSet::BS), 1.0);
    // 500 draws at .95: standard error .01.
    assert!((share(TriangleSet::DS) - 0.95).abs() < 0.04, "{}", share(TriangleSet::DS));
}

#[test]
fn the_other_patch_is_any_other_class() {
    for draw in [0.0, 0.3, 0.6, 0.999_999_999] {
        let other = patch_class(PatchRule::Follows(0.0), 2, 4, draw).unwrap();
        assert!(other < 4 && other != 2);
    }
    assert_eq!(patch_class(PatchRule::Follows(0.5), 0, 4, 0.51), Some(1));
    assert_eq!(patch_class(PatchRule::Follows(0.5), 0, 4, 0.99), Some(3));
    assert_eq!(patch_class(PatchRule::Follows(1.0), 1, 2, 0.999), Some(1));
}

#[test]
fn names_parse_and_unknown_ones_list_the_known() {
    for set in TriangleSet::ALL {
        let name = format!("triangles:{}", set.definition().name);
        assert_eq!(TriangleSet::built_in(&name).unwrap().unwrap(), set);
    }
    assert_eq!("e4".parse::<TriangleSet>().unwrap(), TriangleSet::E4);
    assert!(TriangleSet::built_in("pictures/E").is_none());
    let message = TriangleSet::built_in("triangles:X").unwrap().unwrap_err().to_string();
    assert!(message.contains("triangles:X") && message.contains("triangles:ES, triangles:EI"), "{message}");
}

#[test]
fn impossible_requests_are_refused() {
    let ask = |counts: &[usize], patch| generate(TriangleSet::E, counts, 0, Part::Test, patch).unwrap_err();
    assert!(matches!(ask(&[1, 1, 1], PatchRule::None), DataError::Counts { given: 3, classes: 2, .. }));
    assert!(matches!(ask(&[1, 1], PatchRule::Always(2)), DataError::Option { .. }));
    assert!(matches!(ask(&[1, 1], PatchRule::Follows(f64::NAN)), DataError::Option { .. }));
}
