//! Each kernel against brute force in f64: every corner of small boxes, or a grid of points.

use crate::cpu::testing::{Ran, assert_near, normals, run};
use crate::ops::interval::{self, Interval};
use crate::ops::{conv2d, index_input, input};
use crate::plan::{Plan, PlanError, TensorId};

/// Two ends from normals: any signs, the first one of no width.
fn ends(seed: u64, len: usize) -> (Vec<f64>, Vec<f64>) {
    let (middle, radius) = (normals(seed, len), normals(seed + 1, len));
    let radius = |i: usize| if i == 0 { 0.0 } else { radius[i].abs() };
    ((0..len).map(|i| middle[i] - radius(i)).collect(), (0..len).map(|i| middle[i] + radius(i)).collect())
}

/// Both ends, kept readable when later commands have run.
fn kept(plan: &mut Plan, name: &str, y: Interval) -> Result<[TensorId; 2], PlanError> {
    plan.promote(y.lo, &format!("{name} lower"))?;
    plan.promote(y.hi, &format!("{name} upper"))?;
    Ok([y.lo, y.hi])
}

/// relative and absolute of `ops::interval`, written down again: γ_2N and 16 N · 2⁻¹²⁶, N = terms + 4.
fn margin(terms: usize, sizes: f64) -> f64 {
    let n = 2.0 * (terms + 4) as f64 / f64::from(1 << 23);
    n / (1.0 - n) * sizes
}

/// The ends of a sum of products without any rounding, and the sizes of its terms.
fn exact(bias: f64, terms: impl Iterator<Item = (f64, f64, f64)>) -> [f64; 3] {
    terms.fold([bias, bias, bias.abs()], |[low, high, sizes], (weight, lo, hi)| {
        let (a, b) = (weight * lo, weight * hi);
        [low + a.min(b), high + a.max(b), sizes + weight.abs() * lo.abs().max(hi.abs())]
    })
}

/// Exact up to the margin, whose relative part is rounded to f32.
fn assert_ends(found: [f64; 2], [low, high, sizes]: [f64; 3], terms: usize) {
    let margin = margin(terms, sizes);
    let rounding = 1e-6 * margin + 1e-13 * sizes;
    assert!((found[0] - (low - margin)).abs() <= rounding, "{found:?} is not {low} − {margin}");
    assert!((found[1] - (high + margin)).abs() <= rounding, "{found:?} is not {high} + {margin}");
}

#[test]
fn a_linear_layer_is_exact_and_its_ends_stand_at_corners() {
    let (d_in, d_out, batch) = (10, 3, 2);
    let (lo, hi) = ends(1, batch * d_in);
    let (weight, bias) = (normals(3, d_in * d_out), normals(4, d_out));
    let inputs: [(&str, &[usize], &[f64]); 4] = [
        ("lo", &[1, batch, d_in], &lo),
        ("hi", &[1, batch, d_in], &hi),
        ("weight", &[1, d_in, d_out], &weight),
        ("bias", &[1, d_out], &bias),
    ];
    let [y_lo, y_hi] = run::<f64, 2>(&inputs, |plan, t| {
        let y = interval::linear(plan, "layer", Interval { lo: t[0], hi: t[1] }, t[2], t[3], false)?;
        kept(plan, "y", y)
    });
    for (at, (&y_lo, &y_hi)) in y_lo.iter().zip(&y_hi).enumerate() {
        let (n, o) = (at / d_out, at % d_out);
        let terms = (0..d_in).map(|i| (weight[i * d_out + o], lo[n * d_in + i], hi[n * d_in + i]));
        let expected = exact(bias[o], terms);
        assert_ends([y_lo, y_hi], expected, d_in);
        let corner = |bits: usize| -> f64 {
            let x = |i: usize| if bits >> i & 1 == 0 { lo[n * d_in + i] } else { hi[n * d_in + i] };
            bias[o] + (0..d_in).map(|i| weight[i * d_out + o] * x(i)).sum::<f64>()
        };
        let values: Vec<f64> = (0..1 << d_in).map(corner).collect();
        let least = values.iter().copied().fold(f64::INFINITY, f64::min);
        let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        assert_near(&[least, most], &expected[..2], 1e-12, 1e-12);
        assert!(values.iter().all(|value| y_lo < *value && *value < y_hi));
    }
}

