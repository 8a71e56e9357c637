use crate::cpu::testing::{Ran, assert_near, golden};
use crate::exec::TwinOf;
use crate::ops;
use crate::ops::optimizer::{self, Adam, Sgd};
use crate::plan::{Plan, PlanError, TensorId};

enum Kind {
    Adam(Adam),
    Sgd(Sgd),
}

struct Optimizer<T> {
    ran: Ran<T>,
    parameter: TensorId,
    gradient: TensorId,
    m: TensorId,
    v: TensorId,
    tick: TensorId,
    norm: TensorId,
}

impl<T: TwinOf> Optimizer<T> {
    fn new(kind: Kind, dims: &[usize], start: &[f64], lr: &[f64]) -> Self {
        let mut plan = Plan::new("test");
        let mut input = |name, dims: &[usize]| ops::input(&mut plan, name, dims).unwrap();
        let parameter = input("parameter", dims);
        let (gradient, m, v) = (input("gradient", dims), input("m", dims), input("v", dims));
        let (tick, norm) = (input("tick", &[dims[0], 4]), input("norm", &dims[..1]));
        let rate = input("lr", &dims[..1]);
        match kind {
            Kind::Adam(adam) => {
                optimizer::tick(&mut plan, "adam", tick, norm, adam.beta1, adam.beta2).unwrap();
                optimizer::adam(&mut plan, "adam", parameter, gradient, m, v, tick, rate, &adam).unwrap();
            }
            Kind::Sgd(sgd) => {
                optimizer::tick(&mut plan, "sgd", tick, norm, 0.0, 0.0).unwrap();
                optimizer::sgd(&mut plan, "sgd", parameter, gradient, m, tick, rate, &sgd).unwrap();
            }
        }
        let mut ran = Ran::new(&plan);
        ran.set(parameter, start);
        ran.set(rate, lr);
        Self { ran, parameter, gradient, m, v, tick, norm }
    }

    fn step(&mut self, gradient: &[f64], norm: &[f64]) -> Vec<f64> {
        self.ran.set(self.gradient, gradient);
        self.ran.set(self.norm, norm);
        self.ran.run();
        self.ran.get(self.parameter)
    }
}

fn follow(name: &str, kind: impl Fn(&[f64]) -> Kind, first: &str, second: Option<&str>) {
    let key = |what: &str| golden(&format!("optim/{name}/{what}"));
    let hyper = key("hyper");
    let mut optimizer = Optimizer::<f64>::new(kind(&hyper), &[1, 7], &key("start"), &hyper[..1]);
    for (gradient, expected) in key("grads").chunks(7).zip(key("path").chunks(7)) {
        assert_near(&optimizer.step(gradient, &[1.0]), expected, 1e-12, 1e-14);
    }
    assert_near(&optimizer.ran.get(optimizer.m), &key(first), 1e-12, 1e-14);
    if let Some(second) = second {
        assert_near(&optimizer.ran.get(optimizer.v), &key(second), 1e-12, 0.0);
    }
}

#[test]
fn five_steps_of_adam_and_adamw_are_those_of_pytorch() {
    for (name, decoupled) in [("adam", false), ("adamw", true)] {
        let kind = |h: &[f64]| {
            Kind::Adam(Adam { beta1: h[1], beta2: h[2], epsilon: h[3], weight_decay: h[4], decoupled })
        };
        follow(name, kind, "exp_avg", Some("exp_avg_sq"));
    }
}

#[test]
fn five_steps_of_nesterov_are_those_of_pytorch() {
    let kind = |h: &[f64]| Kind::Sgd(Sgd { momentum: h[1], nesterov: true, weight_decay: h[2] });
    follow("sgd_nesterov", kind, "momentum_buffer", None);
}

#[test]
fn plain_descent_and_heavy_ball_by_hand() {
    let sgd = |momentum| Kind::Sgd(Sgd { momentum, nesterov: false, weight_decay: 0.5 });
    let mut plain = Optimizer::<f64>::new(sgd(0.0), &[1, 1], &[2.0], &[0.25]);
    assert_eq!(plain.step(&[1.0], &[1.0]), [2.0 - 0.25 * (1.0 + 0.5 * 2.0)]);
    let mut heavy = Optimizer::<f64>::new(sgd(0.5), &[1, 1], &[2.0], &[0.25]);
    assert_eq!(heavy.step(&[1.0], &[1.0]), [1.5]); // velocity 2
    assert_eq!(heavy.step(&[1.0], &[1.0]), [1.5 - 0.25 * (0.5 * 2.0 + 1.0 + 0.75)]);
}

