//! The end of the machine: what was written between two waits for the disk is there in part, or not
//! at all. A client that resumes gets everything that was acknowledged, or is told that it cannot.

use std::{
    fs::{self, File},
    io::{Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use sse_conformance::decode;
use sse_core::{
    EventId, Message, Topics,
    replay::{Blocking, Cursor, ReadError, Replayer},
    wire::Decoder,
};
use sse_store::{Durability, Options, Store};

use crate::{Random, for_seeds};

const TOPICS: [&str; 3] = ["news", "sport", "weather"];

/// A disk has pages of this size, in any order.
const PAGE: u64 = 4_096;

/// A client: the id that it has, its topics, and the number of messages that were acknowledged
/// before.
struct Client {
    id: EventId,
    topics: Topics,
    after: usize,
}

/// Everything that was acknowledged, in order, and the clients that may resume.
#[derive(Default)]
struct World {
    messages: Vec<(String, Topics)>,
    clients: Vec<Client>,
}

impl World {
    fn publish(&mut self, store: &Store, random: &mut Random, most_bytes: u64) {
        let count = 1 + random.below(4);
        let batch: Vec<_> = (0..count)
            .map(|n| {
                let number = self.messages.len() as u64 + n;
                let mut topics = vec![TOPICS[random.index(3)], TOPICS[random.index(3)]];
                topics.dedup();
                let length = usize::try_from(random.below(most_bytes)).unwrap();
                let message = Message::data(format!("{number} {}", "x".repeat(length)));
                let message = match random.below(5) {
                    0 => message.id(format!("own-{number}").try_into().unwrap()),
                    _ => message,
                };
                (message, Topics::from(topics))
            })
            .collect();
        let place = Topics::from(TOPICS[random.index(3)]);
        self.clients.push(Client {
            id: store.cursor_id(Cursor::after(store.end()), &place),
            topics: place,
            after: self.messages.len(),
        });
        let answers = store.append(batch.clone());
        for ((message, topics), stored) in batch.into_iter().zip(answers) {
            let data = message.data.map(|data| data.to_string()).unwrap();
            self.messages.push((data, topics.clone()));
            self.clients.push(Client {
                id: stored.unwrap().id,
                topics,
                after: self.messages.len(),
            });
        }
    }

    /// Returns how many of the clients were told of a gap; the others get everything.
    fn check(&self, store: &Store) -> usize {
        let mut told = 0;
        for client in &self.clients {
            let topics = &client.topics;
            let mut from = match store.seek(&client.id, topics, Blocking::Allowed) {
                Ok(cursor) => cursor,
                Err(ReadError::Gap(_)) => {
                    told += 1;
                    continue;
                }
                Err(error) => panic!("{error}"),
            };
            let mut seen = Vec::new();
            while from.after < store.end() {
                let page = store.page(from, store.end(), topics, Blocking::Allowed);
                let page = page.unwrap();
                let events = decode(&mut Decoder::new(), &page.bytes);
                seen.extend(events.into_iter().map(|event| event.data));
                from = page.next;
            }
            let later = self.messages[client.after..].iter();
            let expected = later.filter(|(_, of)| of.iter().any(|topic| has(topics, topic)));
            let expected = expected.map(|(data, _)| data);
            assert!(
                seen.iter().eq(expected),
                "{} of {topics:?} was not told, and got {} after {}",
                client.id,
                seen.len(),
                client.after
            );
        }
        told
    }
}

fn has(topics: &Topics, wanted: &str) -> bool {
    topics.iter().any(|topic| topic == wanted)
}

/// The place in a directory that is written to, and how far.
fn journal(directory: &Path) -> (PathBuf, u64) {
    let entries = fs::read_dir(directory.join("fjall")).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let numbers = paths.filter_map(|path| {
        let number: u64 = path
            .file_name()?
            .to_str()?
            .strip_suffix(".jnl")?
            .parse()
            .ok()?;
        Some((number, path))
    });
    let (_, path) = numbers.max().unwrap();
    let bytes = fs::read(&path).unwrap();
    let chunks = bytes.chunks(64 << 10).enumerate();
    let zeros = vec![0; 64 << 10];
    let mut used = chunks.filter(|(_, chunk)| *chunk != &zeros[..chunk.len()]);
    let used = used.next_back().map_or(0, |(index, chunk)| {
        let last = chunk.iter().rposition(|byte| *byte != 0).unwrap();
        (index * (64 << 10) + last + 1) as u64
    });
    (path, used)
}

/// Copies a directory as it is now, without the zeros at the end of journals.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            copy(&from, &to);
        } else {
            let bytes = fs::read(&from).unwrap();
            let zeros = vec![0; 64 << 10];
            let mut file = File::create(&to).unwrap();
            file.set_len(bytes.len() as u64).unwrap();
            for (index, chunk) in bytes.chunks(64 << 10).enumerate() {
                if chunk != &zeros[..chunk.len()] {
                    let at = SeekFrom::Start((index * (64 << 10)) as u64);
                    file.seek(at).unwrap();
                    file.write_all(chunk).unwrap();
                }
            }
        }
    }
}