#[test]
fn a_convolution_is_exact_at_every_position() {
    let (dims, c_out) = ([2, 2, 5, 4, 3], 2);
    let len = dims.iter().product();
    let (lo, hi) = ends(5, len);
    let (weight, bias) = (normals(7, 2 * 6 * 3 * c_out), normals(8, 2 * c_out));
    let settings = conv2d::Settings { kernel: [3, 2], stride: [2, 1], padding: [1, 1], dilation: [1, 2] };
    let (out_h, out_w) = (3, 4);
    for relu in [false, true] {
        let inputs: [(&str, &[usize], &[f64]); 4] = [
            ("lo", &dims, &lo),
            ("hi", &dims, &hi),
            ("weight", &[2, 3, 2, 3, c_out], &weight),
            ("bias", &[2, c_out], &bias),
        ];
        let [y_lo, y_hi] = run::<f64, 2>(&inputs, |plan, t| {
            let x = Interval { lo: t[0], hi: t[1] };
            let y = interval::conv2d(plan, "conv", x, t[2], t[3], settings, relu)?;
            kept(plan, "y", y)
        });
        assert_eq!(y_lo.len(), 4 * out_h * out_w * c_out);
        for (at, (&y_lo, &y_hi)) in y_lo.iter().zip(&y_hi).enumerate() {
            let (o, w, h) = (at % c_out, at / c_out % out_w, at / c_out / out_w % out_h);
            let image = at / c_out / out_w / out_h;
            let replica = image / 2;
            let mut terms = Vec::new();
            for tap in 0..6 {
                let row = (h * 2 + tap / 2) as isize - 1;
                let column = (w + tap % 2 * 2) as isize - 1;
                if !(0..5).contains(&row) || !(0..4).contains(&column) {
                    continue;
                }
                for c in 0..3 {
                    let x = ((image * 5 + row as usize) * 4 + column as usize) * 3 + c;
                    terms.push((weight[((replica * 6 + tap) * 3 + c) * c_out + o], lo[x], hi[x]));
                }
            }
            let [low, high, sizes] = exact(bias[replica * c_out + o], terms.into_iter());
            if !relu {
                assert_ends([y_lo, y_hi], [low, high, sizes], 18);
                continue;
            }
            let margin = margin(18, sizes);
            assert_near(&[y_lo, y_hi], &[(low - margin).max(0.0), (high + margin).max(0.0)], 1e-12, 1e-9);
        }
    }
}

#[test]
fn a_diagonal_layer_and_a_mean_are_exact() {
    let (lo, hi) = ends(9, 24);
    let (weight, bias) = (normals(11, 12), normals(12, 12));
    let inputs: [(&str, &[usize], &[f64]); 4] = [
        ("lo", &[2, 2, 3, 2, 1], &lo),
        ("hi", &[2, 2, 3, 2, 1], &hi),
        ("weight", &[2, 6], &weight),
        ("bias", &[2, 6], &bias),
    ];
    let [z_lo, z_hi, y_lo, y_hi] = run::<f64, 4>(&inputs, |plan, t| {
        let x = Interval { lo: t[0], hi: t[1] };
        let z = interval::diagonal(plan, "layer", x, t[2], t[3])?;
        let [z_lo, z_hi] = kept(plan, "z", z)?;
        let y = interval::average_pool(plan, "pool", x)?;
        let [y_lo, y_hi] = kept(plan, "y", y)?;
        Ok([z_lo, z_hi, y_lo, y_hi])
    });
    for i in 0..24 {
        let d = i / 12 * 6 + i % 6;
        let expected = exact(bias[d], [(weight[d], lo[i], hi[i])].into_iter());
        assert_ends([z_lo[i], z_hi[i]], expected, 1);
    }
    for image in 0..4 {
        let terms = (0..6).map(|p| (1.0 / 6.0, lo[image * 6 + p], hi[image * 6 + p]));
        assert_ends([y_lo[image], y_hi[image]], exact(0.0, terms), 6 + 2);
    }
}

