//! SIGKILL at random moments, and two processes on one directory.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use sse_store::{Durability, OpenError};

use crate::{
    Random, for_seeds,
    ledger::Ledger,
    publisher::{Publisher, Settings, Until},
};

/// The number of times that the publisher is killed in each directory.
const KILLS: u64 = 5;

#[test]
fn what_was_acknowledged_survives_every_kill() {
    let (kills, acknowledged) = (AtomicU64::new(0), AtomicU64::new(0));
    for_seeds(40, |seed, directory| {
        let mut random = Random(seed);
        let settings = Settings::random(&mut random);
        let mut ledger = Ledger::default();
        for generation in 0..KILLS {
            let until = match random.below(2) {
                0 => Until::Time(Duration::from_micros(random.of_any_magnitude(16))),
                _ => Until::Lines(random.of_any_magnitude(8)),
            };
            let ended = Publisher::start(directory, settings, generation, &[]).run(until);
            assert_eq!(ended.exit_code, None, "killed, {until:?}: {}", ended.errors);
            ledger.acknowledge(&ended.lines);
            ledger.check(
                &settings.options(directory).open().unwrap(),
                settings.max_messages,
            );
        }
        kills.fetch_add(KILLS, Ordering::Relaxed);
        acknowledged.fetch_add(ledger.acknowledged(), Ordering::Relaxed);
    });
    println!("{kills:?} kills, {acknowledged:?} acknowledged messages");
}

#[test]
fn a_directory_that_another_process_has_is_refused() {
    for_seeds(1, |_, directory| {
        let settings = Settings {
            durability: Durability::Os,
            max_messages: u64::MAX,
            most_bytes: 100 << 10,
        };
        let first = Publisher::start(directory, settings, 0, &[]);
        assert!(first.line().is_some(), "it has the directory");

        let refused = settings.options(directory).open();
        assert!(matches!(refused, Err(OpenError::InUse(path)) if path == directory));
        let second = Publisher::start(directory, settings, 1, &[]).run(Until::Lines(1));
        assert_eq!((second.lines.len(), second.exit_code), (0, Some(1)));
        assert!(second.errors.contains("is in use"), "{}", second.errors);

        let mut ledger = Ledger::default();
        ledger.acknowledge(&first.run(Until::Lines(100)).lines);
        ledger.check(
            &settings.options(directory).open().unwrap(),
            settings.max_messages,
        );
    });
}
