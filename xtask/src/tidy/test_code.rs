//! Rules about loose ends: tests that do not run, notes to self, blind waiting.

use super::tree::{Tree, Violation, without_comment};

/// Finds notes to self, which belong into the issue list. Clippy finds `todo!` and its kind.
pub(super) fn nothing_unfinished(tree: &Tree) -> Vec<Violation> {
    let advice = "finish it, or leave it out and open an issue";
    lines_with(tree, &["TODO", "FIXME", "XXX"], advice)
}

/// Finds ignored tests: a test runs, or it is deleted.
pub(super) fn nothing_ignored(tree: &Tree) -> Vec<Violation> {
    lines_with(
        tree,
        &["#[ignore"],
        "make the test run always, or delete it",
    )
}

/// Finds sleeps in tests. A test waits for an event, with a deadline, and not for a time that was
/// enough yesterday.
///
/// A sleep that is a deadline, or that sets the pace of the test, says so in a comment
/// `// deadline: why` or `// pace: why` on its line or the one above.
pub(super) fn no_bare_sleep(tree: &Tree) -> Vec<Violation> {
    let mut violations = Vec::new();
    for file in tree.rust_but_tidy() {
        for (number, line) in file.test_lines() {
            let is_reasoned = || file.is_explained(number, 1, &["deadline: ", "pace: "]);
            if calls_sleep(without_comment(line)) && !is_reasoned() {
                let advice = "wait for the event itself, or say `// deadline: why`, `// pace: why`";
                violations.push(file.violation(number, advice));
            }
        }
    }
    violations
}

fn lines_with(tree: &Tree, words: &[&str], advice: &str) -> Vec<Violation> {
    let mut violations = Vec::new();
    for file in tree.rust_but_tidy() {
        for (number, line) in file.lines() {
            if words.iter().any(|word| line.contains(word)) {
                violations.push(file.violation(number, advice));
            }
        }
    }
    violations
}

/// Returns `true` for `sleep(`, also qualified, but not for a method or a longer name.
fn calls_sleep(code: &str) -> bool {
    code.match_indices("sleep(").any(|(start, _)| {
        let before = &code[..start];
        let is_longer =
            before.ends_with(|last: char| last.is_alphanumeric() || "_.".contains(last));
        !is_longer && !before.ends_with("fn ")
    })
}

#[cfg(test)]
mod tests {
    use crate::tidy::tests::found;

    #[test]
    fn a_note_to_self_is_found_everywhere() {
        let text = "// TODO: a\n// FIXME: b\n// XXX\nlet todo = 1;\n";
        let found = found("nothing-unfinished", &[("xtask/src/demo.rs", text)]);
        assert_eq!(
            found,
            [1, 2, 3].map(|line| format!("xtask/src/demo.rs:{line}"))
        );
    }

    #[test]
    fn an_ignored_test_is_found() {
        let text = "#[test]\n#[ignore = \"slow\"]\nfn a() {}\n    #[ignore]\n";
        let found = found("nothing-ignored", &[("sse-core/tests/a.rs", text)]);
        assert_eq!(found, ["sse-core/tests/a.rs:2", "sse-core/tests/a.rs:4"]);
    }

    #[test]
    fn a_sleep_in_a_test_without_a_reason_is_found() {
        let text = "thread::sleep(a);\nmod tests {\ntokio::time::sleep(a).await;\nsleep(a);\n\
            // pace: one message per tick\nsleep(a);\nsleep(a); // deadline: the poll below\n\
            b.sleep(a);\nfn sleep() {}\n// sleep(a)\nsleep(a); // a while\n}\n";
        let in_source = found("no-bare-sleep", &[("sse-core/src/a.rs", text)]);
        assert_eq!(
            in_source,
            [3, 4, 11].map(|line| format!("sse-core/src/a.rs:{line}"))
        );
        let in_tests = found("no-bare-sleep", &[("e2e/src/lib.rs", text)]);
        assert_eq!(
            in_tests,
            [1, 3, 4, 11].map(|line| format!("e2e/src/lib.rs:{line}"))
        );
    }
}
