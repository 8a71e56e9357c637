//! Every misuse is one typed error with its numbers and a remedy, and changes nothing.

use std::time::Duration;

use rationale::embed::{ColorMap, EmbedError, Mask, Overlay, Picture, Setup, Subject, Trainer, requirements};
use rationale::model::{MapShape, Mapping};
use rationale::train::{DataFill, TrainConfig};
use rationale::wgpu::{self, TextureFormat, TextureUsages};

use crate::support::{self, Host};

fn texture(host: &Host, format: TextureFormat, usage: TextureUsages, size: [u32; 2]) -> wgpu::TextureView {
    let texture = host.device.create_texture(&wgpu::TextureDescriptor {
        label: Some("the host's"),
        size: wgpu::Extent3d { width: size[0], height: size[1], depth_or_array_layers: 1 },
        mip_level_count: 1,
        sample_count: 1,
        dimension: wgpu::TextureDimension::D2,
        format,
        usage,
        view_formats: &[],
    });
    texture.create_view(&wgpu::TextureViewDescriptor::default())
}

#[track_caller]
fn says(error: EmbedError, parts: &[&str]) {
    let text = error.to_string();
    for part in parts {
        assert!(text.contains(part), "`{part}` is not in: {text}");
    }
}

#[test]
fn what_comes_too_early_is_refused() {
    let Some(host) = support::host() else { return };
    let mut trainer = Trainer::new(&host.device, &host.queue, &support::setup(Mapping::Gate, 8)).unwrap();
    let half = trainer.prepare(Duration::ZERO).unwrap();
    assert!(!half.is_done() && half.done == 1, "{half:?}");
    says(trainer.set_label(0, Some(1)).unwrap_err(), &["not prepared", "1 of", "call prepare"]);
    assert!(matches!(trainer.step(support::BUDGET), Err(EmbedError::NotPrepared { .. })));
    assert!(matches!(trainer.snapshot(), Err(EmbedError::NotPrepared { .. })));
    assert!(matches!(trainer.predict(Subject::Stored(0)), Err(EmbedError::NotPrepared { .. })));
    support::prepare(&mut trainer);
    says(
        trainer.step(support::BUDGET).unwrap_err(),
        &["none of the 8 pictures", "0 have pixels", "set_picture"],
    );
    assert_eq!(trainer.progress().steps, 0);
}

#[test]
fn numbers_out_of_range_are_refused_and_change_nothing() {
    let Some(host) = support::host() else { return };
    let data = support::pictures(8);
    let setup = support::setup(Mapping::Diagonal, 8);
    let mut trainer = support::trainer(&host, &setup, &data);
    let mut clean = support::trainer(&host, &setup, &data);
    let bytes = support::bytes(&data, 0);
    says(
        trainer.set_picture(8, Picture::Grey(bytes)).unwrap_err(),
        &["picture 8", "capacity is 8", "the last one is 7"],
    );
    says(trainer.set_label(0, Some(2)).unwrap_err(), &["picture 0", "label 2", "2 classes, 0 to 1"]);
    says(
        trainer.set_picture(0, Picture::Rgb(bytes)).unwrap_err(),
        &["picture 0", "1024 bytes", "3072", "32 wide", "3 per pixel"],
    );
    says(
        trainer.set_mask(1, Mask::Bytes(&bytes[..1000])).unwrap_err(),
        &["mask of picture 1", "1000", "1024"],
    );
    says(trainer.mask_changed(2).unwrap_err(), &["picture 2", "watch_mask"]);
    says(trainer.predict(Subject::Stored(9)).unwrap_err(), &["picture 9"]);
    // Both train on as if nothing had been asked.
    let weights = |trainer: &mut Trainer| {
        support::train(trainer, 1, Duration::from_micros(1));
        let mut snapshot = trainer.snapshot().unwrap();
        host.wait();
        snapshot.take().unwrap().expect("it is there after a wait").checkpoint().clone()
    };
    assert_eq!(weights(&mut trainer), weights(&mut clean));
}

