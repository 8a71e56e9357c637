//! Parses and validates every shader, and writes what Rust needs to know of it (`shader::SHADERS`):
//! a shader that does not validate fails the build with its file and line.

#![allow(clippy::expect_used, clippy::print_stdout)] // a build script has nobody to return an error to

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

#[path = "src/shader/expand.rs"]
mod expand;

/// Subgroup sizes that kernels with a `SUBGROUP_SIZE` are made for.
const SUBGROUP_SIZES: [u32; 5] = [4, 8, 16, 32, 64];

fn main() {
    println!("cargo:rerun-if-changed=shaders");
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=src/shader/expand.rs");
    let root = PathBuf::from("shaders");
    let mut files = Vec::new();
    collect(&root, &mut files);
    files.sort();
    let out = PathBuf::from(std::env::var("OUT_DIR").expect("cargo sets OUT_DIR"));
    let mut table = String::from("/// Every variant of every kernel.\npub static SHADERS: &[Shader] = &[\n");
    let mut failed = false;
    for file in files {
        match reflect(&root, &file, &out) {
            Ok(row) => table.push_str(&row),
            Err(message) => {
                failed = true;
                for line in message.lines() {
                    println!("cargo:warning={line}");
                }
            }
        }
    }
    for entry in std::fs::read_dir(root.join("textures")).expect("shaders/textures is readable") {
        let file = entry.expect("shaders/textures is readable").path();
        if let Err(message) = valid(&file) {
            failed = true;
            println!("cargo:warning={}", message.replace('\n', "\ncargo:warning="));
        }
    }
    assert!(!failed, "a shader does not validate; its file and line stand above");
    table.push_str("];\n");
    std::fs::write(out.join("shaders.rs"), table).expect("OUT_DIR is writable");
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("shaders/ is readable") {
        let path = entry.expect("shaders/ is readable").path();
        if path.is_dir() {
            // `shared` holds parts of kernels; those in `textures` read or draw a host's textures and are no kernels.
            if path.file_name().is_some_and(|name| name != "shared" && name != "textures") {
                collect(&path, files);
            }
        } else if path.extension().is_some_and(|ext| ext == "wgsl") {
            files.push(path);
        }
    }
}

/// Validates a shader that is no kernel.
fn valid(file: &Path) -> Result<(), String> {
    let source = std::fs::read_to_string(file).map_err(|e| format!("{}: {e}", file.display()))?;
    let shown = file.display().to_string();
    let module =
        naga::front::wgsl::parse_str(&source).map_err(|e| e.emit_to_string_with_path(&source, &shown))?;
    naga::valid::Validator::new(naga::valid::ValidationFlags::all(), naga::valid::Capabilities::empty())
        .validate(&module)
        .map_err(|e| e.emit_to_string_with_path(&source, &shown))?;
    Ok(())
}

/// `shaders/<op>/<direction>.wgsl` is the variant `direct` of kernel `<op>_<direction>`;
/// `shaders/<op>/<variant>/<direction>.wgsl` is another one.
fn reflect(root: &Path, file: &Path, out: &Path) -> Result<String, String> {
    let relative = file.strip_prefix(root).expect("collected below the root");
    let parts: Vec<String> =
        relative.with_extension("").iter().map(|part| part.to_string_lossy().into_owned()).collect();
    let (kernel, variant) = match parts.as_slice() {
        [op, direction] => (format!("{op}_{direction}"), "direct".to_owned()),
        [op, variant, direction] => (format!("{op}_{direction}"), variant.clone()),
        _ => return Err(format!("{}: expected <op>/[<variant>/]<direction>.wgsl", file.display())),
    };

    // Shared text goes behind the kernel's own, so that line numbers stay those of the file.
    let own = std::fs::read_to_string(file).map_err(|e| format!("{}: {e}", file.display()))?;
    let mut source = own.clone();
    for used in own.lines().filter_map(|line| line.strip_prefix("// uses ")) {
        let path = root.join(used.trim()).with_extension("wgsl");
        let text = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        source.push('\n');
        source.push_str(&text);
    }

    if !source.contains("SUBGROUP_SIZE") {
        let source = expand::expand(&source, None).map_err(|e| format!("{}: {e}", file.display()))?;
        return row(file, &kernel, &variant, None, &source, out);
    }
    let mut rows = String::new();
    for size in SUBGROUP_SIZES {
        let source = expand::expand(&source, Some(size)).map_err(|e| format!("{}: {e}", file.display()))?;
        rows.push_str(&row(file, &kernel, &variant, Some(size), &source, out)?);
    }
    Ok(rows)
}