/// Every pair of signs and of zeros at the ends, each interval against each other one.
fn pairs() -> (Vec<[f64; 2]>, Vec<[f64; 2]>) {
    let points = [-2.0, -0.75, 0.0, 0.5, 3.0];
    let intervals: Vec<[f64; 2]> =
        (0..25).filter(|i| i / 5 <= i % 5).map(|i| [points[i / 5], points[i % 5]]).collect();
    let all = |first: bool| {
        let pick = |i: usize| intervals[if first { i / intervals.len() } else { i % intervals.len() }];
        (0..intervals.len().pow(2)).map(pick).collect()
    };
    (all(true), all(false))
}

fn factors(gate: bool) -> Vec<([f64; 2], [f64; 2], [f64; 2])> {
    let (s, h) = pairs();
    let side = |intervals: &[[f64; 2]], end: usize| intervals.iter().map(|x| x[end]).collect::<Vec<f64>>();
    let columns = [side(&s, 0), side(&s, 1), side(&h, 0), side(&h, 1)];
    let dims = [s.len()];
    let inputs: Vec<(&str, &[usize], &[f64])> = ["s.lo", "s.hi", "h.lo", "h.hi"]
        .into_iter()
        .zip(&columns)
        .map(|(n, c)| (n, &dims[..], &c[..]))
        .collect();
    let [lo, hi] = run::<f64, 2>(&inputs, |plan, t| {
        let (s, h) = (Interval { lo: t[0], hi: t[1] }, Interval { lo: t[2], hi: t[3] });
        let y = if gate { interval::gate(plan, "y", s, h)? } else { interval::product(plan, "y", s, h)? };
        kept(plan, "y", y)
    });
    (0..s.len()).map(|i| (s[i], h[i], [lo[i], hi[i]])).collect()
}

#[test]
fn products_hold_every_point_of_a_grid_and_meet_its_extremes() {
    for gate in [false, true] {
        for (s, h, [lo, hi]) in factors(gate) {
            let factor = |s: f64| if gate { (1.0 + s).max(0.0) } else { s };
            let between = |[a, b]: [f64; 2], i: usize| a + (b - a) * i as f64 / 20.0;
            let grid: Vec<f64> = (0..441).map(|i| factor(between(s, i / 21)) * between(h, i % 21)).collect();
            let least = grid.iter().copied().fold(f64::INFINITY, f64::min);
            let most = grid.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let reach = |[a, b]: [f64; 2]| a.abs().max(b.abs());
            let margin = margin(2, reach(s.map(factor)) * reach(h));
            assert!(lo <= least && most <= hi, "{s:?} {h:?} gave [{lo}, {hi}]");
            assert_near(&[lo, hi], &[least - margin, most + margin], 1e-12, 1e-6 * margin + 1e-30);
        }
    }
}

#[test]
fn a_gate_closed_all_over_the_box_gives_nothing_but_the_floor() {
    let closed: Vec<_> = factors(true).into_iter().filter(|(s, _, _)| s[1] < -1.0).collect();
    assert!(!closed.is_empty());
    assert!(closed.iter().all(|(_, _, [lo, hi])| lo.abs() < 1e-30 && hi.abs() < 1e-30));
}

