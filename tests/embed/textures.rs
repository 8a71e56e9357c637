//! Textures in and out, against references in plain Rust: `shaders/textures/` has no twins.

use rationale::embed::{ColorMap, Mask, Overlay, Picture, Setup, Subject, Trainer};
use rationale::model::{MapShape, Mapping};
use rationale::wgpu::{self, TextureFormat, TextureUsages};

use crate::support::{self, Host};

const SIZE: u32 = 32;

struct Image {
    view: wgpu::TextureView,
    size: [u32; 2],
}

fn image(host: &Host, format: TextureFormat, size: [u32; 2]) -> Image {
    let texture = host.device.create_texture(&wgpu::TextureDescriptor {
        label: Some("the host's"),
        size: wgpu::Extent3d { width: size[0], height: size[1], depth_or_array_layers: 1 },
        mip_level_count: 1,
        sample_count: 1,
        dimension: wgpu::TextureDimension::D2,
        format,
        usage: TextureUsages::TEXTURE_BINDING
            | TextureUsages::RENDER_ATTACHMENT
            | TextureUsages::COPY_DST
            | TextureUsages::COPY_SRC,
        view_formats: &[],
    });
    Image { view: texture.create_view(&wgpu::TextureViewDescriptor::default()), size }
}

fn write(host: &Host, image: &Image, bytes: &[u8]) {
    let [width, height] = image.size;
    let row = bytes.len() as u32 / height;
    host.queue.write_texture(
        image.view.texture().as_image_copy(),
        bytes,
        wgpu::TexelCopyBufferLayout { offset: 0, bytes_per_row: Some(row), rows_per_image: None },
        wgpu::Extent3d { width, height, depth_or_array_layers: 1 },
    );
}

/// Four bytes per pixel as they are stored.
fn read(host: &Host, image: &Image) -> Vec<u8> {
    let [width, height] = image.size;
    let row = (4 * width).next_multiple_of(256);
    let buffer = host.device.create_buffer(&wgpu::BufferDescriptor {
        label: None,
        size: u64::from(row * height),
        usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    });
    let mut encoder = host.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
    encoder.copy_texture_to_buffer(
        image.view.texture().as_image_copy(),
        wgpu::TexelCopyBufferInfo {
            buffer: &buffer,
            layout: wgpu::TexelCopyBufferLayout { offset: 0, bytes_per_row: Some(row), rows_per_image: None },
        },
        wgpu::Extent3d { width, height, depth_or_array_layers: 1 },
    );
    host.queue.submit([encoder.finish()]);
    buffer.map_async(wgpu::MapMode::Read, .., |result| result.unwrap());
    host.wait();
    let view = buffer.get_mapped_range(..).unwrap();
    view.chunks(row as usize).flat_map(|padded| padded[..4 * width as usize].to_vec()).collect()
}

/// Every byte at some place of every channel.
fn colors() -> Vec<u8> {
    (0..SIZE * SIZE).flat_map(|i| [i as u8, (i * 7 + i / 256) as u8, (255 - i % 256) as u8, 255]).collect()
}

fn swapped(rgba: &[u8]) -> Vec<u8> {
    rgba.chunks(4).flat_map(|p| [p[2], p[1], p[0], p[3]]).collect()
}

/// A trainer for colour pictures, of which the first is explained by everything.
fn color_trainer(host: &Host) -> Trainer {
    let grey = support::setup(Mapping::Diagonal, 8);
    let picture = MapShape { height: SIZE as usize, width: SIZE as usize, channels: 3 };
    let mut trainer = Trainer::new(&host.device, &host.queue, &Setup { picture, ..grey }).unwrap();
    support::prepare(&mut trainer);
    trainer.set_mask(0, Mask::Bytes(&[255; 1024])).unwrap();
    trainer
}

/// What the trainer holds of picture 0, as it draws it: where the mask keeps everything, that is the picture.
fn held(host: &Host, trainer: &mut Trainer, format: TextureFormat, size: [u32; 2]) -> Vec<u8> {
    let target = image(host, format, size);
    trainer.overlay(&target.view, Subject::Stored(0), Overlay::MaskedInput, &ColorMap::grey()).unwrap();
    read(host, &target)
}

