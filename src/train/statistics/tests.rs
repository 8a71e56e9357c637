use super::*;
use approx::assert_relative_eq;

#[test]
fn a_summary_is_the_textbooks() {
    let summary = Summary::of(&[2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]).unwrap();
    // Σ (x − 5)² = 32, so s² = 32 / 7.
    assert_eq!((summary.count, summary.mean), (8, 5.0));
    assert_relative_eq!(summary.sd.unwrap(), (32.0f64 / 7.0).sqrt(), max_relative = 1e-15);
    assert_relative_eq!(summary.standard_error().unwrap(), (32.0f64 / 56.0).sqrt(), max_relative = 1e-15);
    let one = Summary::of(&[3.0]).unwrap();
    assert_eq!((one.mean, one.sd, one.standard_error()), (3.0, None, None));
    assert!(matches!(Summary::of(&[]), Err(StatisticsError::TooFew { needed: 1, found: 0, .. })));
    let diverged = Summary::of(&[1.0, f64::NAN]).unwrap();
    assert!(diverged.mean.is_nan() && diverged.sd.unwrap().is_nan());
}

#[test]
fn a_paired_difference_ignores_what_the_seeds_share() {
    // Differences 1, 1, 4: mean 2, s² = (1 + 1 + 4) / 2 = 3, standard error 1.
    let difference = paired_difference(&[11.0, 101.0, 1004.0], &[10.0, 100.0, 1000.0]).unwrap();
    assert_eq!(difference.mean, 2.0);
    assert_relative_eq!(difference.standard_error().unwrap(), 1.0, max_relative = 1e-15);
    let error = paired_difference(&[1.0], &[1.0, 2.0]).unwrap_err();
    assert_eq!(error, StatisticsError::Lengths { what: "a paired difference", left: 1, right: 2 });
}

#[cfg(feature = "runs")]
mod intervals {
    use super::*;

    #[test]
    fn welch_is_the_value_computed_by_hand() {
        // s² = 2.5 and 4, so e = 1/2 and 4/3, the degrees (11/6)² / (1/16 + 8/9) and t = 2.92740530615245 (mpmath).
        let a = Summary::of(&[1.0, 2.0, 3.0, 4.0, 5.0]).unwrap();
        let b = Summary::of(&[0.0, 2.0, 4.0]).unwrap();
        let found = welch(&a, &b, 0.95).unwrap();
        assert_eq!(found.estimate, 1.0);
        assert_relative_eq!(found.degrees.unwrap(), 484.0 / 137.0, max_relative = 1e-14);
        assert_relative_eq!(found.high, 1.0 + REACH, max_relative = 1e-9);
        assert_relative_eq!(found.low, 1.0 - REACH, max_relative = 1e-9);
        assert!(found.contains(0.0) && !found.contains(5.0));
        let turned = welch(&b, &a, 0.95).unwrap();
        assert_eq!((turned.low, turned.high), (-found.high, -found.low));
    }

    const REACH: f64 = 3.96372552218629;

    #[test]
    fn quantiles_of_t_agree_with_thirty_digits() {
        // By bisection on mpmath's regularised incomplete beta function; confidence 0.5, 0.9, 0.95, 0.99.
        for (degrees, expected) in [
            (1.0, [1.0, 6.31375151467504, 12.7062047361747, 63.6567411628716]),
            (2.0, [0.816496580927726, 2.91998558035373, 4.30265272974946, 9.92484320091829]),
            (4.0, [0.740697084112683, 2.13184678632665, 2.77644510519779, 4.60409487134999]),
            (4.41, [0.734137108254762, 2.07615523739606, 2.67754837088473, 4.32451798627965]),
            (8.0, [0.706386612644839, 1.8595480375309, 2.30600413520417, 3.3553873313334]),
            (19.0, [0.68762146020396, 1.72913281152137, 2.09302405440831, 2.86093460646498]),
            (22.7, [0.685451226767551, 1.71482185090079, 2.07017143627905, 2.81064760868359]),
            (38.0, [0.681000878741716, 1.68595446016674, 2.02439416391197, 2.71155760191308]),
            (200.0, [0.67571841140422, 1.65250810091088, 1.97189622363391, 2.60063443619156]),
            (1998.0, [0.674612560361078, 1.64561663005767, 1.96115201483671, 2.57829225272064]),
        ] {
            for (confidence, expected) in [0.5, 0.9, 0.95, 0.99].into_iter().zip(expected) {
                let found = interval(0.0, 1.0, degrees, confidence).unwrap();
                assert_relative_eq!(found.high, expected, max_relative = 1e-9);
            }
        }
    }

