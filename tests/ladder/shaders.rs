//! Rung 1: every shader validates without any optional capability and translates to each target.

use naga::back::{hlsl, msl, spv};
use naga::valid::{Capabilities, ModuleInfo, ValidationFlags, Validator};
use rationale::shader::{SHADERS, Shader};

fn validated(shader: &Shader) -> (naga::Module, ModuleInfo) {
    let module = naga::front::wgsl::parse_str(shader.source).unwrap();
    let capabilities = match shader.subgroup_size {
        Some(_) => Capabilities::SUBGROUP,
        None => Capabilities::empty(),
    };
    let info = Validator::new(ValidationFlags::all(), capabilities)
        .validate(&module)
        .unwrap_or_else(|e| panic!("{}: {e:?}", shader.path));
    (module, info)
}

#[test]
fn every_shader_translates_to_spirv() {
    assert!(SHADERS.len() >= 30);
    for shader in SHADERS {
        let (module, info) = validated(shader);
        let words = spv::write_vec(&module, &info, &spv::Options::default(), None)
            .unwrap_or_else(|e| panic!("{}: {e}", shader.path));
        assert_eq!(words[0], 0x0723_0203, "{}: the magic number of SPIR-V", shader.path);
    }
}

#[test]
fn every_shader_translates_to_hlsl() {
    for shader in SHADERS {
        let (module, info) = validated(shader);
        let options = hlsl::Options { fake_missing_bindings: true, ..Default::default() };
        let pipeline = hlsl::PipelineOptions::default();
        let mut text = String::new();
        hlsl::Writer::new(&mut text, &options, &pipeline)
            .write(&module, &info, None)
            .unwrap_or_else(|e| panic!("{}: {e}", shader.path));
        assert!(text.contains("numthreads"), "{}", shader.path);
    }
}

#[test]
fn every_shader_translates_to_msl() {
    for shader in SHADERS {
        let (module, info) = validated(shader);
        let options = msl::Options { fake_missing_bindings: true, ..Default::default() };
        let pipeline = msl::PipelineOptions::default();
        let (text, _) = msl::write_string(&module, &info, &options, &pipeline)
            .unwrap_or_else(|e| panic!("{}: {e}", shader.path));
        assert!(text.contains("kernel void"), "{}", shader.path);
    }
}

/// They read or draw a host's textures, so they are no kernels and stand in no table.
#[test]
fn the_shaders_that_touch_textures_translate_too() {
    for text in
        [include_str!("../../shaders/textures/read.wgsl"), include_str!("../../shaders/textures/draw.wgsl")]
    {
        let module = naga::front::wgsl::parse_str(text).unwrap();
        let info = Validator::new(ValidationFlags::all(), Capabilities::empty()).validate(&module).unwrap();
        spv::write_vec(&module, &info, &spv::Options::default(), None).unwrap();
        let options = hlsl::Options { fake_missing_bindings: true, ..Default::default() };
        let mut out = String::new();
        let pipeline = hlsl::PipelineOptions::default();
        hlsl::Writer::new(&mut out, &options, &pipeline).write(&module, &info, None).unwrap();
        let options = msl::Options { fake_missing_bindings: true, ..Default::default() };
        msl::write_string(&module, &info, &options, &msl::PipelineOptions::default()).unwrap();
    }
}

/// House rule: a kernel opens with shapes and formula.
#[test]
fn every_shader_opens_with_a_comment_that_names_it() {
    for shader in SHADERS {
        let first = shader.source.lines().next().unwrap_or_default();
        assert!(first.starts_with("//") && first.contains(shader.kernel), "{}: {first}", shader.path);
    }
}
