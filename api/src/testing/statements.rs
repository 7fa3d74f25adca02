//! Finds every SQL text in the source, so that one test can prepare all of them on both engines.

use std::path::{Path, PathBuf};

#[derive(Clone, Debug)]
pub struct FoundStatement {
    pub file: PathBuf,
    pub line: usize,
    pub text: &'static str,
}

/// The literals of every `sql!` under this crate's `src`.
pub fn statements() -> Vec<FoundStatement> {
    let mut found = Vec::new();
    visit(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    found
}

fn visit(dir: &Path, found: &mut Vec<FoundStatement>) {
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(dir).expect("the source is there").map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            visit(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let source = std::fs::read_to_string(&path).expect("source is text");
            found.extend(literals(&source).map(|(line, text)| FoundStatement { file: path.clone(), line, text }));
        }
    }
}

/// The macro's name and its argument may stand on two lines. Comments and this file itself mention it without a literal.
fn literals(source: &str) -> impl Iterator<Item = (usize, &'static str)> {
    let call = concat!("sql", "!(");
    source.match_indices(call).filter_map(move |(at, _)| {
        let before = &source[..at];
        if before.lines().next_back().is_some_and(|line| line.trim_start().starts_with("//")) {
            return None;
        }
        let literal = source[at + call.len()..].trim_start().strip_prefix('"')?;
        let text = &literal[..literal.find('"')?];
        assert!(!text.contains('\\'), "a statement is written without escapes: {text}");
        Some((before.lines().count().max(1), &*text.to_owned().leak()))
    })
}
