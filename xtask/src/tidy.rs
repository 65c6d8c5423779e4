//! `cargo xtask tidy`: the house rules and invariants that a machine can check.
//!
//! Every rule is plain text matching over our own files, which keep to a house style; it can be
//! fooled by who wants to fool it. `RULES` is the table; a rule is a function from the tree to its
//! violations, so that its test needs no files.

mod crates;
mod documents;
mod manifests;
mod source;
mod test_code;
mod texts;
mod tree;

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

/// One thing that tidy looks for.
#[derive(Debug)]
struct Rule {
    /// What ARCHITECTURE.md calls it: `**Invariant (name):**`.
    name: &'static str,
    check: fn(&Tree) -> Vec<Violation>,
}

/// All rules. What each asks for is the doc of its function.
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
];

const fn rule(name: &'static str, check: fn(&Tree) -> Vec<Violation>) -> Rule {
    Rule { name, check }
}

/// A violation as it is printed.
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

    /// What the named rule finds in these files, as `path:line`.
    pub(super) fn found(rule: &str, files: &[(&str, &str)]) -> Vec<String> {
        let rule = RULES.iter().find(|it| it.name == rule).unwrap();
        (rule.check)(&Tree::of(files))
            .into_iter()
            .map(|it| format!("{}:{}", it.path, it.line))
            .collect()
    }

    #[test]
    fn a_violation_is_printed_with_its_place_its_rule_and_what_to_do() {
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