#[test]
fn every_format_gives_the_bytes_that_it_stores_in_and_out() {
    let Some(host) = support::host() else { return };
    let mut trainer = color_trainer(&host);
    let rgba = colors();
    let bgra = swapped(&rgba);
    let formats = [
        (TextureFormat::Rgba8Unorm, &rgba),
        (TextureFormat::Rgba8UnormSrgb, &rgba),
        (TextureFormat::Bgra8Unorm, &bgra),
        (TextureFormat::Bgra8UnormSrgb, &bgra),
    ];
    for (format, stored) in formats {
        // Another picture before, so that what is found is this one.
        trainer.set_picture(0, Picture::Rgba(&vec![9; rgba.len()])).unwrap();
        let source = image(&host, format, [SIZE, SIZE]);
        write(&host, &source, stored);
        trainer.set_picture(0, Picture::Texture(&source.view)).unwrap();
        for (drawn, expected) in formats {
            assert_eq!(&held(&host, &mut trainer, drawn, [SIZE, SIZE]), expected, "{format:?} to {drawn:?}");
        }
    }
    trainer
        .set_picture(0, Picture::Rgb(&rgba.chunks(4).flat_map(|p| p[..3].to_vec()).collect::<Vec<_>>()))
        .unwrap();
    assert_eq!(held(&host, &mut trainer, TextureFormat::Rgba8Unorm, [SIZE, SIZE]), rgba);
    let grey: Vec<u8> = (0..SIZE * SIZE).map(|i| i as u8).collect();
    let repeated: Vec<u8> = grey.iter().flat_map(|&v| [v, v, v, 255]).collect();
    let source = image(&host, TextureFormat::R8Unorm, [SIZE, SIZE]);
    write(&host, &source, &grey);
    for picture in [Picture::Grey(&grey), Picture::Texture(&source.view)] {
        trainer.set_picture(0, picture).unwrap();
        assert_eq!(held(&host, &mut trainer, TextureFormat::Rgba8Unorm, [SIZE, SIZE]), repeated);
    }
}

#[test]
fn a_target_of_any_size_shows_the_texel_under_each_pixels_centre() {
    let Some(host) = support::host() else { return };
    let mut trainer = color_trainer(&host);
    let rgba = colors();
    trainer.set_picture(0, Picture::Rgba(&rgba)).unwrap();
    for size in [[64, 64], [100, 37], [7, 5], [1, 1]] {
        let found = held(&host, &mut trainer, TextureFormat::Rgba8Unorm, size);
        for y in 0..size[1] {
            for x in 0..size[0] {
                let under = |i: u32, of: u32| ((f64::from(i) + 0.5) * f64::from(SIZE) / f64::from(of)) as u32;
                let from = 4 * (under(y, size[1]) * SIZE + under(x, size[0])) as usize;
                let at = 4 * (y * size[0] + x) as usize;
                assert_eq!(found[at..at + 4], rgba[from..from + 4], "{size:?} at {x}, {y}");
            }
        }
    }
}

#[test]
fn a_painted_mask_counts_from_the_next_step_on() {
    let Some(host) = support::host() else { return };
    let data = support::pictures(8);
    let mut trainer = support::trainer(&host, &support::setup(Mapping::Diagonal, 8), &data);
    let mask = image(&host, TextureFormat::R8Unorm, [SIZE, SIZE]);
    write(&host, &mask, &[0; 1024]);
    trainer.watch_mask(2, &mask.view).unwrap();
    let target = image(&host, TextureFormat::Rgba8Unorm, [SIZE, SIZE]);
    let shown = |trainer: &mut Trainer| {
        trainer.overlay(&target.view, Subject::Stored(2), Overlay::MaskedInput, &ColorMap::grey()).unwrap();
        read(&host, &target).chunks(4).map(|texel| texel[0]).collect::<Vec<u8>>()
    };
    assert_eq!(shown(&mut trainer), [128; 1024], "all of it is the fill, mid grey");
    let half: Vec<u8> = (0..1024).map(|i| if i % 32 < 16 { 255 } else { 0 }).collect();
    write(&host, &mask, &half);
    assert_eq!(shown(&mut trainer), [128; 1024], "nobody has said yet that it is painted on");
    let before = trainer.counters().submissions;
    trainer.mask_changed(2).unwrap();
    trainer.mask_changed(2).unwrap();
    trainer.step(support::BUDGET).unwrap();
    assert_eq!(trainer.counters().submissions - before, 2, "one for the mask, one for the step");
    let pixels = support::bytes(&data, 2);
    let expected: Vec<u8> = (0..1024).map(|i| if i % 32 < 16 { pixels[i] } else { 128 }).collect();
    assert_eq!(shown(&mut trainer), expected);
}

