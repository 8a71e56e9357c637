//! Rungs 3 and 4: every kernel against its f64 twin, outputs poisoned, guard words around every buffer.

use rationale::doctor;
use rationale::exec::Device;

use crate::support;

fn check(device: &Device) {
    let findings = doctor::examine_all(device, |_| {}).unwrap();
    let faults: Vec<String> = findings
        .iter()
        .filter(|finding| !finding.passed())
        .map(|f| {
            format!("{} ({}) {} seed {}: {}", f.kernel, f.variant, f.shape, f.seed, f.fault.clone().unwrap())
        })
        .collect();
    assert!(findings.len() > rationale::kernels::KERNELS.len());
    assert!(faults.is_empty(), "{} of {} cases:\n{}", faults.len(), findings.len(), faults.join("\n"));
}

#[test]
fn every_kernel_agrees_with_its_twin_on_the_gpu() {
    if let Some(device) = support::gpu() {
        check(&device);
    }
}

#[test]
fn every_twin_in_f32_agrees_with_its_twin_in_f64() {
    check(&support::cpu());
}
