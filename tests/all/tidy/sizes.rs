//! A ratchet on size: a file over 400 lines (tests not counted) or a function over 70 stands in `sizes.txt` with the size
//! it has, and may shrink, never grow. Whoever shrinks one lowers its line; `WENZHEN_BLESS=1` rewrites the list.

use std::collections::BTreeMap;
use syn::spanned::Spanned;
use syn::visit::Visit;

const FILE_LINES_MAX: usize = 400;
const FUNCTION_LINES_MAX: usize = 70;

#[test]
fn files_and_functions_do_not_grow_past_the_ratchet() {
    let list = super::root().join("tests/all/tidy/sizes.txt");
    let measured = measure();
    if std::env::var_os("WENZHEN_BLESS").is_some() {
        let text: String = measured.iter().map(|(what, lines)| format!("{lines} {what}\n")).collect();
        std::fs::write(&list, text).expect("the list is writable");
    }
    let known: BTreeMap<String, usize> = std::fs::read_to_string(&list)
        .unwrap_or_default()
        .lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(lines, what)| (what.to_owned(), lines.parse().expect("a line count")))
        .collect();
    let mut findings = Vec::new();
    for (what, lines) in &measured {
        match known.get(what) {
            None => findings.push(format!("{what} has {lines} lines: is it two rooms in one?")),
            Some(limit) if lines > limit => findings.push(format!("{what} grew from {limit} to {lines} lines")),
            Some(_) => {}
        }
    }
    for what in known.keys().filter(|what| !measured.contains_key(*what)) {
        findings.push(format!("{what} is no longer large: take it off sizes.txt"));
    }
    assert!(findings.is_empty(), "\n{}", findings.join("\n"));
}

/// Everything above its limit, by `path` or `path::function`.
fn measure() -> BTreeMap<String, usize> {
    let mut large = BTreeMap::new();
    for (path, text) in super::rust_files() {
        let code = text.lines().position(|line| line == "#[cfg(test)]").unwrap_or(text.lines().count());
        if code > FILE_LINES_MAX {
            large.insert(path.clone(), code);
        }
        let file = syn::parse_file(&text).unwrap_or_else(|error| panic!("{path}: {error}"));
        let mut functions = Functions { path: &path, large: &mut large };
        functions.visit_file(&file);
    }
    large
}

struct Functions<'a> {
    path: &'a str,
    large: &'a mut BTreeMap<String, usize>,
}

impl Functions<'_> {
    fn note(&mut self, name: &syn::Ident, block: &syn::Block) {
        let lines = block.span().end().line - block.span().start().line + 1;
        if lines > FUNCTION_LINES_MAX {
            self.large.insert(format!("{}::{name}", self.path), lines);
        }
    }
}

impl<'ast> Visit<'ast> for Functions<'_> {
    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        self.note(&function.sig.ident, &function.block);
        syn::visit::visit_item_fn(self, function);
    }
    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        self.note(&function.sig.ident, &function.block);
        syn::visit::visit_impl_item_fn(self, function);
    }
}
