//! Rules about comments and documents: the first word, and the width.

use super::tree::{File, Tree, Violation};

/// The widest that a comment may be; rustfmt keeps code within the same width.
pub(crate) const COLUMNS: usize = 100;

/// The widest that a line of a document may be.
const DOCUMENT_COLUMNS: usize = 120;

/// The documents that a program writes.
const WRITTEN_BY_PROGRAMS: &str = "docs/bench/";

/// A doc comment that begins with one of these words asks a question instead of answering it.
const QUESTION_WORDS: &[&str] = &[
    "how", "what", "whatever", "when", "where", "whether", "which", "who", "whom", "whose", "why",
];

/// Finds doc comments that begin with a question word. The first sentence is a statement: "Returns
/// ..." or "A cursor into ...".
pub(super) fn summary_line(tree: &Tree) -> Vec<Violation> {
    let mut violations = Vec::new();
    for file in tree.rust().filter(|file| file.is_reviewed()) {
        for (number, _) in doc_comments(file).filter(|(_, text)| is_question(text)) {
            let advice = "begin with a verb (\"Returns ...\") or a noun (\"A cursor ...\")";
            violations.push(file.violation(number, advice));
        }
    }
    violations
}

/// Finds comments that are wider than code.
pub(super) fn doc_width(tree: &Tree) -> Vec<Violation> {
    let mut violations = Vec::new();
    for file in tree.rust().filter(|file| file.is_reviewed()) {
        for (number, _) in file.lines().filter(|(_, line)| is_too_wide(line)) {
            violations.push(file.violation(number, format!("wrap it at {COLUMNS} columns")));
        }
    }
    violations
}

/// Finds lines of documents that are too wide to read next to the code.
pub(super) fn document_width(tree: &Tree) -> Vec<Violation> {
    let documents = tree.files().iter().filter(|file| {
        let is_written_by_hand = !file.path.starts_with(WRITTEN_BY_PROGRAMS);
        file.has_extension(&["md"]) && file.is_reviewed() && is_written_by_hand
    });
    let mut violations = Vec::new();
    for file in documents {
        let mut is_code = false;
        for (number, line) in file.lines() {
            let is_fence = line.trim_start().starts_with("```");
            is_code ^= is_fence;
            if !is_fence && !is_code && is_wide_prose(line) {
                let advice = format!("wrap it at {DOCUMENT_COLUMNS} columns");
                violations.push(file.violation(number, advice));
            }
        }
    }
    violations
}

/// Returns the number and the text of the first line of each doc comment.
pub(crate) fn doc_comments(file: &File) -> impl Iterator<Item = (usize, &str)> {
    let mut next = 0;
    file.lines()
        .filter_map(|(number, line)| Some((number, doc_text(line)?)))
        .filter(move |(number, _)| std::mem::replace(&mut next, number + 1) != *number)
}

/// Returns `true` if the text begins with a question word.
pub(crate) fn is_question(text: &str) -> bool {
    let mut words = text.split(|letter: char| !letter.is_alphanumeric());
    words
        .find(|word| !word.is_empty())
        .is_some_and(|word| QUESTION_WORDS.contains(&word.to_lowercase().as_str()))
}

/// Returns `true` if the line has a comment and is too wide. A row of a table and a line with an
/// address cannot be wrapped, so they may be.
pub(crate) fn is_too_wide(line: &str) -> bool {
    let start = line.trim_start();
    let is_comment = start.starts_with("//") || line.contains(" // ");
    let text = start.trim_start_matches(['/', '!', ' ']);
    let is_fixed = text.starts_with('|') || text.contains("://") || text.contains("]: ");
    is_comment && !is_fixed && line.chars().count() > COLUMNS
}

/// Returns `true` if the line of a document is too wide. A row of a table, an image, a footnote,
/// the address of a link and a long name cannot be wrapped, so they may be.
fn is_wide_prose(line: &str) -> bool {
    let is_long_name = line.split_whitespace().count() <= 2;
    let is_fixed = line.starts_with(['|', '!', '[']) || is_long_name;
    !is_fixed && line.chars().count() > DOCUMENT_COLUMNS
}

/// Returns the text of a line of a doc comment.
fn doc_text(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let text = line
        .strip_prefix("//!")
        .or_else(|| line.strip_prefix("///"))?;
    (!text.starts_with('/')).then(|| text.trim())
}

#[cfg(test)]
mod tests {
    use crate::tidy::tests::found;

    #[test]
    fn a_doc_comment_that_begins_with_a_question_word_is_found() {
        let text = [
            "//! How it works.\n\n/// Returns what it has.\nfn a() {}\n    /// **Whether** b.",
            "/// What follows is no first line.\nfn b() {}\n// What a plain comment says.",
            "//// Where a line is drawn.\n/// Whatsoever.",
        ];
        let text = text.join("\n");
        let found = found("summary-line", &[("xtask/src/a.rs", &text)]);
        assert_eq!(found, ["xtask/src/a.rs:1", "xtask/src/a.rs:5"]);
    }

    #[test]
    fn a_wide_comment_is_found() {
        let wide = "x".repeat(98);
        let text = format!(
            "//! {wide}\n    // {wide}\nlet a = 1; // {wide}\nlet b = \"{wide}\";\n// | {wide}\n\
            // https://{wide}\n/// [a]: {wide}\n// {}\n",
            &wide[1..]
        );
        let found = found("doc-width", &[("xtask/src/a.rs", &text)]);
        assert_eq!(
            found,
            [1, 2, 3].map(|line| format!("xtask/src/a.rs:{line}"))
        );
    }

    #[test]
    fn a_wide_line_of_a_document_is_found() {
        let wide = "x ".repeat(61);
        let text =
            format!("{wide}\n- {wide}\n| {wide}\n```sh\n{wide}\n```\n![{wide}]\n[^1]: {wide}\n");
        let files = [
            ("docs/a.md", &*text),
            ("docs/bench/a.md", &*text),
            ("a.txt", &*text),
        ];
        let found = found("document-width", &files);
        assert_eq!(found, ["docs/a.md:1", "docs/a.md:2"]);
    }
}