#[test]
fn margins_between_logits_are_exact_and_no_looser_than_their_bounds() {
    let (features, classes, batch) = (9, 3, 4);
    let (lo, hi) = ends(13, batch * features);
    let (weight, bias) = (normals(15, features * classes), normals(16, classes));
    let predictions = [2, 0, 1, 3]; // the last one is no class
    let mut plan = Plan::new("test");
    let x = Interval {
        lo: input(&mut plan, "lo", &[1, batch, features]).unwrap(),
        hi: input(&mut plan, "hi", &[1, batch, features]).unwrap(),
    };
    let w = input(&mut plan, "weight", &[1, features, classes]).unwrap();
    let b = input(&mut plan, "bias", &[1, classes]).unwrap();
    let p = index_input(&mut plan, "predictions", &[1, batch]).unwrap();
    let margins = interval::margins(&mut plan, "layer", x, w, b, p).unwrap();
    let logits = interval::linear(&mut plan, "layer", x, w, b, false).unwrap();
    for (i, tensor) in [margins, logits.lo, logits.hi].into_iter().enumerate() {
        plan.promote(tensor, &format!("output {i}")).unwrap();
    }
    let mut ran = Ran::<f64>::new(&plan);
    for (tensor, values) in [(x.lo, &lo), (x.hi, &hi), (w, &weight), (b, &bias)] {
        ran.set(tensor, values);
    }
    ran.set_index(p, &predictions);
    ran.run();
    let (found, y_lo, y_hi) = (ran.get(margins), ran.get(logits.lo), ran.get(logits.hi));
    for n in 0..batch {
        for k in 0..classes {
            let (found, p) = (found[n * classes + k], predictions[n] as usize);
            if p == classes {
                assert!(found.is_nan());
            } else if p == k {
                assert_eq!(found, 0.0);
            } else {
                let terms = (0..features).map(|i| {
                    let [w_p, w_k] = [p, k].map(|k| weight[i * classes + k]);
                    (w_p - w_k, lo[n * features + i], hi[n * features + i])
                });
                let [low, _, _] = exact(bias[p] - bias[k], terms);
                let sizes: f64 = (0..features)
                    .map(|i| {
                        let reach = lo[n * features + i].abs().max(hi[n * features + i].abs());
                        (weight[i * classes + p].abs() + weight[i * classes + k].abs()) * reach
                    })
                    .sum();
                let margin = margin(features + 1, sizes + bias[p].abs() + bias[k].abs());
                assert_near(&[found], &[low - margin], 1e-12, 1e-6 * margin);
                assert!(found > y_lo[n * classes + p] - y_hi[n * classes + k] - margin);
            }
        }
    }
}

#[test]
fn a_nan_at_one_end_leaves_no_bound_at_either() {
    let nan = f64::NAN;
    for (lo, hi) in [([nan, 0.0], [1.0, 1.0]), ([0.0, 0.0], [nan, 1.0])] {
        let inputs: [(&str, &[usize], &[f64]); 6] = [
            ("lo", &[1, 1, 1, 2, 1], &lo),
            ("hi", &[1, 1, 1, 2, 1], &hi),
            ("weight", &[1, 2, 1], &[1.0, 0.0]),
            ("bias", &[1, 1], &[0.5]),
            ("scale", &[1, 2], &[1.0, 1.0]),
            ("shift", &[1, 2], &[0.0, 0.0]),
        ];
        let found = run::<f64, 8>(&inputs, |plan, t| {
            let x = Interval { lo: t[0], hi: t[1] };
            let a = interval::linear(plan, "a", x, t[2], t[3], true)?;
            let b = interval::average_pool(plan, "b", x)?;
            let c = interval::diagonal(plan, "c", x, t[4], t[5])?;
            let d = interval::product(plan, "d", x, x)?;
            let mut ends = Vec::new();
            for (name, y) in [("a", a), ("b", b), ("c", c), ("d", d)] {
                ends.extend(kept(plan, name, y)?);
            }
            Ok([0, 1, 2, 3, 4, 5, 6, 7].map(|i| ends[i]))
        });
        assert!(found.iter().all(|end| end[0].is_nan()), "{found:?}");
    }
}
