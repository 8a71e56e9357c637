//! The bench, apart from its times: what a machine that is busy may do to those is no failure.

use crate::support::Place;

#[test]
fn a_dump_holds_every_variant_as_wgsl() {
    let place = Place::new();
    let answer = place.run(&["bench", "--device", "cpu", "--dump", "out", "--kernel", "linear_forward"]);
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    let shaders: Vec<_> = rationale::kernels::find("linear_forward").unwrap().shaders().collect();
    for shader in &shaders {
        let size = shader.subgroup_size.map_or(String::new(), |size| format!(".{size}"));
        let text = place.read(&format!("out/linear_forward.{}{size}.wgsl", shader.variant));
        assert_eq!(text, shader.source);
    }
}

#[test]
fn a_name_that_fits_nothing_is_said_before_anything_is_measured() {
    let place = Place::new();
    let answer = place.run(&["bench", "--device", "cpu", "--kernel", "no_such_kernel"]);
    assert_eq!(answer.code, Some(2), "{}", answer.err);
    assert!(answer.err.contains("--only kernels") && !answer.err.contains("ceilings"), "{}", answer.err);
}