    #[test]
    fn a_mean_has_n_minus_1_degrees() {
        let summary = Summary::of(&[1.0, 2.0, 3.0, 4.0, 5.0]).unwrap();
        let found = mean_interval(&summary, 0.95).unwrap();
        assert_eq!(found.degrees, Some(4.0));
        assert_relative_eq!(found.high, 3.0 + 2.77644510519779 * 0.5f64.sqrt(), max_relative = 1e-9);
    }

    #[test]
    fn no_spread_is_a_point_and_too_little_is_refused() {
        let still = Summary::of(&[0.5; 4]).unwrap();
        let point = welch(&still, &still, 0.95).unwrap();
        assert_eq!((point.low, point.high, point.degrees), (0.0, 0.0, None));
        let one = Summary::of(&[1.0]).unwrap();
        assert!(matches!(welch(&still, &one, 0.95), Err(StatisticsError::TooFew { found: 1, .. })));
        let wide = Summary::of(&[1.0, 2.0]).unwrap();
        for confidence in [0.0, 1.0, f64::NAN] {
            assert!(matches!(welch(&wide, &wide, confidence), Err(StatisticsError::Range { .. })));
        }
        let diverged = Summary { sd: Some(f64::NAN), ..wide };
        let found = welch(&wide, &diverged, 0.95).unwrap();
        assert!(found.low.is_nan() && found.high.is_nan() && !found.contains(0.0));
    }
}

#[test]
fn agreement_is_the_mean_over_pairs() {
    // Pairs: (a, b) 2/4, (a, c) 3/4, (b, c) 1/4.
    let [a, b, c] = [vec![0, 1, 2, 0], vec![0, 1, 0, 1], vec![1, 1, 2, 0]];
    assert_eq!(pairwise_agreement(&[a.clone(), b.clone(), c], 3).unwrap(), 0.5);
    assert_eq!(pairwise_agreement(&[a.clone(), a.clone()], 3).unwrap(), 1.0);
    // What is no class agrees with nothing, not even with its like.
    assert_eq!(pairwise_agreement(&[vec![3, 0], vec![3, 0]], 3).unwrap(), 0.5);
    assert!(matches!(pairwise_agreement(std::slice::from_ref(&a), 3), Err(StatisticsError::TooFew { .. })));
    assert!(matches!(pairwise_agreement(&[vec![], vec![]], 3), Err(StatisticsError::TooFew { .. })));
    assert!(matches!(pairwise_agreement(&[a, vec![0]], 3), Err(StatisticsError::Lengths { .. })));
}

#[test]
fn the_worst_group_is_the_one_with_the_lowest_share() {
    let predictions = [0, 0, 1, 1, 1, 0];
    let labels = [0, 0, 0, 1, 1, 1];
    let groups = [0, 0, 7, 1, 1, 1];
    let all = group_accuracies(&predictions, &labels, &groups).unwrap();
    assert_eq!(all.iter().map(|g| (g.group, g.pictures)).collect::<Vec<_>>(), [(0, 2), (1, 3), (7, 1)]);
    assert_eq!(all.iter().map(|g| g.accuracy).collect::<Vec<_>>(), [1.0, 2.0 / 3.0, 0.0]);
    assert_eq!(worst_group(&predictions, &labels, &groups).unwrap().group, 7);
    assert!(matches!(worst_group(&[], &[], &[]), Err(StatisticsError::TooFew { .. })));
    assert!(matches!(worst_group(&predictions, &labels, &[0]), Err(StatisticsError::Lengths { .. })));
}

#[test]
fn the_first_epoch_at_the_target_counts() {
    assert_eq!(epochs_to_accuracy(&[0.5, 0.8, 0.7, 0.9], 0.75), Some(2));
    assert_eq!(epochs_to_accuracy(&[0.5, 0.8], 0.8), Some(2));
    assert_eq!(epochs_to_accuracy(&[0.5, f64::NAN], 0.9), None);
}

#[test]
fn calibration_error_weighs_gaps_by_their_share() {
    // Two bins: 0.25 and 0.5 (half of them right), 0.75 and 1 (all right): (2·|0.5 − 0.375| + 2·|1 − 0.875|) / 4.
    let bins = reliability(&[0.25, 0.5, 0.75, 1.0], &[true, false, true, true], 2).unwrap();
    assert_eq!(bins[0], ReliabilityBin { count: 2, confidence: 0.375, accuracy: 0.5 });
    assert_eq!(bins[1], ReliabilityBin { count: 2, confidence: 0.875, accuracy: 1.0 });
    assert_eq!(expected_calibration_error(&bins).unwrap(), 0.125);
    assert_eq!(reliability(&[0.0], &[false], 10).unwrap()[0].count, 1);
    assert!(matches!(reliability(&[f64::NAN], &[true], 10), Err(StatisticsError::Range { .. })));
    assert!(matches!(reliability(&[0.5], &[], 10), Err(StatisticsError::Lengths { .. })));
    assert!(matches!(expected_calibration_error(&[]), Err(StatisticsError::TooFew { .. })));
}
