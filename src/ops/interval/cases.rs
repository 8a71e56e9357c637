//! Shapes for doctor and the tests.

use super::*;
use crate::ops::{Case, Fill, Tolerance, accuracy, gather, index_input, input};
use crate::plan::Variants;

/// What a box and weights are filled with.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Values {
    /// Small integers, all of whose sums are exact: what is left of the error is the rounding of the margin alone, far
    /// below the margin, so that a wrong margin is seen.
    Integers,
    /// Any values.
    Uniform,
    /// Integers, and a NaN at one end of some intervals.
    Poison,
}

const ALL: [Values; 3] = [Values::Integers, Values::Uniform, Values::Poison];

/// Of every sign, some of no width; entry by entry the two ends of an interval.
const LOW: [f32; 5] = [-3.0, 1.0, 0.0, -2.0, 2.0];
const HIGH: [f32; 5] = [-1.0, 4.0, 0.0, 5.0, 2.0];
/// The largest sizes of ends, weights and biases.
const MOST: [f64; 3] = [5.0, 3.0, 2.0];

impl Values {
    fn lo(self) -> Fill {
        match self {
            Values::Integers => Fill::Floats(LOW.to_vec()),
            Values::Uniform => Fill::Uniform(-5.0, 1.0),
            Values::Poison => Fill::Floats([&LOW[..], &LOW, &LOW[..4], &[f32::NAN]].concat()),
        }
    }

    fn hi(self) -> Fill {
        match self {
            Values::Integers => Fill::Floats(HIGH.to_vec()),
            Values::Uniform => Fill::Uniform(1.0, 5.0),
            Values::Poison => Fill::Floats([&HIGH[..4], &[f32::NAN], &HIGH, &HIGH].concat()),
        }
    }

    fn weight(self) -> Fill {
        match self {
            Values::Uniform => Fill::Uniform(-3.0, 3.0),
            _ => Fill::Floats(vec![2.0, -1.0, 0.0, 3.0, -2.0, 1.0, -3.0]),
        }
    }

    fn bias(self) -> Fill {
        match self {
            Values::Uniform => Fill::Uniform(-2.0, 2.0),
            _ => Fill::Floats(vec![1.0, -2.0, 0.0]),
        }
    }

    /// For sums of `terms` products whose sizes add up to `sizes` at most, and a margin for as many terms.
    fn tolerance(self, op: &str, terms: usize, sizes: f64) -> Result<Tolerance, PlanError> {
        let share = f64::from(margin(op, terms)?.0);
        // The margin, and the bound once the margin is in.
        let exact = 2.0 * accuracy::ULP * share * sizes;
        let rounded = (terms + 2) as f64 * accuracy::ULP * sizes;
        let absolute = if self == Values::Uniform { exact + rounded } else { exact };
        Ok(Tolerance::Mixed { relative: accuracy::ULP, absolute })
    }
}

/// A plan with a box of these dimensions, and how to fill it.
type Boxed = (Plan, Interval, Vec<(TensorId, Fill)>);

fn boxed(variants: &Variants, values: Values, dims: &[usize]) -> Result<Boxed, PlanError> {
    let mut plan = Plan::with_variants("bounds", variants);
    let x = Interval { lo: input(&mut plan, "lo", dims)?, hi: input(&mut plan, "hi", dims)? };
    Ok((plan, x, vec![(x.lo, values.lo()), (x.hi, values.hi())]))
}

/// Every kernel.
pub fn cases(variants: &Variants) -> Result<Vec<Case>, PlanError> {
    let mut cases = Vec::new();
    of_pictures(variants, &mut cases)?;
    for values in ALL {
        of_conv2d(variants, values, &mut cases)?;
        of_linear(variants, values, &mut cases)?;
        of_elements(variants, values, &mut cases)?;
    }
    Ok(cases)
}

