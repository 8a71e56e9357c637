//! A shader's text held against the one compiled in.

use std::path::Path;

use wgpu::naga;

use super::ShaderFileError;
use crate::shader::{self, DType, Shader};

/// Whether a text can run in the place of a shader: valid, and with its interface.
pub(super) fn check(path: &Path, shader: &Shader, text: &str) -> Result<(), ShaderFileError> {
    let invalid = |line: Option<u32>, message: String| ShaderFileError::Invalid {
        path: path.to_owned(),
        line: line.unwrap_or(1),
        message,
    };
    let module = naga::front::wgsl::parse_str(text)
        .map_err(|e| invalid(e.location(text).map(|at| at.line_number), e.message().to_owned()))?;
    let valid = naga::valid::ValidationFlags::all();
    naga::valid::Validator::new(valid, naga::valid::Capabilities::all()).validate(&module).map_err(|e| {
        let line = e.location(text).map(|at| at.line_number);
        let mut message = e.as_inner().to_string();
        let mut cause = std::error::Error::source(e.as_inner());
        while let Some(inner) = cause {
            message = format!("{message}: {inner}");
            cause = inner.source();
        }
        invalid(line, message)
    })?;
    let same = |what: &str, found: String, expected: String| {
        if found == expected {
            return Ok(());
        }
        Err(ShaderFileError::Interface { path: path.to_owned(), what: what.to_owned(), found, expected })
    };
    let [entry] = module.entry_points.as_slice() else {
        return Err(invalid(None, format!("has {} entry points instead of one", module.entry_points.len())));
    };
    same("the entry point", entry.name.clone(), "main".to_owned())?;
    let size = format!("{:?}", entry.workgroup_size);
    same("the workgroup size", size, format!("{:?}", shader.workgroup_size))?;
    let (uniform, bindings) = interface(&module);
    let fields: Vec<(String, u32, DType)> =
        shader.uniform.iter().map(|f| (f.name.to_owned(), f.offset, f.dtype)).collect();
    same("the uniform", format!("{uniform:?}"), format!("{fields:?}"))?;
    let compiled: Vec<(u32, bool)> = (1..).zip(shader.bindings).map(|(i, b)| (i, b.writes)).collect();
    same("the list of (binding, writes)", format!("{bindings:?}"), format!("{compiled:?}"))?;
    // Grids and slices were worked out from these numbers.
    for &(name, expected) in shader.constants {
        let found = module.constants.iter().find(|(_, c)| c.name.as_deref() == Some(name));
        let found = found.and_then(|(_, c)| match module.global_expressions[c.init] {
            naga::Expression::Literal(naga::Literal::U32(value)) => Some(value),
            _ => None,
        });
        let found = found.map_or("missing".to_owned(), |value| value.to_string());
        same(&format!("const {name}"), found, expected.to_string())?;
    }
    Ok(())
}

type Uniform = Vec<(String, u32, DType)>;

/// Members of the uniform, and the numbers of the storage bindings with whether they are written.
fn interface(module: &naga::Module) -> (Uniform, Vec<(u32, bool)>) {
    let mut uniform = Vec::new();
    let mut bindings = Vec::new();
    for (_, variable) in module.global_variables.iter() {
        let Some(binding) = variable.binding else { continue };
        match variable.space {
            naga::AddressSpace::Uniform => {
                if let naga::TypeInner::Struct { members, .. } = &module.types[variable.ty].inner {
                    for member in members {
                        let dtype = match module.types[member.ty].inner {
                            naga::TypeInner::Scalar(naga::Scalar::U32) => shader::DType::U32,
                            _ => shader::DType::F32,
                        };
                        uniform.push((member.name.clone().unwrap_or_default(), member.offset, dtype));
                    }
                }
            }
            naga::AddressSpace::Storage { access } => {
                bindings.push((binding.binding, access.contains(naga::StorageAccess::STORE)));
            }
            _ => {}
        }
    }
    bindings.sort_unstable();
    (uniform, bindings)
}
