//! Rules about documents that have to agree with the code.

use super::RULES;
use super::tree::{Tree, Violation};
use crate::manifest::entries;

/// Finds a changelog without a heading for this version or for unreleased changes.
pub(super) fn changelog(tree: &Tree) -> Vec<Violation> {
    let path = "CHANGELOG.md";
    let version = tree.file("Cargo.toml").map_or("", |manifest| {
        entries(&manifest.text)
            .iter()
            .find(|it| it.section == "workspace.package" && it.key == "version")
            .map_or("", |it| it.value.trim_matches('"'))
    });
    let is_current = |line: &str| {
        let Some(heading) = line.strip_prefix("## ") else {
            return false;
        };
        // A heading may be a link, `[0.1.0]`, and may be followed by a date.
        let name = heading.trim_start_matches('[').split([']', ' ']).next();
        name == Some("Unreleased") || name == Some(version)
    };
    match tree.file(path) {
        Some(file) if file.text.lines().any(is_current) => Vec::new(),
        _ => vec![Violation {
            path: path.to_owned(),
            line: 1,
            advice: format!("add a heading `## Unreleased` or `## {version}`"),
        }],
    }
}

/// Finds invariants in ARCHITECTURE.md that nothing keeps. An invariant is bold and names its
/// keepers: `**Invariant (rule-name):**`.
pub(super) fn kept_invariants(tree: &Tree) -> Vec<Violation> {
    const START: &str = "**Invariant";
    let path = "ARCHITECTURE.md";
    let Some(file) = tree.file(path).filter(|file| file.text.contains(START)) else {
        return vec![Violation {
            path: path.to_owned(),
            line: 1,
            advice: "state the invariants, as `**Invariant (rule-name):** ...`".to_owned(),
        }];
    };
    let mut violations = Vec::new();
    for (start, _) in file.text.match_indices(START) {
        let number = file.text[..start].lines().count() + 1;
        let keepers = file.text[start + START.len()..]
            .strip_prefix(" (")
            .and_then(|rest| rest.split_once("):**"))
            .map_or("", |(keepers, _)| keepers);
        for keeper in keepers.split(',').map(str::trim) {
            if !is_keeper(tree, keeper) {
                let advice = format!(
                    "`{keeper}` keeps no invariant: name a rule of tidy, `type`, `lint: name` from \
                     Cargo.toml, or `test: path::name` of a test that exists"
                );
                violations.push(file.violation(number, advice));
            }
        }
    }
    violations
}

/// Returns `true` for a rule of tidy, a type, a lint of the workspace, and a test that exists.
fn is_keeper(tree: &Tree, keeper: &str) -> bool {
    let keeper = keeper.trim_matches('`');
    match keeper.split_once(": ") {
        Some(("test", test)) => has_test(tree, test),
        Some(("lint", lint)) => has_lint(tree, lint),
        _ => keeper == "type" || RULES.iter().any(|rule| rule.name == keeper),
    }
}

/// Returns `true` if `path::name` is a function in a file of tests.
fn has_test(tree: &Tree, test: &str) -> bool {
    let Some((path, name)) = test.split_once("::") else {
        return false;
    };
    let function = format!("fn {name}(");
    tree.file(path)
        .is_some_and(|file| file.test_lines().any(|(_, line)| line.contains(&function)))
}

fn has_lint(tree: &Tree, lint: &str) -> bool {
    tree.file("Cargo.toml").is_some_and(|manifest| {
        entries(&manifest.text)
            .iter()
            .any(|it| it.section.starts_with("workspace.lints") && it.key == lint)
    })
}

#[cfg(test)]
mod tests {
    use crate::tidy::tests::found;

    #[test]
    fn a_changelog_that_does_not_know_this_version_is_found() {
        let manifest = "[workspace.package]\nversion = \"0.2.0\"\n";
        let rows = [
            ("# Changelog\n\n## Unreleased\n", true),
            ("## 0.2.0\n", true),
            ("## [0.2.0] - 2030-01-01\n", true),
            ("## 0.1.0\n", false),
            ("Unreleased\n", false),
            ("", false),
        ];
        for (text, is_good) in rows {
            let files = [("Cargo.toml", manifest), ("CHANGELOG.md", text)];
            assert_eq!(found("changelog", &files).is_empty(), is_good, "{text}");
        }
        assert_eq!(
            found("changelog", &[("Cargo.toml", manifest)]),
            ["CHANGELOG.md:1"]
        );
    }

    #[test]
    fn an_invariant_that_nothing_keeps_is_found() {
        let text = "**Invariant (module-docs):** a. **Invariant (type, lint: todo):** b.\n\
            **Invariant (wish):** c.\n**Invariant**: d.\n- **Invariant (`changelog`):** e.\n\
            **Invariant (test: sse-core/tests/a.rs::a_test,\ntest: b.rs::a_test):** f.\n\
            **Invariant (test: sse-core/tests/a.rs::a_tes):** g.\n**Invariant (test):** h.\n\
            **Invariant (lint: done):** i.\n";
        let files = [
            ("ARCHITECTURE.md", text),
            ("Cargo.toml", "[workspace.lints.clippy]\ntodo = \"warn\"\n"),
            ("sse-core/tests/a.rs", "async fn a_test() {}\n"),
        ];
        let found = found("kept-invariants", &files);
        let lines = [2, 3, 5, 7, 8, 9];
        assert_eq!(found, lines.map(|line| format!("ARCHITECTURE.md:{line}")));
    }

    #[test]
    fn a_document_without_invariants_is_found() {
        for files in [&[("ARCHITECTURE.md", "# Architecture\n")][..], &[]] {
            assert_eq!(found("kept-invariants", files), ["ARCHITECTURE.md:1"]);
        }
    }
}
