//! What is measured, one file each.

#![expect(
    clippy::unnecessary_wraps,
    reason = "scenarios that cannot fail have the type of those that can"
)]

mod burst;
mod connect_storm;
mod fan_out;
mod memory;
mod paced;
mod resume_storm;
mod rounds;
mod shutdown;
mod stuck;
mod sustained;
mod units;

use anyhow::Result;

pub(crate) use self::rounds::Bench;
use crate::report::Table;

/// One scenario.
#[derive(Debug)]
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    /// One line that says what is done.
    pub(crate) about: &'static str,
    pub(crate) run: fn(&Bench) -> Result<Vec<Table>>,
}

/// All of them, in the order of the report.
pub(crate) const SCENARIOS: &[Scenario] = &[
    scenario("burst", "everyone gets many messages at once", burst::run),
    scenario("sustained", "as much as one core can take", sustained::run),
    scenario("paced", "an even pace, each message by itself", paced::run),
    scenario("memory", "what an idle connection costs", memory::run),
    scenario("stuck", "beside clients that never read", stuck::run),
    scenario(
        "connect-storm",
        "everyone connects at once",
        connect_storm::run,
    ),
    scenario(
        "resume-storm",
        "everyone comes back at once",
        resume_storm::run,
    ),
    scenario("shutdown", "SIGTERM with streams open", shutdown::run),
];

const fn scenario(
    name: &'static str,
    about: &'static str,
    run: fn(&Bench) -> Result<Vec<Table>>,
) -> Scenario {
    Scenario { name, about, run }
}
