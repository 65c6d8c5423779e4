//! Rules about the documents that have to agree with the code.

use super::RULES;
use super::tree::{Tree, Violation};
use crate::manifest::entries;

/// What keeps an invariant beside a rule of tidy: a test that fails, or a type that cannot.
const OTHER_KEEPERS: &[&str] = &["test", "type"];

/// The changelog speaks of this version, or of what is not yet released.
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

/// An invariant in ARCHITECTURE.md is bold and says what keeps it: `**Invariant (rule-name):**`.
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
    for (number, line) in file.lines() {
        for sentence in line.split(START).skip(1) {
            let keepers = sentence
                .strip_prefix(" (")
                .and_then(|rest| rest.split_once("):**"))
                .map_or("", |(keepers, _)| keepers);
            for keeper in keepers.split(", ").filter(|keeper| !is_keeper(keeper)) {
                let advice = format!(
                    "`{keeper}` keeps no invariant: write `{START} (name):**`, where name is a rule \
                     of tidy, `test` or `type`"
                );
                violations.push(file.violation(number, advice));
            }
        }
    }
    violations
}

fn is_keeper(name: &str) -> bool {
    let name = name.trim_matches('`');
    OTHER_KEEPERS.contains(&name) || RULES.iter().any(|rule| rule.name == name)
}

#[cfg(test)]
mod tests {
    use crate::tidy::tests::found;

    #[test]
    fn the_changelog_knows_this_version() {
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
    fn an_invariant_names_what_keeps_it() {
        let text = "**Invariant (module-docs):** a. **Invariant (test, type):** b.\n\
            **Invariant (wish):** c.\n**Invariant**: d.\n- **Invariant (`changelog`):** e.\n";
        let found = found("kept-invariants", &[("ARCHITECTURE.md", text)]);
        assert_eq!(found, ["ARCHITECTURE.md:2", "ARCHITECTURE.md:3"]);
    }

    #[test]
    fn there_are_invariants() {
        for files in [&[("ARCHITECTURE.md", "# Architecture\n")][..], &[]] {
            assert_eq!(found("kept-invariants", files), ["ARCHITECTURE.md:1"]);
        }
    }
}
