//! Programs that are not part of Rust: checked for, and installed as Debian packages if possible.

use std::process::Command;

use anyhow::{Result, bail};

use crate::process::{self, succeeds};

/// A program that a step starts.
#[derive(Debug)]
pub(super) struct Program {
    /// The name that people use.
    pub(super) name: &'static str,
    /// A command line that succeeds if the program is installed (split at spaces).
    pub(super) check: &'static str,
    /// The Debian packages that contain it.
    pub(super) packages: &'static str,
}

/// Installs missing programs on Debian as root. Otherwise fails, and says what to run.
pub(super) fn provide(programs: &[&Program]) -> Result<()> {
    let missing = missing(programs);
    if missing.is_empty() {
        return Ok(());
    }
    let names = names(&missing);
    if !succeeds(Command::new("apt-get").arg("--version")) {
        bail!("{names} not found, and this is not Debian: install them so that they are on PATH");
    }
    let packages: Vec<&str> = missing.iter().map(|program| program.packages).collect();
    let packages = packages.join(" ");
    let install = format!("install -y --no-install-recommends {packages}");
    if !is_root() {
        bail!("{names} not found; run `sudo apt-get update && sudo apt-get {install}`");
    }
    println!("{names} not found; installing the Debian packages {packages}");
    process::run(&mut apt_get("update"))?;
    process::run(&mut apt_get(&install))?;
    let missing = self::missing(programs);
    if !missing.is_empty() {
        bail!(
            "{} not found, although the packages are installed",
            self::names(&missing)
        );
    }
    Ok(())
}

fn missing<'a>(programs: &[&'a Program]) -> Vec<&'a Program> {
    programs
        .iter()
        .copied()
        .filter(|program| {
            let mut words = program.check.split_whitespace();
            let mut command = Command::new(words.next().unwrap_or_default());
            !succeeds(command.args(words))
        })
        .collect()
}

fn names(programs: &[&Program]) -> String {
    let names: Vec<&str> = programs.iter().map(|program| program.name).collect();
    names.join(" and ")
}

/// Returns `true` for root. Asks `id`, because the standard library offers no safe way.
fn is_root() -> bool {
    Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

fn apt_get(arguments: &str) -> Command {
    let mut command = Command::new("apt-get");
    command.args(arguments.split_whitespace());
    // There is nobody to answer the questions of a package.
    command.env("DEBIAN_FRONTEND", "noninteractive");
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_cannot_be_started_is_missing() {
        let there = Program {
            name: "cargo",
            check: "cargo --version",
            packages: "cargo",
        };
        let absent = Program {
            name: "nothing",
            check: "no-such-program-anywhere --version",
            packages: "nothing",
        };
        assert_eq!(names(&missing(&[&there, &absent])), "nothing");
    }
}
