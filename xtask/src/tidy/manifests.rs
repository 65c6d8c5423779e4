//! Rules about manifests: a sentence for each dependency and feature, and shared settings.

use super::tree::{Tree, Violation};
use crate::manifest::{entries, features};

/// Finds dependencies without a reason, or without a version that was tried.
///
/// In the workspace's list a comment is valid for all entries below it, up to a blank line. The
/// only member that needs a dependency may list it itself, with a comment directly above.
pub(super) fn reasoned_dependencies(tree: &Tree) -> Vec<Violation> {
    let mut violations = Vec::new();
    for manifest in tree.manifests() {
        for entry in entries(&manifest.text) {
            if entry.section.contains("dependencies.") {
                let advice = "write the dependency on one line, because rules read lines";
                violations.push(manifest.violation(entry.line, advice));
            }
            if !entry.is_dependency() || entry.is_inherited() || entry.value.contains("path = \"") {
                continue;
            }
            let is_shared = entry.section == "workspace.dependencies";
            if !(entry.has_comment || is_shared && entry.block_has_comment) {
                let advice = format!("say in a comment above why {} is needed", entry.key);
                violations.push(manifest.violation(entry.line, advice));
            }
            if !entry.version().is_some_and(is_floor) {
                let advice = format!(
                    "give {} a version `x.y` or `x.y.z` that was tried",
                    entry.key
                );
                violations.push(manifest.violation(entry.line, advice));
            }
        }
    }
    violations
}

/// Finds features, except `default`, without a comment directly above that says what they add, or
/// that are not named in the README of their library.
pub(super) fn documented_features(tree: &Tree) -> Vec<Violation> {
    let mut violations = Vec::new();
    for manifest in tree.member_manifests() {
        for feature in features(&manifest.text) {
            if !feature.has_comment {
                let advice = format!("say in a comment above what {} adds", feature.key);
                violations.push(manifest.violation(feature.line, advice));
            }
            let readme = manifest.path.replace("Cargo.toml", "README.md");
            if let Some(readme) = tree.file(&readme)
                && !readme.text.contains(&format!("`{}`", feature.key))
            {
                let advice = format!("name the feature `{}` and what it adds", feature.key);
                violations.push(readme.violation(1, advice));
            }
        }
    }
    violations
}

/// Finds members that do not inherit lints, edition and publication from the workspace.
pub(super) fn members_inherit(tree: &Tree) -> Vec<Violation> {
    const SETTINGS: &[(&str, &str)] = &[
        ("lints", "workspace"),
        ("package", "edition.workspace"),
        ("package", "publish.workspace"),
    ];
    let mut violations = Vec::new();
    for manifest in tree.member_manifests() {
        let entries = entries(&manifest.text);
        for (section, key) in SETTINGS {
            let is_set = entries
                .iter()
                .any(|it| it.section == *section && it.key == *key && it.value == "true");
            if !is_set {
                let advice = format!("add `{key} = true` under [{section}]");
                violations.push(manifest.violation(1, advice));
            }
        }
    }
    violations
}

/// Returns `true` for `1.2` and `1.2.3`. "1" would promise that 1.0.0 works, which nobody has
/// tried.
fn is_floor(version: &str) -> bool {
    let version = version.trim_start_matches(['=', '^', '~', '>', '<', ' ']);
    let mut parts = version.split('.');
    let mut is_number = || {
        parts
            .next()
            .is_some_and(|part| part.starts_with(|first: char| first.is_ascii_digit()))
    };
    is_number() && is_number()
}

#[cfg(test)]
mod tests {
    use crate::tidy::tests::found;

    #[test]
    fn a_shared_dependency_without_a_reason_or_a_floor_is_found() {
        let manifest = "[workspace.dependencies]\nsse-core = { path = \"sse-core\" }\n\n\
            # Why a and b.\na = \"1.2\"\nb = { version = \"0.3.1\", features = [] }\n\n\
            c = \"1.2\"\n# Why d and e.\nd = \"1\"\ne = { version = \"*\" }\n\
            [workspace.lints.rust]\nunsafe_code = \"forbid\"\n";
        let found = found("reasoned-dependencies", &[("Cargo.toml", manifest)]);
        assert_eq!(found, ["Cargo.toml:8", "Cargo.toml:10", "Cargo.toml:11"]);
    }

    #[test]
    fn a_dependency_of_one_member_without_a_reason_or_a_floor_is_found() {
        let manifest = "[dependencies]\na.workspace = true\n\
            b = { workspace = true, optional = true }\n# Why c.\nc = \"1.2\"\nd = \"1.2\"\n\
            # Why e.\ne = \"1\"\n[dev-dependencies.f]\nversion = \"1.2\"\n";
        let found = found("reasoned-dependencies", &[("e2e/Cargo.toml", manifest)]);
        assert_eq!(
            found,
            [6, 8, 10].map(|line| format!("e2e/Cargo.toml:{line}"))
        );
    }

    #[test]
    fn a_feature_without_its_own_comment_is_found() {
        let manifest = "[features]\ndefault = []\n# What a adds.\na = []\nb = []\n";
        let found = found("documented-features", &[("sse-core/Cargo.toml", manifest)]);
        assert_eq!(found, ["sse-core/Cargo.toml:5"]);
    }

    #[test]
    fn a_feature_that_the_readme_does_not_name_is_found() {
        let manifest = "[features]\n# What a adds.\na = []\n# What b adds.\nb = []\n";
        let files = [
            ("sse-core/Cargo.toml", manifest),
            ("sse-core/README.md", "Features: `a`.\n"),
        ];
        let found = found("documented-features", &files);
        assert_eq!(found, ["sse-core/README.md:1"]);
    }

    #[test]
    fn a_member_that_does_not_inherit_its_settings_is_found() {
        let good = "[package]\nedition.workspace = true\npublish.workspace = true\n\
            [lints]\nworkspace = true\n";
        assert!(found("members-inherit", &[("e2e/Cargo.toml", good)]).is_empty());

        let bad = "[package]\nedition = \"2024\"\npublish.workspace = true\n[lints.rust]\n";
        let found = found("members-inherit", &[("e2e/Cargo.toml", bad)]);
        assert_eq!(found, ["e2e/Cargo.toml:1", "e2e/Cargo.toml:1"]);
    }
}
