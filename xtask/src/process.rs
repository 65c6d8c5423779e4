//! Runs tools: prints the command line, passes the output on, and makes a bad exit an error.

use std::io::{self, IsTerminal as _};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::test_counts::TestCounts;

/// Returns `cargo` with these arguments, which are split at spaces.
pub(crate) fn cargo(arguments: &str) -> Command {
    // The cargo that runs xtask, so that `cargo +nightly xtask` means nightly throughout.
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command.args(arguments.split_whitespace());
    // Output of tests goes through a pipe, where tools would drop their colours.
    if io::stdout().is_terminal() {
        command.env("CARGO_TERM_COLOR", "always");
    }
    command
}

/// Runs the command and fails unless it succeeds.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let line = announce(command);
    let status = command
        .status()
        .with_context(|| format!("cannot start `{line}`"))?;
    if !status.success() {
        bail!("`{line}` ended with {status}");
    }
    Ok(())
}

/// Runs a `cargo test`, adds its tests to `counts`, and fails unless it succeeds.
///
/// Running no test at all is a failure, too: nothing is skipped in silence.
pub(crate) fn run_tests(command: &mut Command, counts: &mut TestCounts) -> Result<()> {
    run_tests_to(command, counts, &mut io::stdout())
}

/// Does the same as [`run_tests`] and writes the output to `to`.
pub(crate) fn run_tests_to(
    command: &mut Command,
    counts: &mut TestCounts,
    to: &mut impl io::Write,
) -> Result<()> {
    let line = announce(command);
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start `{line}`"))?;
    let mut output = child.stdout.take().context("stdout was not piped")?;
    let copied = TestCounts::copy(&mut output, to);
    // Closed before waiting: a child that writes into a full pipe that nobody reads never ends.
    drop(output);
    let status = child
        .wait()
        .with_context(|| format!("cannot wait for `{line}`"))?;
    let ran = copied.with_context(|| format!("cannot read the output of `{line}`"))?;
    *counts += ran;
    if !status.success() {
        bail!("`{line}` ended with {status}");
    }
    if ran == TestCounts::default() {
        bail!("`{line}` ran no test");
    }
    Ok(())
}

/// Returns `true` if the command can be started and succeeds. Its output is not shown.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Returns the command in a form that can be copied and run alone.
pub(crate) fn line(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program());
    let mut line = program.file_name().map_or_else(
        || program.to_string_lossy().into_owned(),
        |name| name.to_string_lossy().into_owned(),
    );
    for argument in command.get_args() {
        line.push(' ');
        line.push_str(&argument.to_string_lossy());
    }
    line
}

/// Prints the command, and returns the printed line.
fn announce(command: &Command) -> String {
    let line = line(command);
    println!("$ {line}");
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_for_a_bad_exit_names_the_command() {
        let error = run(cargo("no-such-subcommand").stderr(Stdio::null())).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("no-such-subcommand"), "{text}");
    }

    #[test]
    fn a_program_that_does_not_exist_does_not_succeed() {
        assert!(!succeeds(&mut Command::new("no-such-program-anywhere")));
        assert!(succeeds(&mut cargo("--version")));
    }
}
