//! Rules about the crates that people depend on: their dependencies and their front page.

use super::tree::{Tree, Violation};
use crate::manifest::{Entry, entries};

/// The packages that would tie the core to a framework, or to one of the two incompatible `http`
/// versions that frameworks expose. Every `tower` crate is refused as well.
const FRAMEWORKS: &[&str] = &[
    "axum",
    "axum-core",
    "actix-web",
    "actix-http",
    "warp",
    "rocket",
    "poem",
    "http",
    "http-body",
    "hyper",
    "hyper-util",
];

/// Those that may be there behind a feature: plain types, for the frameworks that share them.
const OPTIONAL: &[&str] = &["http", "http-body"];

const ADAPTERS: &[&str] = &[
    "sse-axum",
    "sse-actix",
    "sse-warp",
    "sse-rocket",
    "sse-poem",
];

/// Frameworks with a smaller crate for adapters: the adapter, the large crate, the small crate.
const SMALLER: &[(&str, &str, &str)] = &[("sse-axum", "axum", "axum-core")];

/// Finds frameworks and `hyper` among the dependencies of `sse-core`, and `http` where no
/// feature brings it, except in its tests.
pub(super) fn core_is_framework_free(tree: &Tree) -> Vec<Violation> {
    let Some(manifest) = tree.file("sse-core/Cargo.toml") else {
        return Vec::new();
    };
    entries(&manifest.text)
        .iter()
        .filter(|entry| is_shipped(entry))
        .filter(|entry| {
            let package = entry.package();
            FRAMEWORKS.contains(&package) || package.starts_with("tower")
        })
        .filter(|entry| !(OPTIONAL.contains(&entry.package()) && entry.is_optional()))
        .map(|entry| {
            let advice = format!(
                "remove {}: without features the core speaks &str, &[u8] and u16",
                entry.package()
            );
            manifest.violation(entry.line, advice)
        })
        .collect()
}

/// Finds adapters that depend on each other, or on more than the smallest crate of their framework.
pub(super) fn adapters_stand_alone(tree: &Tree) -> Vec<Violation> {
    let mut violations = Vec::new();
    for &adapter in ADAPTERS {
        let Some(manifest) = tree.file(&format!("{adapter}/Cargo.toml")) else {
            continue;
        };
        for entry in entries(&manifest.text) {
            let package = entry.package();
            if entry.is_dependency() && ADAPTERS.contains(&package) {
                let advice = format!("remove {package}: code that two adapters share is core's");
                violations.push(manifest.violation(entry.line, advice));
            }
            for (user, large, small) in SMALLER {
                if adapter == *user && package == *large && is_shipped(&entry) {
                    let advice = format!("depend on {small}; {large} is for dev-dependencies");
                    violations.push(manifest.violation(entry.line, advice));
                }
            }
        }
    }
    violations
}

/// Finds adapters without the same files, or whose READMEs differ in subjects or their order.
pub(super) fn adapters_are_equal(tree: &Tree) -> Vec<Violation> {
    let mut violations = Vec::new();
    let Some(model) = tree.file(&format!("{}/README.md", ADAPTERS[0])) else {
        return violations;
    };
    for &adapter in ADAPTERS {
        for file in ["error", "extract", "headers", "respond"] {
            let path = format!("{adapter}/src/{file}.rs");
            if tree.file(&path).is_none() {
                let advice = "add it: every adapter has the same files".to_owned();
                violations.push(Violation {
                    path,
                    line: 1,
                    advice,
                });
            }
        }
        if let Some(readme) = tree.file(&format!("{adapter}/README.md"))
            && subjects(&readme.text) != subjects(&model.text)
        {
            let advice = format!("give its table the first column of {}", model.path);
            violations.push(readme.violation(1, advice));
        }
    }
    violations
}

/// Returns the first column of the tables in a README.
fn subjects(text: &str) -> Vec<&str> {
    let cells = text
        .lines()
        .filter_map(|line| line.strip_prefix('|')?.split('|').next());
    cells.map(str::trim).collect()
}

