//! In the place of `check` on the web, where wgpu has no naga.

use std::path::Path;

use super::ShaderFileError;
use crate::shader::Shader;

pub(super) fn check(path: &Path, _: &Shader, _: &str) -> Result<(), ShaderFileError> {
    let message = "shaders cannot be checked on the web".to_owned();
    Err(ShaderFileError::Read { path: path.to_owned(), message })
}
