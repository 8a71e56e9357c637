//! Tables inside pages, refreshed in place: what stands between `<!-- bench NAME -->` and `<!-- /bench -->`.

use std::path::{Path, PathBuf};

/// Why a page could not be refreshed.
#[derive(Debug, thiserror::Error)]
pub enum DocsError {
    /// The folder or a page.
    #[error("{path}: {source}")]
    File {
        /// The path.
        path: PathBuf,
        /// The system's words.
        source: std::io::Error,
    },
    /// A block without an end.
    #[error("{path}: `<!-- bench {name} -->` has no `<!-- /bench -->` behind it; add one")]
    Open {
        /// The page.
        path: PathBuf,
        /// The block.
        name: String,
    },
}

const END: &str = "<!-- /bench -->";

/// Replaces the block `name` of a page by `table`. A page that has no block of that name but the mark `<!-- benches -->`
/// gets it in front of that mark; one that has neither stays as it is. `None`: the block has no end.
pub fn replace(page: &str, name: &str, table: &str) -> Option<String> {
    let begin = format!("<!-- bench {name} -->");
    let block = format!("{begin}\n{}\n{END}", table.trim());
    match page.split_once(&begin) {
        Some((before, rest)) => {
            let (_, after) = rest.split_once(END)?;
            Some(format!("{before}{block}{after}"))
        }
        None => Some(page.replacen("<!-- benches -->", &format!("{block}\n\n<!-- benches -->"), 1)),
    }
}

/// Refreshes the pages of a folder: `tables` gives, for a page's stem, the name of its block and the table. Returns the
/// pages that changed.
pub fn refresh(
    folder: &Path,
    tables: impl Fn(&str) -> Option<(String, String)>,
) -> Result<Vec<PathBuf>, DocsError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| DocsError::File { path, source }
    };
    let mut pages: Vec<PathBuf> = std::fs::read_dir(folder)
        .map_err(failed(folder))?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect();
    pages.sort();
    let mut changed = Vec::new();
    for path in pages {
        let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let Some((name, table)) = tables(&stem) else { continue };
        let page = std::fs::read_to_string(&path).map_err(failed(&path))?;
        let new = replace(&page, &name, &table)
            .ok_or_else(|| DocsError::Open { path: path.clone(), name: name.clone() })?;
        if new != page {
            std::fs::write(&path, new).map_err(failed(&path))?;
            changed.push(path);
        }
    }
    Ok(changed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_replaced_added_or_left_out() {
        let page = "# relu\n<!-- bench a -->\nold\n<!-- /bench -->\ntext\n<!-- benches -->\nend\n";
        let new = replace(page, "a", "| new |\n").unwrap();
        assert_eq!(new, page.replace("old", "| new |"));
        let more = replace(&new, "b", "| b |").unwrap();
        assert!(more.contains("<!-- bench b -->\n| b |\n<!-- /bench -->\n\n<!-- benches -->\nend"));
        assert_eq!(replace(&more, "b", "| b |").unwrap(), more);
        assert_eq!(replace("# plain\n", "a", "| new |").unwrap(), "# plain\n");
        assert_eq!(replace("<!-- bench a -->\n", "a", "t"), None);
    }

    #[test]
    fn pages_of_a_folder_are_refreshed_once() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("relu.md"), "<!-- benches -->\n").unwrap();
        std::fs::write(folder.path().join("other.md"), "<!-- benches -->\n").unwrap();
        let tables = |stem: &str| (stem == "relu").then(|| ("cpu".to_owned(), "| 1 |".to_owned()));
        assert_eq!(refresh(folder.path(), tables).unwrap().len(), 1);
        assert_eq!(refresh(folder.path(), tables).unwrap().len(), 0);
        assert!(refresh(&folder.path().join("missing"), tables).is_err());
    }
}