/// Takes some of what the disk had not confirmed: the end of it, or pages in between.
fn cut(path: &Path, confirmed: u64, used: u64, random: &mut Random) {
    let unconfirmed = used - confirmed;
    if unconfirmed == 0 {
        return;
    }
    let mut file = File::options().write(true).open(path).unwrap();
    let mut erase = |from: u64, until: u64| {
        let zeros = vec![0; usize::try_from(until - from).unwrap()];
        file.seek(SeekFrom::Start(from)).unwrap();
        file.write_all(&zeros).unwrap();
    };
    let at = confirmed + random.below(unconfirmed + 1);
    match random.below(4) {
        0 => {}
        1 => erase(at, used),
        2 => file.set_len(at).unwrap(),
        _ => {
            let mut page = confirmed;
            while page < used {
                let end = used.min(page / PAGE * PAGE + PAGE);
                if random.below(2) == 0 {
                    erase(page, end);
                }
                page = end;
            }
        }
    }
}

#[test]
fn after_the_end_of_the_machine_nobody_misses_something_in_silence() {
    let [continued, told] = [(); 2].map(|()| AtomicU64::new(0));
    for_seeds(40, |seed, directory| {
        let mut random = Random(seed);
        let (before, after) = (directory.join("before"), directory.join("after"));
        let durability = [Durability::Memory, Durability::Os, Durability::Disk][random.index(3)];
        let messages = [u64::MAX, 400][random.index(2)];
        let most_bytes = [30, 3_000, 30_000][random.index(3)];
        let options = |path: &Path| -> Options {
            Store::at(path)
                .durability(durability)
                .max_messages(messages)
        };
        let mut world = World::default();
        for _ in 0..random.below(3) {
            let store = options(&before).open().unwrap();
            for _ in 0..random.below(20) {
                world.publish(&store, &mut random, most_bytes);
            }
        }
        let store = options(&before).open().unwrap();
        let mut confirmed = journal(&before).1;
        let note = fs::read(before.join("end")).unwrap();
        for _ in 0..random.below(40) {
            world.publish(&store, &mut random, most_bytes);
        }
        if random.below(4) == 0 {
            store.flush().unwrap();
            confirmed = journal(&before).1;
            for _ in 0..random.below(10) {
                world.publish(&store, &mut random, most_bytes);
            }
        }
        if durability == Durability::Disk {
            confirmed = journal(&before).1;
        }

        copy(&before, &after);
        drop(store);
        let (path, used) = journal(&after);
        cut(&path, confirmed.min(used), used, &mut random);
        fs::write(after.join("boot"), "the time before").unwrap();
        if random.below(2) == 0 && confirmed < used {
            // What was confirmed is there, or what came later.
            fs::write(after.join("end"), &note).unwrap();
        }

        for _ in 0..2 {
            let store = options(&after).open().unwrap();
            world.publish(&store, &mut random, most_bytes);
            let count = world.clients.len();
            let gaps = world.check(&store);
            assert!(
                durability != Durability::Disk || gaps == 0 || messages != u64::MAX,
                "{gaps} of {count} clients are told of a loss where there was none"
            );
            told.fetch_add(gaps as u64, Ordering::Relaxed);
            continued.fetch_add((count - gaps) as u64, Ordering::Relaxed);
        }
    });
    println!("{continued:?} clients got everything, {told:?} were told");
}
