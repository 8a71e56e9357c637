use super::*;
use crate::cpu::check::{Twin, assert_close, call, differences, golden, normal};

const FORWARD: Twin = forward::run::<f64>;
const BACKWARD_INPUT: Twin = backward_input::run::<f64>;
const BACKWARD_WEIGHT: Twin = backward_weight::run::<f64>;

/// R, N, H, W, C_in, C_out, then kernel, stride, padding and dilation, each (h, w).
fn conv(dims: [u32; 6], k: [u32; 2], s: [u32; 2], p: [u32; 2], d: [u32; 2]) -> Conv2d {
    let [replicas, batch, height, width, channels_in, channels_out] = dims;
    let size = |input, i: usize| (input + 2 * p[i] - d[i] * (k[i] - 1) - 1) / s[i] + 1;
    let (height_out, width_out) = (size(height, 0), size(width, 1));
    Conv2d {
        replicas,
        batch,
        height,
        width,
        channels_in,
        height_out,
        width_out,
        channels_out,
        kernel_h: k[0],
        kernel_w: k[1],
        stride_h: s[0],
        stride_w: s[1],
        padding_h: p[0],
        padding_w: p[1],
        dilation_h: d[0],
        dilation_w: d[1],
        slices: 1,
        slice_length: batch * height_out * width_out,
        relu: 0,
    }
}

fn lens(p: &Conv2d) -> [usize; 4] {
    let images = p.replicas * p.batch;
    [
        images * p.height * p.width * p.channels_in,
        p.replicas * p.kernel_h * p.kernel_w * p.channels_in * p.channels_out,
        p.replicas * p.channels_out,
        images * p.height_out * p.width_out * p.channels_out,
    ]
    .map(|len| len as usize)
}

fn shapes() -> Vec<Conv2d> {
    vec![
        conv([1, 1, 3, 3, 1, 1], [3, 3], [1, 1], [1, 1], [1, 1]),
        conv([2, 2, 5, 4, 3, 2], [3, 2], [1, 2], [1, 0], [1, 1]),
        conv([1, 2, 7, 6, 2, 5], [3, 3], [2, 1], [2, 3], [2, 1]),
        conv([1, 1, 13, 12, 1, 2], [1, 1], [1, 1], [0, 0], [1, 1]), // more than one block of positions
    ]
}

#[test]
fn forward_is_the_defining_sum() {
    for p in shapes() {
        let [x, weight, bias, y] = lens(&p);
        let (x, weight, bias) = (normal(x, 1), normal(weight, 2), normal(bias, 3));
        let found = call(FORWARD, &p, &[&x, &weight, &bias], y);
        let [n, h, w, c, ho, wo, o] =
            [p.batch, p.height, p.width, p.channels_in, p.height_out, p.width_out, p.channels_out]
                .map(|v| v as usize);
        let mut expected = vec![0.0; y];
        for (at, expected) in expected.iter_mut().enumerate() {
            let (out, pos) = (at % o, at / o);
            let (col, row, image) = (pos % wo, pos / wo % ho, pos / wo / ho);
            let r = image / n;
            *expected = bias[r * o + out];
            for tap in 0..(p.kernel_h * p.kernel_w) as usize {
                let (kh, kw) = (tap / p.kernel_w as usize, tap % p.kernel_w as usize);
                let hh =
                    (row * p.stride_h as usize + kh * p.dilation_h as usize) as isize - p.padding_h as isize;
                let ww =
                    (col * p.stride_w as usize + kw * p.dilation_w as usize) as isize - p.padding_w as isize;
                if hh < 0 || ww < 0 || hh >= h as isize || ww >= w as isize {
                    continue;
                }
                for i in 0..c {
                    let x = x[((image * h + hh as usize) * w + ww as usize) * c + i];
                    *expected +=
                        x * weight[((r * (p.kernel_h * p.kernel_w) as usize + tap) * c + i) * o + out];
                }
            }
        }
        assert_close(&found, &expected, 1e-13);

        let clipped: Vec<f64> = found.iter().map(|y| y.max(0.0)).collect();
        assert_eq!(call(FORWARD, &Conv2d { relu: 1, ..p }, &[&x, &weight, &bias], y), clipped);
    }
}

#[test]
fn backward_agrees_with_central_differences() {
    for p in shapes() {
        let [x, weight, bias, y] = lens(&p);
        let (x, weight, bias, d_y) = (normal(x, 1), normal(weight, 2), normal(bias, 3), normal(y, 4));
        let d_x = call(BACKWARD_INPUT, &p, &[&d_y, &weight], x.len());
        let by_differences = differences(&x, &d_y, |x| call(FORWARD, &p, &[x, &weight, &bias], y));
        assert_close(&d_x, &by_differences, 1e-8);

        let d_weight = call(BACKWARD_WEIGHT, &p, &[&x, &d_y], weight.len());
        let by_differences = differences(&weight, &d_y, |weight| call(FORWARD, &p, &[&x, weight, &bias], y));
        assert_close(&d_weight, &by_differences, 1e-8);
    }
}

#[test]
fn slices_add_up_to_the_whole() {
    for p in shapes() {
        let [x, weight, _, y] = lens(&p);
        let (x, d_y) = (normal(x, 1), normal(y, 4));
        let whole = call(BACKWARD_WEIGHT, &p, &[&x, &d_y], weight);
        let slice_length = p.slice_length.div_ceil(3);
        let slices = p.slice_length.div_ceil(slice_length);
        let cut = Conv2d { slices, slice_length, ..p };
        let parts = call(BACKWARD_WEIGHT, &cut, &[&x, &d_y], weight * slices as usize);
        let each = weight / p.replicas as usize;
        let sums: Vec<f64> = (0..weight)
            .map(|i| {
                (0..slices as usize).map(|s| parts[(i / each * slices as usize + s) * each + i % each]).sum()
            })
            .collect();
        assert_close(&sums, &whole, 1e-13);
    }
}

#[test]
fn twins_agree_with_pytorch() {
    for i in 0..3 {
        let get = |name: &str| golden(&format!("conv2d/{i}/{name}"));
        let (x_dims, x) = get("x");
        let (w_dims, weight) = get("weight");
        let (_, bias) = get("bias");
        let (_, geometry) = get("geometry");
        let pair = |at: usize| [geometry[at] as u32, geometry[at + 1] as u32];
        let dims = [1, x_dims[0], x_dims[1], x_dims[2], x_dims[3], w_dims[3]].map(|d| d as u32);
        let p = conv(dims, [w_dims[0] as u32, w_dims[1] as u32], pair(0), pair(2), pair(4));

        let (y_dims, y) = get("y");
        assert_eq!(y_dims[1..3], [p.height_out as usize, p.width_out as usize]);
        assert_close(&call(FORWARD, &p, &[&x, &weight, &bias], y.len()), &y, 1e-12);
        let d_y = get("d_y").1;
        assert_close(&call(BACKWARD_INPUT, &p, &[&d_y, &weight], x.len()), &get("d_x").1, 1e-12);
        assert_close(&call(BACKWARD_WEIGHT, &p, &[&x, &d_y], weight.len()), &get("d_weight").1, 1e-12);
        let sum = crate::cpu::bias::Bias {
            replicas: 1,
            rows: p.slice_length,
            channels: p.channels_out,
            slices: 1,
            slice_length: p.slice_length,
        };
        let d_bias = call(crate::cpu::bias::backward::run::<f64>, &sum, &[&d_y], bias.len());
        assert_close(&d_bias, &get("d_bias").1, 1e-12);
    }
}
