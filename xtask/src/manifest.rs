//! A reader of `Cargo.toml` by lines, which is enough for this project's own manifests, in which
//! each entry begins its line.
//!
//! A TOML parser would throw away the comments and blank lines that tidy needs.

/// One `key = value` line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Entry<'a> {
    /// Counted from 1.
    pub(crate) line: usize,
    /// The header above it, without brackets.
    pub(crate) section: &'a str,
    pub(crate) key: &'a str,
    /// The value as written; of an array over several lines only the first line.
    pub(crate) value: &'a str,
    /// `true` if the line directly above is a comment.
    pub(crate) has_comment: bool,
    /// `true` if a comment stands above, with no blank line in between.
    pub(crate) block_has_comment: bool,
}

impl<'a> Entry<'a> {
    /// Returns the package of a dependency.
    pub(crate) fn package(&self) -> &'a str {
        match self.field("package") {
            Some(package) => package,
            None => self.key.split('.').next().unwrap_or(self.key),
        }
    }

    /// Returns the version of a dependency, if it has one.
    pub(crate) fn version(&self) -> Option<&'a str> {
        if self.value.starts_with('"') {
            return self.value.split('"').nth(1);
        }
        self.field("version")
    }

    /// Returns `true` in any table of dependencies: normal, of a target, build, dev, or the
    /// workspace's.
    pub(crate) fn is_dependency(&self) -> bool {
        self.section.ends_with("dependencies")
    }

    /// Returns `true` for a dependency that is defined in the workspace's list.
    pub(crate) fn is_inherited(&self) -> bool {
        self.key.ends_with(".workspace") || self.value.contains("workspace = true")
    }

    /// Returns `true` for a dependency that only a feature brings.
    pub(crate) fn is_optional(&self) -> bool {
        self.value.contains("optional = true")
    }

    /// Returns the text of `name = "text"` in an inline table.
    fn field(&self, name: &str) -> Option<&'a str> {
        let (_, rest) = self.value.split_once(&format!("{name} = \""))?;
        rest.split('"').next()
    }
}

/// Returns all entries of a manifest, in order.
pub(crate) fn entries(text: &str) -> Vec<Entry<'_>> {
    let mut found = Vec::new();
    let mut section = "";
    let mut has_comment = false;
    let mut block_has_comment = false;
    for (index, line) in text.lines().enumerate() {
        if let Some(header) = line.strip_prefix('[') {
            section = header.split(']').next().unwrap_or(header);
        }
        if line.trim().is_empty() || line.starts_with('[') {
            block_has_comment = false;
        }
        if line.starts_with(|first: char| first.is_alphanumeric() || first == '_')
            && let Some((key, value)) = line.split_once('=')
        {
            found.push(Entry {
                line: index + 1,
                section,
                key: key.trim(),
                value: value.trim(),
                has_comment,
                block_has_comment,
            });
        }
        has_comment = line.starts_with('#');
        block_has_comment |= has_comment;
    }
    found
}

/// Returns the features of a package, without `default`.
pub(crate) fn features(text: &str) -> Vec<Entry<'_>> {
    let mut features = entries(text);
    features.retain(|entry| entry.section == "features" && entry.key != "default");
    features
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"
[features]
default = ["a"]
# What a is.
a = [
    "dep:c",
]
b = []

[dependencies]
# Why.
c = "1.2"
d = { version = "1.3", package = "e" }

f.workspace = true
"#;

    #[test]
    fn entries_are_found_with_their_section_and_comments() {
        let found: Vec<_> = entries(TEXT)
            .iter()
            .map(|it| {
                (
                    it.line,
                    it.section,
                    it.key,
                    it.has_comment,
                    it.block_has_comment,
                )
            })
            .collect();
        let expected = [
            (3, "features", "default", false, false),
            (5, "features", "a", true, true),
            (8, "features", "b", false, true),
            (12, "dependencies", "c", true, true),
            (13, "dependencies", "d", false, true),
            (15, "dependencies", "f.workspace", false, false),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn the_package_and_version_of_a_dependency_are_read() {
        let found: Vec<_> = entries(TEXT)
            .iter()
            .filter(|entry| entry.is_dependency())
            .map(|it| (it.package(), it.version()))
            .collect();
        assert_eq!(found, [("c", Some("1.2")), ("e", Some("1.3")), ("f", None)]);
    }

    #[test]
    fn default_is_left_out_of_the_features() {
        let found: Vec<_> = features(TEXT).iter().map(|it| it.key).collect();
        assert_eq!(found, ["a", "b"]);
    }
}