#[test]
fn heat_is_drawn_in_the_colours_of_the_map() {
    let Some(host) = support::host() else { return };
    let data = support::pictures(8);
    for mapping in [Mapping::Diagonal, Mapping::Gate] {
        let mut trainer = support::trainer(&host, &support::setup(mapping, 8), &data);
        // The map's own size: what is drawn is what was computed.
        let features = trainer.network().features();
        let target = image(&host, TextureFormat::Rgba8Unorm, [features.width as u32, features.height as u32]);
        let table: [[u8; 4]; 256] = std::array::from_fn(|i| [i as u8, 255 - i as u8, 7, 255]);
        let levels = |trainer: &mut Trainer| {
            let colors = ColorMap::custom(&table);
            trainer.overlay(&target.view, Subject::Stored(1), Overlay::Mapping, &colors).unwrap();
            let texels: Vec<[u8; 4]> =
                read(&host, &target).chunks(4).map(|t| [t[0], t[1], t[2], t[3]]).collect();
            texels.iter().for_each(|texel| assert!(table.contains(texel), "{texel:?}"));
            texels.into_iter().map(|texel| texel[0]).collect::<Vec<u8>>()
        };
        let open = levels(&mut trainer);
        if mapping == Mapping::Diagonal {
            assert!(open.iter().all(|&level| level == 255), "w = 1 everywhere at the start: {open:?}");
            support::train(&mut trainer, 3, support::BUDGET);
            let mut snapshot = trainer.snapshot().unwrap();
            trainer.finish_batch().unwrap();
            host.wait();
            let snapshot = snapshot.take().unwrap().expect("it is there after a wait");
            let (_, weights) = &snapshot.checkpoint().tensors["mapping.weight"];
            let strength = |w: &[f32]| w.iter().map(|w| f64::from(*w).powi(2)).sum::<f64>().sqrt();
            let strengths: Vec<f64> = weights.chunks(features.channels).map(strength).collect();
            let largest = strengths.iter().copied().fold(0.0, f64::max);
            for (level, strength) in levels(&mut trainer).iter().zip(&strengths) {
                let expected = (256.0 * strength / largest).min(255.0);
                assert!((f64::from(*level) - expected.floor()).abs() <= 1.0, "{level} is not {expected}");
            }
        } else {
            assert!(open.iter().all(|&level| level > 0), "g = 1 + s, and s is small at the start: {open:?}");
        }
    }
}

#[test]
fn the_input_gradient_is_that_of_the_ordinary_trainer() {
    let Some(host) = support::host() else { return };
    let data = support::pictures(8);
    let mut trainer = support::trainer(&host, &support::setup(Mapping::Diagonal, 8), &data);
    support::train(&mut trainer, 2, support::BUDGET);
    let mut snapshot = trainer.snapshot().unwrap();
    trainer.finish_batch().unwrap();
    host.wait();
    let snapshot = snapshot.take().unwrap().expect("it is there after a wait");
    let cpu = rationale::exec::Device::open(&rationale::gpu::Choice::Cpu).unwrap();
    let setup = trainer.setup().clone();
    let mut predictor = rationale::train::Predictor::new(
        &cpu,
        &setup.model,
        setup.picture,
        2,
        snapshot.checkpoint(),
        &rationale::plan::Variants::new(),
        1,
    )
    .unwrap();
    let pixels: Vec<f32> = support::bytes(&data, 5).iter().map(|&byte| f32::from(byte) / 255.0).collect();
    let gradient = predictor.input_gradient(&pixels).unwrap();
    let largest = gradient.iter().fold(0.0f32, |largest, g| largest.max(g.abs()));
    let target = image(&host, TextureFormat::Rgba8Unorm, [SIZE, SIZE]);
    let levels: [[u8; 4]; 256] = std::array::from_fn(|i| [i as u8, 0, 0, 255]);
    let colors = ColorMap::custom(&levels);
    trainer.overlay(&target.view, Subject::Stored(5), Overlay::InputGradient, &colors).unwrap();
    let drawn = read(&host, &target);
    assert!(drawn.chunks(4).any(|texel| texel[0] == 255));
    for (texel, g) in drawn.chunks(4).zip(&gradient) {
        let expected = (256.0 * g.abs() / largest).min(255.0);
        assert!((f32::from(texel[0]) - expected.floor()).abs() <= 1.0, "{} is not {expected}", texel[0]);
    }
}
