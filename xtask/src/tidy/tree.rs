//! The files that tidy looks at, and the questions about a file that several rules have.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::vocabulary::NOT_YET;

/// All text files of the project.
#[derive(Debug)]
pub(crate) struct Tree(Vec<File>);

/// One text file.
#[derive(Debug)]
pub(crate) struct File {
    /// From the root of the workspace, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

/// A line that breaks a rule.
#[derive(Debug)]
pub(super) struct Violation {
    pub(super) path: String,
    /// Counted from 1.
    pub(super) line: usize,
    /// The remedy, as a command to the reader.
    pub(super) advice: String,
}

impl Tree {
    /// Reads the files that git tracks, and those that it would track if they were added now.
    pub(crate) fn load() -> Result<Self> {
        let output = Command::new("git")
            .args([
                "ls-files",
                "-z",
                "--cached",
                "--others",
                "--exclude-standard",
            ])
            .output()
            .context("cannot start git, which says what belongs to the project")?;
        if !output.status.success() {
            bail!("git ls-files: {}", String::from_utf8_lossy(&output.stderr));
        }
        let mut files = Vec::new();
        for path in String::from_utf8_lossy(&output.stdout).split_terminator('\0') {
            // A file that cannot be read is no text, or deleted but still tracked.
            if let Ok(text) = std::fs::read_to_string(path) {
                let path = path.to_owned();
                files.push(File { path, text });
            }
        }
        Ok(Self(files))
    }

    pub(super) fn files(&self) -> &[File] {
        &self.0
    }

    pub(super) fn file(&self, path: &str) -> Option<&File> {
        self.0.iter().find(|file| file.path == path)
    }

    pub(crate) fn rust(&self) -> impl Iterator<Item = &File> {
        self.0.iter().filter(|file| file.has_extension(&["rs"]))
    }

    /// The Rust files without tidy's own, which contain the words that they look for.
    pub(super) fn rust_but_tidy(&self) -> impl Iterator<Item = &File> {
        self.rust().filter(|file| !file.is_tidy())
    }

    /// Returns the source of the libraries that people depend on: `sse-*`, without their tests.
    pub(super) fn library_source(&self) -> impl Iterator<Item = &File> {
        self.rust()
            .filter(|file| file.path.starts_with("sse-") && file.is_source() && !file.is_test())
    }

    /// Returns the top-level folders `sse-*` that are crates.
    pub(super) fn library_folders(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|file| {
            let folder = file.path.strip_suffix("/Cargo.toml")?;
            (folder.starts_with("sse-") && !folder.contains('/')).then_some(folder)
        })
    }

    /// Returns the manifests of the workspace and of all packages.
    pub(super) fn manifests(&self) -> impl Iterator<Item = &File> {
        let root = self.0.iter().filter(|file| file.path == "Cargo.toml");
        root.chain(self.member_manifests())
    }

    /// Returns the manifests of all packages, without the workspace's own.
    pub(super) fn member_manifests(&self) -> impl Iterator<Item = &File> {
        self.0
            .iter()
            .filter(|file| file.path.ends_with("/Cargo.toml"))
    }

    #[cfg(test)]
    pub(super) fn of(files: &[(&str, &str)]) -> Self {
        let file = |&(path, text): &(&str, &str)| File {
            path: path.to_owned(),
            text: text.to_owned(),
        };
        Self(files.iter().map(file).collect())
    }
}

impl File {
    pub(super) fn violation(&self, line: usize, advice: impl Into<String>) -> Violation {
        Violation {
            path: self.path.clone(),
            line,
            advice: advice.into(),
        }
    }

    pub(super) fn has_extension(&self, any_of: &[&str]) -> bool {
        Path::new(&self.path)
            .extension()
            .is_some_and(|extension| any_of.iter().any(|it| extension == *it))
    }

    /// Returns `true` for a file under a `src/`.
    pub(super) fn is_source(&self) -> bool {
        self.path.contains("/src/")
    }

    /// Returns `true` for a file with nothing but tests: `tests/`, `tests.rs`, the suites and the
    /// browser tests.
    pub(super) fn is_test(&self) -> bool {
        self.path.contains("/tests/")
            || self.path.ends_with("/tests.rs")
            || self.path.starts_with("sse-core/conformance/")
            || self.path.starts_with("e2e/")
    }

