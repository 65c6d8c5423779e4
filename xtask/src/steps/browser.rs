//! The step `browser`: the example app, and an `EventSource` alone, in headless Chromium, which the
//! crate `e2e` drives.

use anyhow::Result;

use super::debian::{self, Program};
use super::examples;
use crate::process::{self, cargo};
use crate::test_counts::TestCounts;

/// The browser and its driver, which `e2e` starts.
pub(super) const CHROMIUM: [&Program; 2] = [
    &Program {
        name: "chromium",
        check: "chromium --version",
        packages: "chromium",
    },
    &Program {
        name: "chromedriver",
        check: "chromedriver --version",
        packages: "chromium-driver",
    },
];

/// Installs the browser if possible, builds the example app and runs the tests against it.
pub(super) fn run(counts: &mut TestCounts) -> Result<()> {
    debian::provide(&CHROMIUM)?;
    examples::build()?;
    process::run_tests(
        &mut cargo("test --package e2e --test browser --test event_source --no-fail-fast"),
        counts,
    )
}