/// One row of the table: the shader's text is validated, and what Rust must know of it read off.
fn row(
    file: &Path,
    kernel: &str,
    variant: &str,
    subgroup_size: Option<u32>,
    source: &str,
    out: &Path,
) -> Result<String, String> {
    let shown = file.display().to_string();
    let name = match subgroup_size {
        Some(size) => format!("{kernel}.{variant}.{size}.wgsl"),
        None => format!("{kernel}.{variant}.wgsl"),
    };
    let composed = out.join(name);
    std::fs::write(&composed, source).map_err(|e| e.to_string())?;
    // Where loops were written out, lines are those of the composed text.
    let place = if source.contains("//: ") || subgroup_size.is_some() {
        composed.display().to_string()
    } else {
        shown.clone()
    };
    let module =
        naga::front::wgsl::parse_str(source).map_err(|e| e.emit_to_string_with_path(source, &place))?;
    let capabilities = match subgroup_size {
        Some(_) => naga::valid::Capabilities::SUBGROUP,
        None => naga::valid::Capabilities::empty(),
    };
    naga::valid::Validator::new(naga::valid::ValidationFlags::all(), capabilities)
        .validate(&module)
        .map_err(|e| e.emit_to_string_with_path(source, &place))?;

    let [entry] = module.entry_points.as_slice() else {
        return Err(format!("{shown}: expected one entry point, found {}", module.entry_points.len()));
    };
    let layouter = {
        let mut layouter = naga::proc::Layouter::default();
        layouter.update(module.to_ctx()).map_err(|e| format!("{shown}: {e}"))?;
        layouter
    };

    let mut bindings = Vec::new();
    let mut uniform = String::new();
    let mut uniform_size = 0;
    let mut workgroup_bytes = 0;
    for (_, variable) in module.global_variables.iter() {
        if variable.space == naga::AddressSpace::WorkGroup {
            workgroup_bytes += layouter[variable.ty].size;
        }
        let Some(binding) = variable.binding else { continue };
        let name = variable.name.clone().unwrap_or_default();
        match variable.space {
            naga::AddressSpace::Uniform => {
                let naga::TypeInner::Struct { members, span } = &module.types[variable.ty].inner else {
                    return Err(format!("{shown}: uniform `{name}` is not a struct"));
                };
                uniform_size = *span;
                for member in members {
                    let dtype = scalar(&module, member.ty).ok_or_else(|| {
                        format!("{shown}: uniform member {:?} is not u32 or f32", member.name)
                    })?;
                    let member_name = member.name.clone().unwrap_or_default();
                    write!(
                        uniform,
                        "Field {{ name: {member_name:?}, offset: {}, dtype: DType::{dtype} }}, ",
                        member.offset
                    )
                    .expect("writing to a string");
                }
                if binding.binding != 0 {
                    return Err(format!("{shown}: the uniform must be binding 0"));
                }
            }
            naga::AddressSpace::Storage { access } => {
                let naga::TypeInner::Array { base, .. } = module.types[variable.ty].inner else {
                    return Err(format!("{shown}: binding `{name}` is not an array"));
                };
                let dtype = scalar(&module, base)
                    .ok_or_else(|| format!("{shown}: `{name}` holds neither u32 nor f32"))?;
                let writes = access.contains(naga::StorageAccess::STORE);
                bindings.push((
                    binding.binding,
                    format!("Binding {{ name: {name:?}, writes: {writes}, dtype: DType::{dtype} }}"),
                ));
            }
            _ => {}
        }
    }
    bindings.sort();
    if bindings.iter().enumerate().any(|(i, (number, _))| *number as usize != i + 1) {
        return Err(format!("{shown}: storage bindings must be numbered 1, 2, 3 … without a gap"));
    }
    let bindings: Vec<String> = bindings.into_iter().map(|(_, text)| text).collect();

    let mut constants = String::new();
    for (_, constant) in module.constants.iter() {
        if let (Some(name), naga::Expression::Literal(naga::Literal::U32(value))) =
            (&constant.name, &module.global_expressions[constant.init])
        {
            write!(constants, "({name:?}, {value}), ").expect("writing to a string");
        }
    }

    Ok(format!(
        "Shader {{ kernel: {kernel:?}, variant: {variant:?}, path: {shown:?}, \
         source: include_str!({composed:?}), workgroup_size: {:?}, bindings: &[{}], uniform: &[{uniform}], \
         uniform_size: {uniform_size}, constants: &[{constants}], subgroup_size: {subgroup_size:?}, \
         workgroup_bytes: {workgroup_bytes} }},\n",
        entry.workgroup_size,
        bindings.join(", "),
    ))
}

/// `F32` or `U32`; a vector counts as its scalar.
fn scalar(module: &naga::Module, ty: naga::Handle<naga::Type>) -> Option<&'static str> {
    let scalar = match module.types[ty].inner {
        naga::TypeInner::Scalar(scalar) | naga::TypeInner::Vector { scalar, .. } => scalar,
        _ => return None,
    };
    match scalar {
        naga::Scalar::F32 => Some("F32"),
        naga::Scalar::U32 => Some("U32"),
        _ => None,
    }
}
