//! Rules about source files: their first lines, their length, and the place of items.

use super::tree::{File, Tree, Violation};

/// The names and values that only [`HEADER_FILES`] may spell out, in lower case.
const HEADERS: &[&str] = &[
    "text/event-stream",
    "x-accel-buffering",
    "no-cache, no-transform",
    "last-event-id",
    "retry-after",
];

/// The files of the header names: the wire has the media type and the header of the last event id,
/// the response has the others.
const HEADER_FILES: [&str; 2] = ["sse-wire/src/http.rs", "sse-core/src/response/mod.rs"];

/// The most lines of a `lib.rs`, which only lists the contents of a crate.
const MOST_CONTENTS_LINES: usize = 80;

const MOST_LINES: usize = 800;

/// Finds header names, header values and the media type outside the files that have them.
pub(super) fn one_place_for_headers(tree: &Tree) -> Vec<Violation> {
    let mut violations = Vec::new();
    let others = |file: &&File| !HEADER_FILES.contains(&file.path.as_str());
    for file in tree.library_source().filter(others) {
        for (number, line) in file.code() {
            let line = line.to_ascii_lowercase();
            for header in HEADERS {
                if line.contains(&format!("\"{header}")) {
                    let advice = format!(
                        "use the constant for \"{header}\" of {}",
                        HEADER_FILES.join(" or ")
                    );
                    violations.push(file.violation(number, advice));
                }
            }
        }
    }
    violations
}

/// Finds source files that do not begin with a module doc, or with the README as one.
pub(super) fn module_docs(tree: &Tree) -> Vec<Violation> {
    tree.rust()
        .filter(|file| file.is_source() && !begins_with_doc(file))
        .map(|file| file.violation(1, "begin with a `//!` line that says what is in the file"))
        .collect()
}

/// Finds items in the `lib.rs` of a library, which is a table of contents: docs, `mod`, `pub use`.
pub(super) fn lib_is_contents(tree: &Tree) -> Vec<Violation> {
    let mut violations = Vec::new();
    for file in tree
        .library_source()
        .filter(|file| file.path.ends_with("/src/lib.rs"))
    {
        let mut count = 0;
        let mut is_doctest = false;
        for (number, line) in file.code() {
            let line = line.trim();
            // An item for doc tests alone has no better place; it ends at a blank line.
            is_doctest = line == "#[cfg(doctest)]" || (is_doctest && !line.is_empty());
            if is_doctest || line.is_empty() {
                continue;
            }
            count += 1;
            if is_item_with_body(line) {
                let advice = "move the item to its own module and `pub use` it here";
                violations.push(file.violation(number, advice));
            } else if count == MOST_CONTENTS_LINES + 1 {
                let advice =
                    format!("keep lib.rs within {MOST_CONTENTS_LINES} lines, besides docs");
                violations.push(file.violation(number, advice));
            }
        }
    }
    violations
}

/// Finds files of more than 800 lines, which most likely have two subjects.
pub(super) fn short_files(tree: &Tree) -> Vec<Violation> {
    let mut violations = Vec::new();
    for file in tree.rust() {
        let count = file.text.lines().count();
        if count > MOST_LINES {
            let advice = format!("split it by subject: {count} lines, at most {MOST_LINES}");
            violations.push(file.violation(MOST_LINES + 1, advice));
        }
    }
    violations
}

/// User data never panics: an `unwrap` in a library stands by a comment that proves it.
pub(super) fn proven_unwrap(tree: &Tree) -> Vec<Violation> {
    let mut violations = Vec::new();
    for file in tree.library_source() {
        for (number, line) in file.code() {
            let panics = line.contains("unwrap()") || line.contains(".expect(");
            if panics && !file.is_explained(number, 2, &["proof", "Proof"]) {
                let advice = "return an error, or prove it above in a comment `// proof: ...`";
                violations.push(file.violation(number, advice));
            }
        }
    }
    violations
}

fn begins_with_doc(file: &File) -> bool {
    let mut inside_attribute = false;
    for (_, line) in file.lines() {
        let line = line.trim();
        if line.starts_with("//!") || line.starts_with("#![doc") {
            return true;
        }
        inside_attribute |= line.starts_with("#![");
        if !inside_attribute && !line.is_empty() {
            return false;
        }
        inside_attribute &= !line.ends_with(']');
    }
    false
}

