//! The step `examples`: the example app of every framework keeps its contract.

use anyhow::Result;

use crate::process::{self, cargo};
use crate::test_counts::TestCounts;

/// Builds the apps and runs the suite against each.
pub(super) fn run(counts: &mut TestCounts) -> Result<()> {
    build()?;
    process::run_tests(
        &mut cargo("test --package e2e --test contract --no-fail-fast"),
        counts,
    )
}

/// Builds the example apps, which `e2e` starts as programs: cargo builds only the dependencies of a
/// test.
pub(super) fn build() -> Result<()> {
    process::run(&mut cargo(
        "build -p example-axum -p example-actix -p example-warp -p example-rocket -p example-poem",
    ))
}
