//! The example apps.

use std::{env, fmt, path::PathBuf};

use anyhow::{Context as _, Result, ensure};

/// The example app, once per framework.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum App {
    /// `examples/axum`
    Axum,
    /// `examples/actix`
    Actix,
    /// `examples/warp`
    Warp,
    /// `examples/rocket`
    Rocket,
    /// `examples/poem`
    Poem,
}

impl App {
    /// All apps, in the order in which tables show them.
    pub const ALL: [Self; 5] = [
        Self::Axum,
        Self::Actix,
        Self::Warp,
        Self::Rocket,
        Self::Poem,
    ];

    /// The name of the framework, which is that of the example's folder.
    pub fn name(self) -> &'static str {
        match self {
            Self::Axum => "axum",
            Self::Actix => "actix",
            Self::Warp => "warp",
            Self::Rocket => "rocket",
            Self::Poem => "poem",
        }
    }

    /// Returns the executable that `EXAMPLE_<NAME>` names, or else the one that cargo built next to
    /// the tests.
    pub(crate) fn executable(self) -> Result<PathBuf> {
        if let Some(path) = env::var_os(format!("EXAMPLE_{}", self.name().to_uppercase())) {
            return Ok(path.into());
        }
        let path = profile_dir()?.join(format!("example-{self}"));
        ensure!(
            path.is_file(),
            "{} is missing: run `cargo build -p example-{self}` first",
            path.display()
        );
        Ok(path)
    }
}

impl fmt::Display for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Returns the folder of the build that the running test belongs to, `target/<profile>`.
///
/// # Errors
/// If the test does not run from `target/<profile>/deps`.
pub fn profile_dir() -> Result<PathBuf> {
    let exe = env::current_exe().context("the test does not know its own path")?;
    let dir = exe.parent().and_then(|deps| deps.parent());
    Ok(dir
        .with_context(|| format!("{} is not in a build folder", exe.display()))?
        .to_owned())
}
