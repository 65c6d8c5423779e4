//! `cargo xtask tidy`: the house rules and invariants that a machine can check.
//!
//! Every rule is plain text matching over files in the house style; code that is written to fool a
//! rule will. `RULES` is the table. A rule is a function from the tree to its violations, so that
//! its test needs no files.

pub(crate) mod comments;
mod crates;
mod documents;
mod manifests;
mod source;
mod test_code;
mod texts;
pub(crate) mod tree;
mod vocabulary;

use std::fmt;

use anyhow::{Result, bail};

use tree::{Tree, Violation};

/// Prints every violation as `path:line: rule: what to do` and fails if there is one.
pub(crate) fn run() -> Result<()> {
    let tree = Tree::load()?;
    let mut count = 0;
    for rule in RULES {
        for violation in (rule.check)(&tree) {
            println!("{}", Line { rule, violation });
            count += 1;
        }
    }
    if count > 0 {
        bail!("tidy found {count} violations");
    }
    println!(
        "tidy: {} files keep {} rules",
        tree.files().len(),
        RULES.len()
    );
    Ok(())
}

/// One row of the table.
#[derive(Debug)]
struct Rule {
    /// The name by which ARCHITECTURE.md refers to it: `**Invariant (name):**`.
    name: &'static str,
    check: fn(&Tree) -> Vec<Violation>,
}

/// All rules. The doc of each function states the rule.
const RULES: &[Rule] = &[
    rule("core-is-framework-free", crates::core_is_framework_free),
    rule("adapters-stand-alone", crates::adapters_stand_alone),
    rule("adapters-are-equal", crates::adapters_are_equal),
    rule("readme-is-docs", crates::readme_is_docs),
    rule("one-place-for-headers", source::one_place_for_headers),
    rule("module-docs", source::module_docs),
    rule("lib-is-contents", source::lib_is_contents),
    rule("short-files", source::short_files),
    rule("proven-unwrap", source::proven_unwrap),
    rule("nothing-unfinished", test_code::nothing_unfinished),
    rule("nothing-ignored", test_code::nothing_ignored),
    rule("no-bare-sleep", test_code::no_bare_sleep),
    rule("reasoned-dependencies", manifests::reasoned_dependencies),
    rule("documented-features", manifests::documented_features),
    rule("members-inherit", manifests::members_inherit),
    rule("changelog", documents::changelog),
    rule("kept-invariants", documents::kept_invariants),
    rule("no-machine-paths", texts::no_machine_paths),
    rule("pages-stand-alone", texts::pages_stand_alone),
    rule("summary-line", comments::summary_line),
    rule("doc-width", comments::doc_width),
    rule("document-width", comments::document_width),
    rule("forbidden-names", vocabulary::forbidden_names),
];

const fn rule(name: &'static str, check: fn(&Tree) -> Vec<Violation>) -> Rule {
    Rule { name, check }
}

/// The printed line of a violation.
struct Line<'a> {
    rule: &'a Rule,
    violation: Violation,
}

impl fmt::Display for Line<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Violation { path, line, advice } = &self.violation;
        write!(formatter, "{path}:{line}: {}: {advice}", self.rule.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the violations of the named rule in these files, each as `path:line`.
    pub(super) fn found(rule: &str, files: &[(&str, &str)]) -> Vec<String> {
        let rule = RULES.iter().find(|it| it.name == rule).unwrap();
        (rule.check)(&Tree::of(files))
            .into_iter()
            .map(|it| format!("{}:{}", it.path, it.line))
            .collect()
    }

    #[test]
    fn a_violation_is_printed_with_its_place_its_rule_and_its_advice() {
        let rule = RULES.iter().find(|it| it.name == "module-docs").unwrap();
        let tree = Tree::of(&[("sse-core/src/a.rs", "mod b;\n")]);
        let violation = (rule.check)(&tree).remove(0);
        let line = Line { rule, violation }.to_string();
        assert!(
            line.starts_with("sse-core/src/a.rs:1: module-docs: begin"),
            "{line}"
        );
    }

    #[test]
    fn rule_names_are_distinct() {
        let mut names: Vec<&str> = RULES.iter().map(|rule| rule.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), RULES.len());
    }
}