fn of_pictures(variants: &Variants, cases: &mut Vec<Case>) -> Result<(), PlanError> {
    for (packed, run, data) in [
        (false, [1, 1, 2], [1, 1, 1, 1]),
        (true, [3, 5, 3], [4, 9, 7, 3]),
        (false, [2, 4, 2], [6, 25, 33, 4]),
        (true, [2, 3, 2], [7, 25, 33, 13]),
    ] {
        let mut plan = Plan::with_variants("bounds", variants);
        let (source, inputs) = gather::source_inputs(&mut plan, packed, run, data)?;
        pictures(&mut plan, "batch", &source, run[1])?;
        let used: Vec<TensorId> =
            plan.commands().iter().flat_map(|c| c.args.iter().map(|arg| arg.tensor)).collect();
        // Sixteenths: x and its margin are exact.
        let sixteenths = Fill::Indices((0..17).map(|k| (k as f32 / 16.0).to_bits()).collect());
        let fill = |(tensor, fill)| {
            (tensor, if tensor == source.pixels && !packed { sixteenths.clone() } else { fill })
        };
        let (r, n, [count, h, w, c]) = (run[0], run[1], data);
        cases.push(Case {
            kernel: "interval_pictures",
            shape: format!("{r}×{n} of {count}×{h}×{w}×{c} {}", if packed { "unorm8" } else { "f32" }),
            inputs: inputs.into_iter().filter(|(tensor, _)| used.contains(tensor)).map(fill).collect(),
            plan,
            // A quotient by 255 is 2.5 ULP off and counts twice, x and the bound are rounded: below the margin of 12.
            tolerance: match packed {
                false => Tolerance::Exact,
                true => Tolerance::Mixed { relative: 0.0, absolute: (5.0 + 1.0 + 1.0) * accuracy::ULP },
            },
        });
    }
    Ok(())
}

fn of_conv2d(variants: &Variants, values: Values, cases: &mut Vec<Case>) -> Result<(), PlanError> {
    let settings = |kernel, stride, padding, dilation| conv2d::Settings { kernel, stride, padding, dilation };
    for (x_dims, channels_out, settings) in [
        ([1, 1, 1, 1, 1], 1, settings([1, 1], [1, 1], [0, 0], [1, 1])),
        ([2, 3, 9, 7, 4], 8, settings([3, 3], [1, 1], [1, 1], [1, 1])),
        ([1, 2, 25, 33, 1], 16, settings([5, 5], [2, 2], [2, 2], [1, 1])),
        ([2, 1, 7, 9, 16], 13, settings([2, 3], [3, 1], [1, 3], [3, 2])),
        ([1, 1, 3, 3, 4], 4, settings([3, 3], [2, 2], [3, 3], [1, 1])), // windows of padding alone
    ] {
        let (mut plan, x, mut inputs) = boxed(variants, values, &x_dims)?;
        let [k_h, k_w] = settings.kernel;
        let weight = input(&mut plan, "weight", &[x_dims[0], k_h, k_w, x_dims[4], channels_out])?;
        let bias = input(&mut plan, "bias", &[x_dims[0], channels_out])?;
        inputs.extend([(weight, values.weight()), (bias, values.bias())]);
        conv2d(&mut plan, "conv", x, weight, bias, settings, x_dims[0] == 2)?;
        let terms = k_h * k_w * x_dims[4];
        cases.push(Case {
            kernel: "interval_conv2d",
            shape: format!("{x_dims:?} to {channels_out}, {settings:?}, {values:?}"),
            plan,
            inputs,
            tolerance: values.tolerance("cases", terms, MOST[2] + terms as f64 * MOST[0] * MOST[1])?,
        });
    }
    Ok(())
}

