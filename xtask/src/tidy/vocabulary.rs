//! The rule of one vocabulary: names and text use the word that the glossary has for a thing.

use super::tree::{Tree, Violation};

/// Files and folders that are still to be brought under the rules about comments and words. Each
/// entry is a beginning of a path; the list only ever gets shorter.
pub(super) const NOT_YET: &[&str] = &[
    // The method `may_wait` of the trait.
    "sse-core/tests/joe_blocking/slow.rs",
];

/// Words and phrases that are not used, each with those to use instead.
///
/// An entry is found in text and in identifiers, as whole words: `crowd` in "a crowd", `take_crowd`
/// and `CrowdSize`, and not in "crowded".
const FORBIDDEN: &[(&str, &str)] = &[
    ("alarm", "timer"),
    ("alarms", "timers"),
    ("anew", "again"),
    ("attendant", "wake task"),
    ("attendants", "wake tasks"),
    ("beside", "besides, next to, along with"),
    ("but for", "except for"),
    ("crowd", "wake batch, many listeners"),
    ("crowds", "wake batches"),
    ("futile", "permanent"),
    ("lane", "topic log"),
    ("lanes", "topic logs"),
    ("fn may wait", "fn is_blocking"),
    ("of ours", "our"),
    ("own id", "explicit id"),
    ("seat", "queue handle, listener"),
    ("seats", "queue handles, listeners"),
    ("so many", "this many"),
    ("whoever", "a client, the caller, anyone who"),
];

/// Finds words of the old vocabulary, in Rust files and in documents.
pub(super) fn forbidden_names(tree: &Tree) -> Vec<Violation> {
    let mut violations = Vec::new();
    for file in tree.files().iter().filter(|file| {
        // This file has to contain the words that it looks for.
        file.has_extension(&["rs", "md"]) && file.is_reviewed() && !file.path.ends_with(file!())
    }) {
        for (number, line) in file.lines() {
            let words = words(line);
            for (old, new) in FORBIDDEN {
                if words.contains(&format!(" {old} ")) {
                    violations.push(file.violation(number, format!("not `{old}`: {new}")));
                }
            }
        }
    }
    violations
}

/// Returns the words of a line in lower case, those of identifiers apart, each between blanks.
fn words(line: &str) -> String {
    let mut words = String::from(" ");
    let mut was_lower = false;
    for letter in line.chars() {
        if letter.is_uppercase() && was_lower || !letter.is_alphanumeric() {
            words.push(' ');
        }
        if letter.is_alphanumeric() {
            words.extend(letter.to_lowercase());
        }
        was_lower = letter.is_lowercase();
    }
    words.push(' ');
    words.replace("  ", " ")
}

#[cfg(test)]
mod tests {
    use crate::tidy::tests::found;

    #[test]
    fn a_forbidden_word_is_found_in_text_and_in_names() {
        let text = "// A crowd.\nfn take_seats() {}\nstruct LaneLength;\n/// So many, and\n\
            fn may_wait() {}\n// Overcrowded planes beneath seatbelts; besides, an attendance.\n";
        let files = [
            ("xtask/src/a.rs", text),
            ("xtask/a.md", "Anew.\n"),
            ("a.txt", "anew"),
        ];
        let found = found("forbidden-names", &files);
        let lines = [1, 2, 3, 4, 5].map(|line| format!("xtask/src/a.rs:{line}"));
        assert_eq!(found[..5], lines);
        assert_eq!(found[5..], ["xtask/a.md:1"]);
    }
}