/// Finds crates whose README is not the documentation of their root, which compiles its examples.
pub(super) fn readme_is_docs(tree: &Tree) -> Vec<Violation> {
    let mut violations = Vec::new();
    for folder in tree.library_folders() {
        let readme = format!("{folder}/README.md");
        if tree.file(&readme).is_none() {
            violations.push(Violation {
                path: readme,
                line: 1,
                advice: "say what the crate is for, with one example that runs".to_owned(),
            });
        }
        if let Some(lib) = tree.file(&format!("{folder}/src/lib.rs"))
            && !lib.text.contains("include_str!(\"../README.md\")")
        {
            let advice = "begin with #![doc = include_str!(\"../README.md\")]";
            violations.push(lib.violation(1, advice));
        }
    }
    violations
}

/// Returns `true` for a dependency that users of the crate get, too.
fn is_shipped(entry: &Entry<'_>) -> bool {
    entry.is_dependency() && !entry.section.ends_with("dev-dependencies")
}

#[cfg(test)]
mod tests {
    use crate::tidy::tests::found;

    #[test]
    fn a_framework_among_the_dependencies_of_core_is_found_under_any_name() {
        let manifest = "[dependencies]\nbytes.workspace = true\nhttp.workspace = true\n\
            web = { package = \"hyper\", version = \"1.0\" }\n\
            [target.'cfg(unix)'.dependencies]\ntower-service.workspace = true\n\
            [dev-dependencies]\naxum.workspace = true\n";
        let found = found(
            "core-is-framework-free",
            &[("sse-core/Cargo.toml", manifest)],
        );
        let lines = [
            "sse-core/Cargo.toml:3",
            "sse-core/Cargo.toml:4",
            "sse-core/Cargo.toml:6",
        ];
        assert_eq!(found, lines);
    }

    #[test]
    fn only_plain_types_may_be_optional_in_the_core() {
        let manifest = "[dependencies]\nhttp = { workspace = true, optional = true }\n\
            hyper = { workspace = true, optional = true }\n\
            http-body = { workspace = true }\n";
        let found = found(
            "core-is-framework-free",
            &[("sse-core/Cargo.toml", manifest)],
        );
        assert_eq!(found, ["sse-core/Cargo.toml:3", "sse-core/Cargo.toml:4"]);
    }

    #[test]
    fn an_adapter_that_depends_on_another_or_on_a_whole_framework_is_found() {
        let manifest = "[dependencies]\nsse-core.workspace = true\naxum.workspace = true\n\
            axum-core.workspace = true\n\
            [dev-dependencies]\naxum.workspace = true\nsse-warp.workspace = true\n";
        let found = found("adapters-stand-alone", &[("sse-axum/Cargo.toml", manifest)]);
        assert_eq!(found, ["sse-axum/Cargo.toml:3", "sse-axum/Cargo.toml:7"]);
    }

    #[test]
    fn an_adapter_with_other_files_or_subjects_is_found() {
        let sources = |adapter: &str| {
            let files = ["error", "extract", "headers", "respond"];
            files.map(|file| format!("{adapter}/src/{file}.rs"))
        };
        let adapters = [
            "sse-axum",
            "sse-actix",
            "sse-warp",
            "sse-rocket",
            "sse-poem",
        ];
        let sources: Vec<String> = adapters
            .iter()
            .flat_map(|adapter| sources(adapter))
            .collect();
        let mut files: Vec<(&str, &str)> = sources.iter().map(|path| (path.as_str(), "")).collect();
        files.retain(|(path, _)| *path != "sse-warp/src/headers.rs");
        files.push(("sse-axum/README.md", "| extractor | A |\n| error | B |\n"));
        files.push(("sse-poem/README.md", "| error | B |\n| extractor | A |\n"));
        files.push(("sse-actix/README.md", "| extractor | C |\n| error | D |\n"));
        let found = found("adapters-are-equal", &files);
        assert_eq!(found, ["sse-warp/src/headers.rs:1", "sse-poem/README.md:1"]);
    }

    #[test]
    fn a_crate_that_has_no_readme_or_does_not_show_it_is_found() {
        let with = "#![doc = include_str!(\"../README.md\")]\n";
        let files = [
            ("sse-axum/Cargo.toml", ""),
            ("sse-axum/src/lib.rs", "//! Docs.\n"),
            ("sse-core/Cargo.toml", ""),
            ("sse-core/README.md", "# sse-core\n"),
            ("sse-core/src/lib.rs", with),
        ];
        let found = found("readme-is-docs", &files);
        assert_eq!(found, ["sse-axum/README.md:1", "sse-axum/src/lib.rs:1"]);
    }
}