fn of_linear(variants: &Variants, values: Values, cases: &mut Vec<Case>) -> Result<(), PlanError> {
    for (x_dims, d_out) in
        [(vec![1, 1, 1], 1), (vec![3, 5, 13], 7), (vec![2, 3, 5, 4, 4], 16), (vec![1, 33, 300], 3)]
    {
        let replicas = x_dims[0];
        let d_in: usize = x_dims[2..].iter().product();
        for kernel in ["interval_linear", "interval_margin"] {
            let (mut plan, x, mut inputs) = boxed(variants, values, &x_dims)?;
            let weight = input(&mut plan, "weight", &[replicas, d_in, d_out])?;
            let bias = input(&mut plan, "bias", &[replicas, d_out])?;
            inputs.extend([(weight, values.weight()), (bias, values.bias())]);
            // For the margin every term holds two weights, and their difference is rounded.
            let mut terms = d_in;
            let mut sizes = MOST[2] + d_in as f64 * MOST[0] * MOST[1];
            if kernel == "interval_linear" {
                linear(&mut plan, "layer", x, weight, bias, d_out % 2 == 0)?;
            } else {
                let predictions = index_input(&mut plan, "predictions", &x_dims[..2])?;
                inputs.push((predictions, Fill::Below(d_out as u32 + 1)));
                margins(&mut plan, "layer", x, weight, bias, predictions)?;
                (terms, sizes) = (terms + 1, 2.0 * sizes);
            }
            let tolerance = values.tolerance("cases", terms, sizes)?;
            let shape = format!("{x_dims:?} to {d_out}, {values:?}");
            cases.push(Case { kernel, shape, plan, inputs, tolerance });
        }
    }
    Ok(())
}

fn of_elements(variants: &Variants, values: Values, cases: &mut Vec<Case>) -> Result<(), PlanError> {
    for dims in [[1, 1, 1, 1, 1], [3, 2, 1, 1, 65], [2, 3, 9, 7, 13]] {
        let shape = format!("{dims:?}, {values:?}");
        let [replicas, _, height, width, channels] = dims;
        let features = height * width * channels;

        let (mut plan, x, mut inputs) = boxed(variants, values, &dims)?;
        let weight = input(&mut plan, "weight", &[replicas, features])?;
        let bias = input(&mut plan, "bias", &[replicas, features])?;
        inputs.extend([(weight, values.weight()), (bias, values.bias())]);
        diagonal(&mut plan, "layer", x, weight, bias)?;
        let tolerance = values.tolerance("cases", 1, MOST[2] + MOST[0] * MOST[1])?;
        cases.push(Case { kernel: "interval_diagonal", shape: shape.clone(), plan, inputs, tolerance });

        let (mut plan, x, inputs) = boxed(variants, values, &dims)?;
        average_pool(&mut plan, "pool", x)?;
        let terms = height * width + 2;
        let Tolerance::Mixed { relative, absolute } = values.tolerance("cases", terms, MOST[0])? else {
            continue;
        };
        // The quotient of the sum, of which the margin takes away, and that of the sizes are within 2.5 ULP.
        let margin = f64::from(margin("cases", terms)?.0) * MOST[0];
        let tolerance = Tolerance::Mixed {
            relative: relative + 2.5 * accuracy::ULP,
            absolute: absolute + (2.5 + 2.5) * accuracy::ULP * margin,
        };
        cases.push(Case { kernel: "interval_average_pool", shape: shape.clone(), plan, inputs, tolerance });

        for gated in [false, true] {
            let (mut plan, h, mut inputs) = boxed(variants, values, &dims)?;
            let s = Interval { lo: input(&mut plan, "s.lo", &dims)?, hi: input(&mut plan, "s.hi", &dims)? };
            // Seven intervals against the five of h: every pair of them meets.
            let ends = |ends: [f32; 7], low, high| match values {
                Values::Uniform => Fill::Uniform(low, high),
                _ => Fill::Floats(ends.to_vec()),
            };
            inputs.push((s.lo, ends([-3.0, -2.0, -1.0, 0.0, 1.0, -4.0, 2.0], -3.0, 0.0)));
            inputs.push((s.hi, ends([-2.0, 3.0, -1.0, 0.0, 3.0, 2.0, 2.0], 0.0, 3.0)));
            match gated {
                true => gate(&mut plan, "gate", s, h)?,
                false => product(&mut plan, "product", s, h)?,
            };
            let shape = format!("{shape}{}", if gated { ", gate" } else { "" });
            // |g| ≤ 4 in both uses.
            let tolerance = values.tolerance("cases", 2, 4.0 * MOST[0])?;
            cases.push(Case { kernel: "interval_product", shape, plan, inputs, tolerance });
        }
    }
    Ok(())
}
