use crate::cpu::testing::{Ran, assert_near};
use crate::ops::augment::{Transform, WORDS};
use crate::ops::gather::{self, Source};
use crate::plan::{Plan, TensorId};

const SIZE: usize = 6;

/// One picture of 6×6 bytes, its mask, and as many slots as there are transforms.
struct Fixture {
    pixels: [u8; SIZE * SIZE],
    masks: [u8; SIZE * SIZE],
}

impl Fixture {
    fn new() -> Self {
        Self {
            pixels: std::array::from_fn(|i| (i * i % 251) as u8),
            masks: std::array::from_fn(|i| if i % 5 == 0 { 255 } else { (i * 7 % 256) as u8 }),
        }
    }

    /// x in [0, 1], x' and outside of each transform's slot.
    fn run(&self, transforms: &[Transform], turned: bool) -> [Vec<f64>; 3] {
        let mut plan = Plan::new("test");
        let n = transforms.len();
        let (plain, _) = gather::source_inputs(&mut plan, true, [1, n, 1], [1, SIZE, SIZE, 1]).unwrap();
        let geometry = crate::ops::index_input(&mut plan, "geometry", &[1, n, WORDS]).unwrap();
        let source = Source { geometry: turned.then_some(geometry), ..plain };
        let outs: [TensorId; 3] = [
            gather::pictures(&mut plan, "a", &source, n).unwrap(),
            gather::masked(&mut plan, "b", &source, n, false).unwrap(),
            gather::outside(&mut plan, "c", &source, n, false).unwrap(),
        ];
        // Outputs share no memory.
        for (out, name) in outs.into_iter().zip(["x", "x'", "outside"]) {
            plan.promote(out, name).unwrap();
        }
        let mut ran = Ran::<f64>::new(&plan);
        let words = |bytes: &[u8]| -> Vec<u32> {
            bytes.chunks(4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
        };
        ran.set_index(source.pixels, &words(&self.pixels));
        ran.set_index(source.masks, &words(&self.masks));
        ran.set_index(source.order, &vec![0; n]);
        ran.set_index(source.clock, &[0]);
        ran.set(source.fill, &[0.0]);
        if turned {
            ran.set_index(geometry, &transforms.iter().flat_map(Transform::words).collect::<Vec<_>>());
        }
        ran.run();
        let mut values = outs.map(|out| ran.get(out));
        values[0].iter_mut().for_each(|x| *x = (*x + 1.0) / 2.0);
        values
    }

    /// The picture with each pixel from where `from` says.
    fn moved(&self, from: impl Fn(usize, usize) -> (usize, usize)) -> Vec<f64> {
        let at = |i: usize| from(i / SIZE, i % SIZE);
        (0..SIZE * SIZE).map(|i| f64::from(self.pixels[at(i).0 * SIZE + at(i).1]) / 255.0).collect()
    }
}

fn of(matrix: [[f64; 2]; 2], offset: [f64; 2], brightness: f64) -> Transform {
    Transform { matrix, offset, brightness }
}

const STRAIGHT: [[f64; 2]; 2] = [[1.0, 0.0], [0.0, 1.0]];

#[test]
fn what_moves_nothing_leaves_every_bit() {
    let fixture = Fixture::new();
    let transforms = [Transform::IDENTITY; 2];
    assert_eq!(fixture.run(&transforms, true), fixture.run(&transforms, false));
}

#[test]
fn flips_turns_and_shifts_move_pixels_whole() {
    let fixture = Fixture::new();
    let last = SIZE - 1;
    let edge = |i: usize, by: i32| (i as i32 + by).clamp(0, last as i32) as usize;
    for (transform, expected) in [
        (of([[1.0, 0.0], [0.0, -1.0]], [0.0; 2], 1.0), fixture.moved(|y, x| (y, last - x))),
        (of([[-1.0, 0.0], [0.0, 1.0]], [0.0; 2], 1.0), fixture.moved(|y, x| (last - y, x))),
        (of([[0.0, 1.0], [-1.0, 0.0]], [0.0; 2], 1.0), fixture.moved(|y, x| (x, last - y))),
        (of(STRAIGHT, [2.0, -3.0], 1.0), fixture.moved(|y, x| (edge(y, 2), edge(x, -3)))),
    ] {
        let [x, ..] = fixture.run(&[transform], true);
        assert_near(&x, &expected, 0.0, 1e-12);
    }
}

#[test]
fn half_a_pixel_is_the_mean_of_two_and_light_stops_at_white() {
    let fixture = Fixture::new();
    let [x, ..] = fixture.run(&[of(STRAIGHT, [0.0, 0.5], 1.0)], true);
    let (here, next) = (fixture.moved(|y, x| (y, x)), fixture.moved(|y, x| (y, (x + 1).min(SIZE - 1))));
    let mean: Vec<f64> = here.iter().zip(&next).map(|(a, b)| (a + b) / 2.0).collect();
    assert_near(&x, &mean, 0.0, 1e-12);
    let [x, ..] = fixture.run(&[of(STRAIGHT, [0.0; 2], 1.5)], true);
    let lit: Vec<f64> = here.iter().map(|p| (1.5 * p).min(1.0)).collect();
    assert!(lit.contains(&1.0) && lit.iter().any(|&p| p > 0.0 && p < 1.0));
    assert_near(&x, &lit, 0.0, 1e-12);
}

/// Zoom by two thirds and a turn by 30°, against bilinear interpolation in floats; weights are rounded to 2⁻⁸, so a value
/// may be off by a step of 2⁻⁹ and a bit along either axis.
#[test]
fn a_turn_is_bilinear_interpolation() {
    let fixture = Fixture::new();
    let (sin, cos) = 30f64.to_radians().sin_cos();
    let matrix = [[cos, -sin], [sin, cos]].map(|row| row.map(|v| v * 2.0 / 3.0));
    let [x, ..] = fixture.run(&[of(matrix, [0.25, -0.5], 1.0)], true);
    let middle = (SIZE as f64 - 1.0) / 2.0;
    let pixel = |y: f64, x: f64| {
        let inside = |v: f64| v.clamp(0.0, SIZE as f64 - 1.0) as usize;
        f64::from(fixture.pixels[inside(y) * SIZE + inside(x)]) / 255.0
    };
    for (i, found) in x.iter().enumerate() {
        let p = [(i / SIZE) as f64 - middle, (i % SIZE) as f64 - middle];
        let at = |row: [f64; 2], offset: f64| middle + row[0] * p[0] + row[1] * p[1] + offset;
        let (y, x) = (at(matrix[0], 0.25), at(matrix[1], -0.5));
        let (fy, fx) = (y - y.floor(), x - x.floor());
        let row = |y: f64| (1.0 - fx) * pixel(y, x.floor()) + fx * pixel(y, x.floor() + 1.0);
        let expected = (1.0 - fy) * row(y.floor()) + fy * row(y.floor() + 1.0);
        assert!((found - expected).abs() <= 2.0 * (1.0 / 512.0 + 1e-3 / 512.0), "{i}: {found}, {expected}");
    }
}

/// With a fill of 0, x' = e · x: picture and mask have moved together, and e is never a blend of two masks.
#[test]
fn a_mask_moves_with_its_picture() {
    let fixture = Fixture::new();
    let (sin, cos) = 0.4f64.sin_cos();
    let transform = of([[0.9 * cos, -0.9 * sin], [0.9 * sin, -0.9 * cos]], [0.5, 1.0], 1.0);
    let [x, masked, outside] = fixture.run(&[transform], true);
    for i in 0..SIZE * SIZE {
        let e = 1.0 - outside[i];
        assert!((masked[i] - e * (2.0 * x[i] - 1.0)).abs() < 1e-12);
        assert!(fixture.masks.iter().any(|&m| (f64::from(m) / 255.0 - e).abs() < 1e-12));
    }
    // The mirror image of the mask, for a transform that keeps pixels whole.
    let [_, _, outside] = fixture.run(&[of([[1.0, 0.0], [0.0, -1.0]], [0.0; 2], 1.0)], true);
    let mirrored: Vec<f64> = (0..SIZE * SIZE)
        .map(|i| f64::from(255 - fixture.masks[i / SIZE * SIZE + SIZE - 1 - i % SIZE]) / 255.0)
        .collect();
    assert_near(&outside, &mirrored, 0.0, 1e-12);
}