const ADAM: Adam = Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0.0, decoupled: false };

#[test]
fn an_inactive_replica_keeps_every_bit_and_the_others_go_on() {
    for kind in [Kind::Adam(ADAM), Kind::Sgd(Sgd { momentum: 0.9, nesterov: true, weight_decay: 0.1 })] {
        let start = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let mut optimizer = Optimizer::<f32>::new(kind, &[3, 2], &start, &[0.1, 0.2, 0.3]);
        optimizer.step(&[1.0; 6], &[1.0, 1.0, 0.0]);
        let state = |o: &mut Optimizer<f32>| [o.parameter, o.m, o.v, o.tick].map(|tensor| o.ran.get(tensor));
        let before = state(&mut optimizer);
        assert_eq!(before[0][4..], [5.0, 6.0]);
        optimizer.step(&[f64::NAN, f64::NAN, 1.0, 1.0, 1.0, 1.0], &[0.0, 2.0, 2.0]);
        let after = state(&mut optimizer);
        for (before, after) in before.iter().zip(&after).take(3) {
            assert_eq!(before[..2], after[..2]);
        }
        assert_eq!(before[3][..3], after[3][..3]);
        assert_eq!((after[3][3], after[3][7], after[3][11]), (0.0, 1.0, 1.0));
        assert_eq!((after[3][0], after[3][4], after[3][8]), (1.0, 2.0, 1.0));
        assert!(after[0][2] != before[0][2] && after[0][4] != before[0][4]);
        assert!(after[0].iter().all(|p| p.is_finite()));
    }
}

#[test]
fn a_nan_is_not_swallowed() {
    let mut optimizer = Optimizer::<f32>::new(Kind::Adam(ADAM), &[2, 1], &[1.0, 1.0], &[0.1, 0.1]);
    let stepped = optimizer.step(&[f64::NAN, 1.0], &[1.0, f64::NAN]);
    assert!(stepped[0].is_nan() && stepped[1].is_finite());
    assert_eq!(optimizer.ran.get(optimizer.tick)[7], 1.0, "a NaN norm counts as active, its gradient is NaN");
}

#[test]
fn bias_corrections_stay_right_in_f32_and_a_first_step_is_lr_long() {
    let mut optimizer = Optimizer::<f32>::new(Kind::Adam(ADAM), &[1, 1], &[1.0], &[0.5]);
    for t in 1..=2000 {
        let stepped = optimizer.step(&[-3.0], &[1.0]);
        let tick = optimizer.ran.get(optimizer.tick);
        assert_eq!(tick[0], f64::from(t));
        // f32 holds β to 2⁻²⁵, of which the exponent makes t times as much, and each step rounds once more.
        assert_near(&tick[1..3], &[1.0 - 0.9f64.powi(t), 1.0 - 0.999f64.powi(t)], 3e-5, 0.0);
        if t == 1 {
            assert_near(&stepped, &[1.5], 1e-6, 0.0);
        }
        if t == 1000 {
            // A constant gradient keeps m/c1 = g and √(v/c2) = |g|, rounded β or not: every step is lr long.
            assert_near(&stepped, &[501.0], 1e-5, 0.0);
        }
    }
}

#[test]
fn what_makes_no_sense_is_refused() {
    let mut plan = Plan::new("test");
    let mut input = |name, dims: &[usize]| ops::input(&mut plan, name, dims).unwrap();
    let (tick, norm) = (input("tick", &[2, 4]), input("norm", &[2]));
    for beta in [1.0, -0.1, f64::NAN] {
        let error = optimizer::tick(&mut plan, "adam", tick, norm, beta, 0.5).unwrap_err();
        assert!(matches!(error, PlanError::Settings { .. }));
    }
    let error = optimizer::tick(&mut plan, "adam", norm, norm, 0.5, 0.5).unwrap_err();
    assert!(matches!(error, PlanError::Shape { .. }));
}
