//! The macro that turns a list of cases into tests.

use std::{future::Future, time::Duration};

/// The most time for anything that should happen at once. Generous: a slow machine is no failure.
pub const DEADLINE: Duration = Duration::from_secs(20);

/// Expands to one `#[test]` for each case of a module, all on the same subject.
#[doc(hidden)]
#[macro_export]
macro_rules! cases {
    ($module:ident, $subject:expr, [$($case:ident),* $(,)?]) => {
        $(
            #[test]
            fn $case() {
                $crate::$module::run($crate::$module::$case, $subject);
            }
        )*
    };
}

/// Runs an asynchronous case on its own runtime.
pub(crate) fn block_on(case: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime can be built");
    runtime.block_on(case);
}

/// Waits for something that should happen at once, and says what did not.
#[track_caller]
pub fn in_time<F: Future>(what: &str, future: F) -> impl Future<Output = F::Output> {
    let place = std::panic::Location::caller();
    async move {
        let output = tokio::time::timeout(DEADLINE, future).await;
        output.unwrap_or_else(|_| panic!("{what}: not within {DEADLINE:?} ({place})"))
    }
}

#[cfg(test)]
mod tests {
    /// A case that is written but not listed would never run.
    #[test]
    fn every_case_is_listed() {
        let suites = [
            concat!(
                include_str!("replayer/mod.rs"),
                include_str!("replayer/ids.rs"),
                include_str!("replayer/places.rs")
            ),
            include_str!("overflow.rs"),
            concat!(
                include_str!("provider/mod.rs"),
                include_str!("provider/resume.rs")
            ),
            concat!(
                include_str!("adapter/mod.rs"),
                include_str!("adapter/delivery.rs"),
                include_str!("adapter/http2/mod.rs"),
                include_str!("adapter/lifetime.rs"),
                include_str!("adapter/panicking.rs"),
                include_str!("adapter/resume.rs"),
                include_str!("adapter/response.rs"),
            ),
        ];
        for suite in suites {
            let (list, _) = suite
                .split_once("]);")
                .expect("a suite begins with its list");
            let cases = suite.lines().filter_map(|line| {
                let name = line
                    .strip_prefix("pub async fn ")
                    .or_else(|| line.strip_prefix("pub fn "))?;
                name.split_once("(subject: Subject)").map(|(name, _)| name)
            });
            let missing: Vec<_> = cases
                .filter(|case| !list.contains(&format!(" {case},\n")))
                .collect();
            assert!(
                missing.is_empty(),
                "write these into the list of their suite: {missing:?}"
            );
        }
    }
}