#[test]
fn textures_of_another_kind_are_refused() {
    let Some(host) = support::host() else { return };
    let mut trainer = support::trainer(&host, &support::setup(Mapping::Dense, 8), &support::pictures(8));
    let (read, draw) = (TextureUsages::TEXTURE_BINDING, TextureUsages::RENDER_ATTACHMENT);
    let rgba = TextureFormat::Rgba8Unorm;
    let small = texture(&host, TextureFormat::R8Unorm, read, [16, 32]);
    says(
        trainer.set_mask(3, Mask::Texture(&small)).unwrap_err(),
        &["mask of picture 3", "16 wide and 32 high", "32 wide and 32 high"],
    );
    let floats = texture(&host, TextureFormat::Rgba16Float, read, [32, 32]);
    says(
        trainer.set_picture(3, Picture::Texture(&floats)).unwrap_err(),
        &["picture 3", "Rgba16Float", "Rgba8Unorm"],
    );
    let colours = texture(&host, rgba, read, [32, 32]);
    says(trainer.watch_mask(3, &colours).unwrap_err(), &["mask of picture 3", "Rgba8Unorm", "use R8Unorm"]);
    let target = texture(&host, rgba, draw, [32, 32]);
    says(
        trainer.set_picture(3, Picture::Texture(&target)).unwrap_err(),
        &["TEXTURE_BINDING", "RENDER_ATTACHMENT"],
    );
    let heat = ColorMap::heat();
    let mut overlay = |view, kind| trainer.overlay(view, Subject::Stored(0), kind, &heat).unwrap_err();
    says(overlay(&colours, Overlay::InputGradient), &["overlay", "without", "RENDER_ATTACHMENT"]);
    says(overlay(&small, Overlay::InputGradient), &["overlay", "R8Unorm", "Rgba8UnormSrgb"]);
    says(overlay(&target, Overlay::Mapping), &["dense", "`diagonal` or `gate`"]);
    trainer.clear_mask(0).unwrap();
    let masked = trainer.overlay(&target, Subject::Stored(0), Overlay::MaskedInput, &heat).unwrap_err();
    says(masked, &["picture 0", "set_mask"]);
    // A destroyed texture is caught by scopes of our own; the host's handler, which would panic, hears nothing.
    colours.texture().destroy();
    let error = trainer.set_picture(3, Picture::Texture(&colours)).unwrap_err();
    says(error, &["picture 3", "destroyed"]);
    trainer.step(support::BUDGET).unwrap();
}

#[test]
fn a_device_that_has_too_little_is_told_by_name() {
    let limits = wgpu::Limits { max_storage_buffers_per_shader_stage: 4, ..requirements().limits };
    let Some(host) = support::host_with(limits) else { return };
    let setup = support::setup(Mapping::Gate, 8);
    let missing = Trainer::supports(&host.device, &setup).unwrap();
    let [missing] = missing.as_slice() else { panic!("{missing:?}") };
    assert_eq!(missing.name, "max_storage_buffers_per_shader_stage");
    assert_eq!((missing.needed, missing.found), (8, 4));
    let error = Trainer::new(&host.device, &host.queue, &setup).unwrap_err();
    says(error, &["max_storage_buffers_per_shader_stage of 8", "it has 4", "embed::requirements"]);
    let enough = support::host().unwrap();
    assert_eq!(Trainer::supports(&enough.device, &setup).unwrap(), []);
}

#[test]
fn a_large_setup_asks_for_larger_buffers() {
    let large = Setup::new(MapShape { height: 160, width: 160, channels: 3 }, 2, 2000);
    let limits = large.requirements().unwrap().limits;
    // One byte per value, and the place past the last picture.
    assert_eq!(limits.max_storage_buffer_binding_size, 2001 * 160 * 160 * 3);
    assert!(limits.max_buffer_size >= limits.max_storage_buffer_binding_size);
    let Some(host) = support::host() else { return };
    let missing = Trainer::supports(&host.device, &large).unwrap();
    assert!(missing.iter().any(|missing| missing.name == "max_storage_buffer_binding_size"), "{missing:?}");
}

#[test]
fn settings_that_no_host_can_mean_are_refused() {
    let good = support::setup(Mapping::Diagonal, 8);
    let with = |training: TrainConfig| Setup { training, ..good.clone() };
    let training = good.training.clone();
    for (setup, part) in [
        (Setup { capacity: 0, ..good.clone() }, "capacity is 0"),
        (Setup { classes: 1, ..good.clone() }, "classes is 1"),
        (Setup { picture: MapShape { height: 8, width: 8, channels: 4 }, ..good.clone() }, "1 channel"),
        (with(TrainConfig { fill: DataFill::Mean, ..training.clone() }), "grey, black or white"),
        (with(TrainConfig { mask_dilation: 2, ..training.clone() }), "mask_dilation = 0"),
        (with(TrainConfig { balance_classes: true, ..training.clone() }), "class_weights"),
        (with(TrainConfig { batch: 9, ..training.clone() }), "batch is 9"),
        (support::setup(Mapping::None, 8), "mapping is none"),
    ] {
        says(setup.check().unwrap_err(), &[part]);
    }
    good.check().unwrap();
}