/// Returns `true` for a function, a type, a trait or an `impl`, with any visibility.
fn is_item_with_body(line: &str) -> bool {
    const QUALIFIERS: &[&str] = &["pub", "async", "const", "unsafe", "default"];
    const ITEMS: &[&str] = &["fn", "impl", "struct", "enum", "trait", "union"];
    let is_qualifier = |word: &&str| QUALIFIERS.contains(word) || word.starts_with("pub(");
    line.split([' ', '<'])
        .find(|word| !is_qualifier(word))
        .is_some_and(|word| ITEMS.contains(&word))
}

#[cfg(test)]
mod tests {
    use crate::tidy::tests::found;

    #[test]
    fn a_header_that_is_spelled_out_elsewhere_is_found() {
        let text = "//! Sends \"text/event-stream\".\nconst A: &str = \"Text/Event-Stream\";\n\
            let b = HeaderName::from_static(\"last-event-id\"); // x\n// \"retry-after\"\n\
            let c = b\"x-accel-buffering\";\nmod tests {\n    let d = \"retry-after\";\n}\n";
        let files = [
            ("sse-axum/src/response.rs", text),
            ("sse-core/src/response/mod.rs", text),
            ("sse-core/conformance/src/adapter.rs", text),
            ("sse-axum/tests/headers.rs", text),
            ("examples/axum/src/main.rs", text),
        ];
        let found = found("one-place-for-headers", &files);
        let file = "sse-axum/src/response.rs";
        assert_eq!(found, [2, 3, 5].map(|line| format!("{file}:{line}")));
    }

    #[test]
    fn a_source_file_that_does_not_begin_with_its_doc_is_found() {
        let rows = [
            ("//! Doc.\n", true),
            ("\n#![forbid(unsafe_code)]\n//! Doc.\n", true),
            (
                "#![cfg_attr(\n    docsrs,\n    feature(doc_cfg)\n)]\n//! Doc.\n",
                true,
            ),
            ("#![doc = include_str!(\"../README.md\")]\n", true),
            ("// Comment.\n//! Doc.\n", false),
            ("use std::fmt;\n", false),
            ("", false),
        ];
        for (text, is_good) in rows {
            let found = found("module-docs", &[("sse-core/src/a.rs", text)]);
            assert_eq!(found.is_empty(), is_good, "{text}");
        }
    }

    #[test]
    fn an_item_in_a_lib_file_is_found() {
        let text = "//! Docs: fn a() {}\nmod a;\npub use a::A;\npub fn b() {}\n\
            impl<T> A for T {}\npub(crate) struct C;\npub const fn d() {}\n\n\
            #[cfg(doctest)]\nstruct Readme;\n\nfn e() {}\nconst F: u8 = 0;\n";
        let files = [("sse-core/src/lib.rs", text), ("sse-core/src/b.rs", text)];
        let found = found("lib-is-contents", &files);
        assert_eq!(
            found,
            [4, 5, 6, 7, 12].map(|line| format!("sse-core/src/lib.rs:{line}"))
        );
    }

    #[test]
    fn a_long_lib_file_is_found_not_counting_docs() {
        let text = format!("{}{}", "//! Doc.\n".repeat(100), "mod a;\n".repeat(81));
        let found = found("lib-is-contents", &[("sse-core/src/lib.rs", &text)]);
        assert_eq!(found, ["sse-core/src/lib.rs:181"]);
    }

    #[test]
    fn a_long_file_is_found() {
        let text = |lines: usize| "x\n".repeat(lines);
        let files = [
            ("sse-core/src/a.rs", &*text(800)),
            ("sse-core/tests/b.rs", &*text(801)),
        ];
        let found = found("short-files", &files);
        assert_eq!(found, ["sse-core/tests/b.rs:801"]);
    }

    #[test]
    fn an_unwrap_in_a_library_needs_a_proof() {
        let text = "//! a.unwrap()\na.unwrap();\na.unwrap_or(1);\n// proof: checked above\n\
            a\n    .unwrap();\n#[expect(unused, reason = \"b\")]\n    .expect(\"c\");\n\
            mod tests {\n    a.unwrap();\n}\n";
        let files = [("sse-core/src/a.rs", text), ("xtask/src/a.rs", text)];
        let found = found("proven-unwrap", &files);
        assert_eq!(found, ["sse-core/src/a.rs:2", "sse-core/src/a.rs:8"]);
    }
}
