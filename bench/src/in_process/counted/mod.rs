//! Figures from the binary in which every allocation is counted.
//!
//! It is a binary of its own, so that everything else runs with the allocator that users have.

use std::{env, process::Command};

use anyhow::{Context as _, Result, ensure};

use super::churn::turnover::Spread;

/// What the binary is called; it lies beside this one.
const NAME: &str = "sse-bench-counted";

/// Bytes that are allocated after so many subscriptions have come and gone, and were not before.
pub(super) fn churn(spread: Spread, threads: usize, count: usize) -> Result<f64> {
    let name = Spread::ALL.iter().find(|(other, _)| *other == spread);
    let (_, name) = name.context("every spread has a name")?;
    let [left] = figures(&["churn", name, &threads.to_string(), &count.to_string()])?;
    Ok(left)
}

/// What so many tasks take that follow such a stream.
///
/// Bytes allocated, number of allocations and resident bytes, all together; and the bytes
/// that are allocated after messages have been read by everyone, and were not before.
pub(super) fn memory(stream: &str, count: usize) -> Result<[f64; 4]> {
    figures(&["memory", stream, &count.to_string()])
}

fn figures<const N: usize>(arguments: &[&str]) -> Result<[f64; N]> {
    let path = env::current_exe()?.with_file_name(NAME);
    let output = Command::new(&path)
        .args(arguments)
        .output()
        .with_context(|| {
            format!(
                "cannot start {}; build all binaries of the crate, `cargo build --release`",
                path.display()
            )
        })?;
    let (text, errors) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    ensure!(
        output.status.success(),
        "{NAME} {} has failed: {errors}",
        arguments.join(" ")
    );
    let figures: Vec<f64> = text
        .split_whitespace()
        .map(str::parse)
        .collect::<Result<_, _>>()
        .with_context(|| format!("{NAME} says something else than numbers: {text}"))?;
    <[f64; N]>::try_from(figures)
        .map_err(|figures| anyhow::anyhow!("{NAME} gave {} numbers instead of {N}", figures.len()))
}
