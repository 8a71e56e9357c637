use super::*;
use crate::cpu::{Args, Slice};

/// The mask as 0 and 1 for a key of each replica, at a step, in a layer.
fn mask(p: Dropout, key: &[u32], step: u32) -> Vec<f64> {
    let x = vec![1.0; p.count as usize];
    let mut y = vec![f64::NAN; x.len()];
    let slices = [
        Slice::ReadIndex(key),
        Slice::ReadIndex(std::slice::from_ref(&step)),
        Slice::Read(&x),
        Slice::Write(&mut y),
    ];
    forward::run::<f64>(&mut Args::new(bytemuck::bytes_of(&p), slices)).unwrap();
    y
}

/// A quarter is dropped; no scaling, so that the mask itself comes out.
const P: Dropout = Dropout { count: 40_000, size: 40_000, layer: 3, threshold: 1 << 30, scale: 1.0 };

/// Share of places where two masks are equal; for independent ones ¾ · ¾ + ¼ · ¼ = 0.625.
fn agreement(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).filter(|(a, b)| a == b).count() as f64 / a.len() as f64
}

#[test]
fn a_share_is_dropped_and_neighbours_know_nothing_of_each_other() {
    let own = mask(P, &[11, 12], 5);
    // Four standard deviations of a count of 40,000 at ¼ are 0.009.
    let kept = own.iter().sum::<f64>() / own.len() as f64;
    assert!((kept - 0.75).abs() < 0.009, "{kept}");
    for shift in [1, 2, 3, 7, 64, 1024] {
        let agreed = agreement(&own[shift..], &own);
        assert!((agreed - 0.625).abs() < 0.012, "{shift}: {agreed}");
    }
}

#[test]
fn step_layer_and_both_words_of_the_key_draw_anew() {
    let own = mask(P, &[11, 12], 5);
    assert_eq!(own, mask(P, &[11, 12], 5), "the same numbers give the same mask");
    let others = [
        mask(P, &[11, 12], 6),
        mask(P, &[10, 12], 5),
        mask(P, &[11, 13], 5),
        mask(Dropout { layer: 4, ..P }, &[11, 12], 5),
    ];
    for other in others {
        let agreed = agreement(&own, &other);
        assert!((agreed - 0.625).abs() < 0.012, "{agreed}");
    }
}

#[test]
fn a_replica_has_the_mask_of_a_single_run_with_its_key() {
    let p = Dropout { count: 30_000, size: 10_000, ..P };
    let single = Dropout { count: 10_000, size: 10_000, ..P };
    let keys = [1, 2, 3, 4, 5, 6];
    let all = mask(p, &keys, 9);
    for (r, key) in keys.chunks(2).enumerate() {
        assert_eq!(all[r * 10_000..][..10_000], mask(single, key, 9));
    }
}
