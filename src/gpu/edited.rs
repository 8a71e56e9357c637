//! Shaders edited without a rebuild: texts read from a folder in place of those compiled in.

// wgpu brings naga's front end everywhere but on the web, where there is no folder to read either.
#[cfg_attr(target_arch = "wasm32", path = "edited/unchecked.rs")]
mod check;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use check::check;

use crate::shader::expand::expand;
use crate::shader::{SHADERS, Shader};

/// Why a shader of one's own cannot take the place of the one compiled in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShaderFileError {
    /// The folder or a file in it cannot be read.
    #[error("{path}: {message}; the folder must be laid out as the repository's shaders/, shared/ included")]
    Read {
        /// The folder or the file.
        path: PathBuf,
        /// The system's words.
        message: String,
    },
    /// naga refuses the text.
    #[error("{path}:{line}: {message}; mend the shader, or leave it out to run the one compiled in")]
    Invalid {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1: of the text that `rationale bench --dump` writes, in which loops are written out and the
        /// shared text stands behind the file's own.
        line: u32,
        /// naga's words.
        message: String,
    },
    /// The interface is another one than Rust was compiled with.
    #[error(
        "{path}: {what} is {found}, but the program was compiled with {expected}; keep it, or rebuild the program"
    )]
    Interface {
        /// The file.
        path: PathBuf,
        /// What differs.
        what: String,
        /// In the file.
        found: String,
        /// In the program.
        expected: String,
    },
}

/// Texts that take the place of those compiled in; empty by default.
#[derive(Clone, Debug, Default)]
pub struct EditedShaders {
    /// By path and subgroup size.
    texts: BTreeMap<(&'static str, Option<u32>), String>,
}

impl EditedShaders {
    /// Reads `<op>/[<variant>/]<direction>.wgsl` for every shader that the folder has, with what its `// uses` lines
    /// name, and checks it: it must validate, and bindings, uniform, workgroup size and constants must be those that the
    /// program was compiled with. A text that is the one compiled in does not count as edited. On the web there are no folders, and
    /// this is always an error.
    pub fn read(folder: &Path) -> Result<Self, ShaderFileError> {
        if !folder.is_dir() {
            let message = "is no folder".to_owned();
            return Err(ShaderFileError::Read { path: folder.to_owned(), message });
        }
        let mut texts = BTreeMap::new();
        for shader in SHADERS {
            let below = Path::new(shader.path).strip_prefix("shaders").unwrap_or(Path::new(shader.path));
            let path = folder.join(below);
            if !path.is_file() {
                continue;
            }
            let text = compose(folder, &path, shader.subgroup_size)?;
            if text != shader.source {
                check(&path, shader, &text)?;
                texts.insert((shader.path, shader.subgroup_size), text);
            }
        }
        Ok(Self { texts })
    }

    /// The text to run for a shader.
    pub fn text<'a>(&'a self, shader: &'a Shader) -> &'a str {
        self.texts.get(&(shader.path, shader.subgroup_size)).map_or(shader.source, String::as_str)
    }

    /// Paths, as in the repository, of the shaders whose text differs.
    pub fn names(&self) -> Vec<&'static str> {
        let mut names: Vec<&str> = self.texts.keys().map(|(path, _)| *path).collect();
        names.dedup();
        names
    }
}

fn read(path: &Path) -> Result<String, ShaderFileError> {
    std::fs::read_to_string(path)
        .map_err(|e| ShaderFileError::Read { path: path.to_owned(), message: e.to_string() })
}

/// A file's text with the shared texts behind it, as the build script puts them together.
fn compose(folder: &Path, path: &Path, subgroup_size: Option<u32>) -> Result<String, ShaderFileError> {
    let own = read(path)?;
    let mut text = own.clone();
    for used in own.lines().filter_map(|line| line.strip_prefix("// uses ")) {
        text.push('\n');
        text.push_str(&read(&folder.join(used.trim()).with_extension("wgsl"))?);
    }
    expand(&text, subgroup_size).map_err(|message| {
        // `line 7: what is wrong`
        let split = message.strip_prefix("line ").and_then(|rest| rest.split_once(": "));
        let line = split.and_then(|(line, _)| line.parse().ok()).unwrap_or(1);
        let message = split.map_or(message.clone(), |(_, message)| message.to_owned());
        ShaderFileError::Invalid { path: path.to_owned(), line, message }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shader;

    /// A copy of relu's shaders, its forward kernel through `edit`.
    fn folder(edit: impl Fn(String) -> String) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let shaders = Path::new(env!("CARGO_MANIFEST_DIR")).join("shaders");
        for part in ["relu", "shared"] {
            std::fs::create_dir(folder.path().join(part)).unwrap();
            for entry in std::fs::read_dir(shaders.join(part)).unwrap() {
                let from = entry.unwrap().path();
                if from.is_file() {
                    std::fs::copy(&from, folder.path().join(part).join(from.file_name().unwrap())).unwrap();
                }
            }
        }
        let forward = folder.path().join("relu/forward.wgsl");
        let text = edit(std::fs::read_to_string(&forward).unwrap());
        std::fs::write(&forward, text).unwrap();
        folder
    }

    #[test]
    fn the_texts_compiled_in_are_not_edited() {
        let shaders = Path::new(env!("CARGO_MANIFEST_DIR")).join("shaders");
        assert_eq!(EditedShaders::read(&shaders).unwrap().names(), Vec::<&str>::new());
    }

    #[test]
    fn an_edited_text_takes_the_place_of_its_shader_alone() {
        let folder = folder(|text| format!("{text}\n// edited\n"));
        let edited = EditedShaders::read(folder.path()).unwrap();
        assert_eq!(edited.names(), ["shaders/relu/forward.wgsl"]);
        let relu = shader::find("relu_forward", "direct").unwrap();
        assert!(edited.text(relu).contains("// edited"));
        let other = shader::find("relu_backward", "direct").unwrap();
        assert_eq!(edited.text(other), other.source);
    }

    #[test]
    fn what_does_not_fit_is_refused_with_its_file_and_line() {
        let broken = folder(|text| format!("let nonsense;\n{text}"));
        match EditedShaders::read(broken.path()) {
            Err(ShaderFileError::Invalid { path, line: 1, .. }) => {
                assert!(path.ends_with("relu/forward.wgsl"))
            }
            other => panic!("{other:?}"),
        }
        let renamed = folder(|text| text.replace("count", "number"));
        let larger = folder(|text| text.replace("@workgroup_size(64)", "@workgroup_size(128)"));
        let read_only = folder(|text| text.replace("read_write", "read"));
        for (folder, expected) in [(renamed, "the uniform"), (larger, "the workgroup size")] {
            match EditedShaders::read(folder.path()) {
                Err(ShaderFileError::Interface { what, .. }) => assert_eq!(what, expected),
                other => panic!("{other:?}"),
            }
        }
        assert!(EditedShaders::read(read_only.path()).is_err());
        assert!(matches!(
            EditedShaders::read(Path::new("no such folder")),
            Err(ShaderFileError::Read { .. })
        ));
    }
}
