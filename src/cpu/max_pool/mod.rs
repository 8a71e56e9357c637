//! Max pooling.

pub mod backward;
pub mod forward;
pub mod tangent;

crate::params! {
    /// Uniform of both directions.
    pub struct MaxPool {
        /// R · N.
        images: u32,
        /// H.
        height: u32,
        /// W.
        width: u32,
        /// C.
        channels: u32,
        /// H_out.
        height_out: u32,
        /// W_out.
        width_out: u32,
        /// K_h.
        kernel_h: u32,
        /// K_w.
        kernel_w: u32,
        /// Step between windows, down.
        stride_h: u32,
        /// Step between windows, across.
        stride_w: u32,
        /// Rows above and below that never win.
        padding_h: u32,
        /// Columns left and right that never win.
        padding_w: u32,
    }
}

/// The coordinates of x that window `i` covers along one axis.
fn covered(i: usize, kernel: u32, stride: u32, padding: u32, size: u32) -> std::ops::Range<usize> {
    let first = i * stride as usize;
    let end = (first + kernel as usize).saturating_sub(padding as usize).min(size as usize);
    first.saturating_sub(padding as usize)..end
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::check::{assert_close, differences, golden, normal};
    use crate::cpu::{Args, Slice};

    fn pool(dims: [u32; 4], kernel: u32, stride: u32, padding: u32) -> MaxPool {
        let [images, height, width, channels] = dims;
        let size = |input: u32| (input + 2 * padding - kernel) / stride + 1;
        MaxPool {
            images,
            height,
            width,
            channels,
            height_out: size(height),
            width_out: size(width),
            kernel_h: kernel,
            kernel_w: kernel,
            stride_h: stride,
            stride_w: stride,
            padding_h: padding,
            padding_w: padding,
        }
    }

    fn forward(p: &MaxPool, x: &[f64]) -> (Vec<f64>, Vec<u32>) {
        let len = (p.images * p.height_out * p.width_out * p.channels) as usize;
        let (mut y, mut argmax) = (vec![f64::NAN; len], vec![u32::MAX; len]);
        let slices = vec![Slice::Read(x), Slice::Write(&mut y), Slice::WriteIndex(&mut argmax)];
        forward::run(&mut Args::new(bytemuck::bytes_of(p), slices)).unwrap();
        (y, argmax)
    }

    fn backward(p: &MaxPool, d_y: &[f64], argmax: &[u32]) -> Vec<f64> {
        let mut d_x = vec![f64::NAN; (p.images * p.height * p.width * p.channels) as usize];
        let slices = vec![Slice::Read(d_y), Slice::ReadIndex(argmax), Slice::Write(&mut d_x)];
        backward::run(&mut Args::new(bytemuck::bytes_of(p), slices)).unwrap();
        d_x
    }

    #[test]
    fn the_first_of_equals_wins_and_nan_beats_all() {
        let p = pool([1, 2, 4, 1], 2, 2, 0);
        let x = [1.0, 3.0, 5.0, f64::NAN, 3.0, 0.0, f64::NAN, 7.0];
        let (y, argmax) = forward(&p, &x);
        assert_eq!(y[0], 3.0);
        assert!(y[1].is_nan());
        assert_eq!(argmax, [1, 3]);
        let (y, argmax) = forward(&p, &[f64::NEG_INFINITY; 8]);
        assert_eq!((y, argmax), (vec![f64::NEG_INFINITY; 2], vec![0, 2]));
    }

    #[test]
    fn padding_never_wins() {
        let (y, argmax) = forward(&pool([1, 2, 2, 1], 3, 2, 1), &[-4.0, -3.0, -2.0, -1.0]);
        assert_eq!((y, argmax), (vec![-1.0], vec![3]));
    }

    #[test]
    fn backward_agrees_with_central_differences() {
        for p in [pool([2, 5, 6, 3], 2, 2, 0), pool([1, 7, 5, 2], 3, 2, 1), pool([1, 5, 5, 1], 3, 1, 1)] {
            let x = normal((p.images * p.height * p.width * p.channels) as usize, 1);
            let (y, argmax) = forward(&p, &x);
            let d_y = normal(y.len(), 2);
            let expected = differences(&x, &d_y, |x| forward(&p, x).0);
            assert_close(&backward(&p, &d_y, &argmax), &expected, 1e-9);
        }
    }

    #[test]
    fn twins_agree_with_pytorch() {
        for i in 0..2 {
            let get = |name: &str| golden(&format!("max_pool2d/{i}/{name}"));
            let (dims, x) = get("x");
            let p = pool([dims[0], dims[1], dims[2], dims[3]].map(|d| d as u32), 3, 2, 1);
            let (y, argmax) = forward(&p, &x);
            assert_eq!(y, get("y").1);
            assert_eq!(argmax.iter().map(|&a| f64::from(a)).collect::<Vec<_>>(), get("argmax").1);
            assert_close(&backward(&p, &get("d_y").1, &argmax), &get("d_x").1, 1e-12);
        }
    }
}