    pub(super) fn is_tidy(&self) -> bool {
        self.path.starts_with("xtask/src/tidy")
    }

    /// Returns `true` if the file is under the rules about comments and words already.
    pub(super) fn is_reviewed(&self) -> bool {
        !NOT_YET.iter().any(|start| self.path.starts_with(start))
    }

    /// Returns the numbered lines.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        (1..).zip(self.text.lines())
    }

    /// Returns the numbered lines before `mod tests {`, which comes last in a file, without
    /// comments.
    pub(super) fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        self.lines()
            .take_while(|(_, line)| !begins_tests(line))
            .map(|(number, line)| (number, without_comment(line)))
    }

    /// Returns the numbered lines of test code, with comments: all of a test file, or those from
    /// `mod tests {` on.
    pub(super) fn test_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let whole = self.is_test();
        self.lines()
            .skip_while(move |(_, line)| !whole && !begins_tests(line))
    }

    /// Returns `true` if line `number`, or one of the `above` lines before it, has a comment with
    /// one of `words`.
    pub(super) fn is_explained(&self, number: usize, above: usize, words: &[&str]) -> bool {
        let first = number.saturating_sub(above);
        self.lines()
            .filter(|(line, _)| (first..=number).contains(line))
            .filter_map(|(_, line)| line.split_once("//"))
            .any(|(_, comment)| words.iter().any(|word| comment.contains(word)))
    }
}

fn begins_tests(line: &str) -> bool {
    line.trim_start().starts_with("mod tests {")
}

/// Returns the part before `//`. A `//` after a colon is an address in a string.
pub(super) fn without_comment(line: &str) -> &str {
    let mut from = 0;
    while let Some(offset) = line[from..].find("//") {
        let start = from + offset;
        if !line[..start].ends_with(':') {
            return &line[..start];
        }
        from = start + 2;
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str =
        "//! Doc.\nfn a() {} // why\nlet b = \"http://c\"; // d\nmod tests {\n    fn e() {}\n}\n";

    #[test]
    fn code_ends_at_the_tests_and_has_no_comments() {
        let tree = Tree::of(&[("sse-core/src/a.rs", SOURCE)]);
        let code: Vec<_> = tree.files()[0].code().collect();
        assert_eq!(
            code,
            [(1, ""), (2, "fn a() {} "), (3, "let b = \"http://c\"; ")]
        );
    }

    #[test]
    fn test_lines_are_the_rest_or_the_whole_of_a_test_file() {
        let tree = Tree::of(&[
            ("sse-core/src/a.rs", SOURCE),
            ("sse-core/tests/a.rs", SOURCE),
        ]);
        let numbers = |index: usize| -> Vec<usize> {
            tree.files()[index]
                .test_lines()
                .map(|(number, _)| number)
                .collect()
        };
        assert_eq!(numbers(0), [4, 5, 6]);
        assert_eq!(numbers(1), [1, 2, 3, 4, 5, 6]);
    }

    #[test]
    fn a_path_tells_sources_tests_and_crates_apart() {
        let files = [
            ("sse-core/Cargo.toml", ""),
            ("sse-core/conformance/Cargo.toml", ""),
            ("sse-core/conformance/src/lib.rs", ""),
            ("sse-core/src/wire/tests.rs", ""),
            ("sse-core/src/wire.rs", ""),
            ("sse-core/tests/wire.rs", ""),
            ("sse-axum/Cargo.toml", ""),
            ("xtask/src/tidy/tree.rs", ""),
        ];
        let tree = Tree::of(&files);
        let library: Vec<_> = tree
            .library_source()
            .map(|file| file.path.as_str())
            .collect();
        assert_eq!(library, ["sse-core/src/wire.rs"]);
        assert_eq!(
            tree.library_folders().collect::<Vec<_>>(),
            ["sse-core", "sse-axum"]
        );
        assert_eq!(tree.member_manifests().count(), 3);
        assert_eq!(tree.rust_but_tidy().count(), 4);
    }
}
