//! Rules about all text files: nothing in them belongs to one machine or to another host.

use super::tree::{Tree, Violation};

/// The folders in which developers keep their files.
const MACHINE_FOLDERS: &[&str] = &["/home/", "/root/", "/Users/"];

/// The hosts that a page of an example may name: the machine itself, and the names of XML
/// vocabularies, which look like addresses but are not loaded.
const ALLOWED_HOSTS: &[&str] = &["localhost", "127.0.0.1", "www.w3.org"];

/// Finds paths of the machine on which a file was written.
pub(super) fn no_machine_paths(tree: &Tree) -> Vec<Violation> {
    let mut violations = Vec::new();
    for file in tree.files() {
        if file.path == "Cargo.lock" || file.is_tidy() {
            continue;
        }
        for (number, line) in file.lines() {
            for folder in MACHINE_FOLDERS {
                if begins_path(line, folder) {
                    let advice = format!("{folder} is on your machine: write a relative path");
                    violations.push(file.violation(number, advice));
                }
            }
        }
    }
    violations
}

/// Finds pages of examples that load something from another host. They work offline and tell nobody
/// who reads them.
pub(super) fn pages_stand_alone(tree: &Tree) -> Vec<Violation> {
    let mut violations = Vec::new();
    let pages = tree.files().iter().filter(|file| {
        file.path.starts_with("examples/") && file.has_extension(&["html", "js", "css"])
    });
    for file in pages {
        for (number, line) in file.lines() {
            if !is_comment(line) && names_other_host(line) {
                let advice = "keep its files next to the page; load nothing from another host";
                violations.push(file.violation(number, advice));
            }
        }
    }
    violations
}

/// Returns `true` if the folder begins a path, and is not inside one or inside an address.
fn begins_path(line: &str, folder: &str) -> bool {
    line.match_indices(folder).any(|(start, _)| {
        !line[..start].ends_with(|last: char| last.is_alphanumeric() || "._-~/}".contains(last))
    })
}

/// Returns `true` for a line that is a comment in HTML, JavaScript or CSS.
fn is_comment(line: &str) -> bool {
    let line = line.trim_start();
    ["//", "/*", "* ", "<!--"]
        .iter()
        .any(|start| line.starts_with(start))
}

fn names_other_host(line: &str) -> bool {
    let is_other = |after: &str| !ALLOWED_HOSTS.iter().any(|host| after.starts_with(host));
    line.match_indices("//").any(|(start, _)| {
        let (before, after) = (&line[..start], &line[start + 2..]);
        let has_scheme = before.ends_with("http:") || before.ends_with("https:");
        // `"//host` is loaded with the scheme of the page.
        let has_host = before.ends_with(['"', '\'', '`', '('])
            && after.starts_with(|first: char| first.is_alphanumeric());
        (has_scheme || has_host) && is_other(after)
    })
}

#[cfg(test)]
mod tests {
    use crate::tidy::tests::found;

    #[test]
    fn a_path_of_a_machine_is_found_in_any_text() {
        let text = "see /home/you/main\n`/home/me/a`\n\"/root/.cargo\"\nfile:/Users/me\n\
            a/home/page\nhttps://example.org/home/\n$HOME/root/\nat-home/\n${a}/root/\n";
        let files = [
            ("README.md", text),
            ("Cargo.lock", text),
            (".ci/run", "cd /root/a\n"),
        ];
        let found = found("no-machine-paths", &files);
        let lines = [
            "README.md:1",
            "README.md:2",
            "README.md:3",
            "README.md:4",
            ".ci/run:1",
        ];
        assert_eq!(found, lines);
    }

    #[test]
    fn a_page_that_loads_something_from_elsewhere_is_found() {
        let text = "<script src=\"https://cdn.example/a.js\"></script>\n\
            <link href='//cdn.example/a.css'>\n<a href=\"http://localhost:3000/\">\n\
            new URL('http://127.0.0.1:3000')\n// see https://example.org\n\
            <!-- https://example.org -->\n<svg xmlns='http://www.w3.org/2000/svg'>\n\
            url(//cdn.example/a.png)\nlet a = b; // c\n";
        let files = [
            ("examples/page/index.html", text),
            ("docs/index.html", text),
        ];
        let found = found("pages-stand-alone", &files);
        assert_eq!(
            found,
            [1, 2, 8].map(|line| format!("examples/page/index.html:{line}"))
        );
    }
}
