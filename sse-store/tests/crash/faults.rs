//! Faults at the file layer: a full disk, I/O errors, torn writes, a kill at the very worst moment.

use std::{
    path::PathBuf,
    process::Command,
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
};

use sse_store::Durability;

use crate::{
    FOLDER, Random, for_seeds,
    ledger::Ledger,
    publisher::{PUBLISHERS, Publisher, Settings, Until},
};

/// A fault that `tests/faults.c` knows: the call, and its result.
const FAULTS: [[&str; 2]; 16] = [
    ["write", "full"],
    ["write", "room"],
    ["write", "once"],
    ["write", "ever"],
    ["write", "kill"],
    ["sync", "once"],
    ["sync", "ever"],
    ["sync", "kill"],
    ["datasync", "once"],
    ["datasync", "ever"],
    ["create", "full"],
    ["create", "once"],
    ["create", "kill"],
    ["remove", "kill"],
    ["read", "once"],
    ["any", "kill"],
];

/// The time after which a publisher is killed whose fault does not come.
const LINES: u64 = 150;

static LIBRARY: LazyLock<PathBuf> = LazyLock::new(|| {
    let library = FOLDER.join("faults.so");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/faults.c");
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-Wall", "-Werror", source, "-o"]);
    assert!(compiler.arg(&library).status().unwrap().success());
    library
});

#[test]
fn what_was_acknowledged_survives_every_fault() {
    let (while_opening, while_publishing) = (AtomicU64::new(0), AtomicU64::new(0));
    for_seeds(48, |seed, directory| {
        let mut random = Random(seed);
        let [call, fate] = FAULTS[usize::try_from(seed).unwrap() % FAULTS.len()];
        let mut settings = Settings::random(&mut random);
        let waits_for_disk = call == "datasync";
        if waits_for_disk {
            settings.durability = Durability::Disk;
        }
        let mut ledger = Ledger::default();
        for generation in 0..3 {
            let number = random.of_any_magnitude(9);
            let fault = format!("{call}:{fate}:{number}");
            let environment = [
                ("LD_PRELOAD", LIBRARY.to_str().unwrap()),
                ("FAULTS_BELOW", directory.to_str().unwrap()),
                ("FAULTS", &fault),
            ];
            let publisher = Publisher::start(directory, settings, generation, &environment);
            let mut ended = publisher.run(Until::Lines(LINES));
            let what = format!("{fault} and {settings:?}: {}", ended.errors);
            assert!(
                matches!(ended.exit_code, None | Some(1)),
                "no panic: {what}"
            );
            assert!(!ended.errors.contains("panicked"), "{what}");
            let reason = match fate {
                "full" | "room" => "No space left on device",
                "kill" => "killed itself",
                _ => "Input/output error",
            };
            // Of its own threads the engine says only that they have failed.
            let reasons = [reason, "the store has failed before"];
            let says_why = reasons.iter().any(|reason| ended.errors.contains(reason));
            assert!(ended.exit_code.is_none() || says_why, "{what}");

            let at = ended.lines.iter().position(|line| line == "fault");
            let before = at.unwrap_or(ended.lines.len()) as u64;
            if let Some(at) = at {
                ended.lines.remove(at);
                let was_last = at as u64 + 2 * PUBLISHERS > LINES;
                let goes_on = at == 0 || was_last || ended.lines.len() > at + 8;
                let goes_on = fate != "room" || goes_on;
                assert!(goes_on, "it publishes when there is room again: {what}");
                let when = if at == 0 {
                    &while_opening
                } else {
                    &while_publishing
                };
                when.fetch_add(1, Ordering::Relaxed);
            }
            if waits_for_disk {
                // Each publisher waits, and may print later what was on disk before.
                let later = ended.lines.len() as u64 - before;
                assert!(before <= number * PUBLISHERS, "{before} before it: {what}");
                assert!(
                    at.is_none() || later <= PUBLISHERS,
                    "{later} after it: {what}"
                );
            }
            ledger.acknowledge(&ended.lines);
            let opened = settings.options(directory).open();
            let store = opened.unwrap_or_else(|error| panic!("{error}, after {what}"));
            ledger.check(&store, settings.max_messages);
        }
    });
    println!("{while_opening:?} faults while opening, {while_publishing:?} while publishing");
}
