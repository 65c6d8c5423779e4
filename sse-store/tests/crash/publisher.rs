//! The example `publisher` as a child process.

use std::{
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread,
    time::Duration,
};

use sse_store::{Durability, Options, Store};

use crate::Random;

/// The number of tasks that publish in it; each takes every eighth number.
pub(crate) const PUBLISHERS: u64 = 8;

/// More than one generation publishes.
const NUMBERS: u64 = 8_000_000;

/// A child that says nothing for this long hangs.
const PATIENCE: Duration = Duration::from_secs(20);

/// The set-up of its store.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    pub(crate) durability: Durability,
    pub(crate) max_messages: u64,
    /// The largest message.
    pub(crate) most_bytes: u64,
}

impl Settings {
    /// Half of them drop the oldest soon; a few have so much that the engine sorts it and writes it
    /// again.
    pub(crate) fn random(random: &mut Random) -> Self {
        let waits_for_disk = random.below(2) == 0;
        Self {
            durability: if waits_for_disk {
                Durability::Disk
            } else {
                Durability::Os
            },
            max_messages: if random.below(2) == 0 { u64::MAX } else { 80 },
            most_bytes: match random.below(32) {
                0 => 800 << 10,
                1..5 => 100 << 10,
                _ => 4 << 10,
            },
        }
    }

    pub(crate) fn options(&self, directory: &Path) -> Options {
        let options = Store::at(directory).durability(self.durability);
        options.max_messages(self.max_messages)
    }
}

/// The moment at which it is killed, if it has not ended before.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Until {
    /// This long after its start.
    Time(Duration),
    /// After this many lines.
    Lines(u64),
}

/// The way in which it ended.
pub(crate) struct Ended {
    /// Everything it has printed.
    pub(crate) lines: Vec<String>,
    pub(crate) errors: String,
    pub(crate) exit_code: Option<i32>,
}

pub(crate) struct Publisher {
    child: Child,
    lines: Receiver<String>,
}

impl Publisher {
    /// Starts it on a directory, with numbers that no other generation has, and more in its
    /// environment.
    pub(crate) fn start(
        directory: &Path,
        settings: Settings,
        generation: u64,
        environment: &[(&str, &str)],
    ) -> Self {
        let durability = format!("{:?}", settings.durability).to_lowercase();
        let numbers = [
            settings.max_messages,
            settings.most_bytes,
            generation * NUMBERS,
        ];
        let mut child = Command::new(executable())
            .arg(directory)
            .arg(durability)
            .args(numbers.map(|number| number.to_string()))
            .envs(environment.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            let mut line = String::new();
            while output.read_line(&mut line).is_ok_and(|bytes| bytes > 0) {
                assert_eq!(line.pop(), Some('\n'), "a line is written at once");
                let _ = sender.send(std::mem::take(&mut line));
            }
        });
        Self { child, lines }
    }

    /// Waits for a line.
    pub(crate) fn line(&self) -> Option<String> {
        match self.lines.recv_timeout(PATIENCE) {
            Ok(line) => Some(line),
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => panic!("the publisher hangs"),
        }
    }

    /// Lets it run, kills it, and takes what it has printed until then.
    pub(crate) fn run(mut self, until: Until) -> Ended {
        let mut lines = Vec::new();
        match until {
            // pace: the moment of the kill.
            Until::Time(time) => thread::sleep(time),
            Until::Lines(count) => lines.extend((0..count).map_while(|_| self.line())),
        }
        // It may have ended by itself.
        let _ = self.child.kill();
        lines.extend(std::iter::from_fn(|| self.line()));
        let mut errors = String::new();
        let stderr = self.child.stderr.as_mut().unwrap();
        stderr.read_to_string(&mut errors).unwrap();
        let exit_code = self.child.wait().unwrap().code();
        Ended {
            lines,
            errors,
            exit_code,
        }
    }
}

/// Nobody is left behind by a test that fails.
impl Drop for Publisher {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Cargo builds it with the tests.
fn executable() -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let profile = tests.ancestors().nth(2).unwrap();
    let name = format!("publisher{}", std::env::consts::EXE_SUFFIX);
    profile.join("examples").join(name)
}
