//! Publishes as fast as the disk allows, and prints each acknowledged message: number, id, topics.
//!
//! ```text
//! cargo run -p sse-store --example publisher -- \
//!     DIRECTORY [os|disk [MAX_MESSAGES [MOST_BYTES [FIRST_NUMBER]]]]
//! ```
//!
//! Kill it, or with `disk` pull the plug: every message that it has printed is in the directory.
//! Start it again, with a greater first number. By itself it ends when each of its publishers has
//! failed three times, as with a full disk.

use std::{env, error::Error, fmt::Write, str::FromStr, sync::Arc, time::Duration};

use sse_core::{EventId, Joe, Message, Topics, provider::Provider};
use sse_store::{Durability, Store};
use tokio::task::JoinSet;

/// They wait for the disk together. Each publishes every eighth number.
const PUBLISHERS: u64 = 8;

/// The number of failures after which a publisher gives up.
const FAILURES: u32 = 3;

const TOPICS: [&str; 4] = ["news", "sport", "weather", "traffic"];

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let directory = arguments.next().ok_or("say in which directory")?;
    let durability = match arguments.next().as_deref() {
        None | Some("os") => Durability::Os,
        Some("disk") => Durability::Disk,
        Some(other) => return Err(format!("{other} is neither os nor disk").into()),
    };
    let max_messages = number(arguments.next(), u64::MAX)?;
    let most_bytes = number(arguments.next(), 100 << 10)?;
    let first = number(arguments.next(), 0)?;

    let options = Store::at(directory).durability(durability);
    let store = options.max_messages(max_messages).open()?;
    let joe = Arc::new(Joe::builder().replayer(store).build());
    let mut publishers = JoinSet::new();
    for n in 0..PUBLISHERS {
        publishers.spawn(publish(Arc::clone(&joe), most_bytes, first + n));
    }
    publishers.join_all().await;
    Err("nothing more can be published".into())
}

fn number<T: FromStr>(argument: Option<String>, default: T) -> Result<T, T::Err> {
    argument.map_or(Ok(default), |text| text.parse())
}

/// Publishes one number after the other. A message that failed may be stored nevertheless, so no
/// number is tried twice.
async fn publish(joe: Arc<Joe>, most_bytes: usize, mut number: u64) {
    let mut failures = 0;
    while failures < FAILURES {
        let (message, topics) = event(number, most_bytes);
        match joe.publish(message, Topics::from(topics.as_slice())).await {
            Ok(published) => {
                let id = published.id.map_or_else(String::new, |id| id.to_string());
                println!("{number} {id} {}", topics.join(","));
            }
            Err(error) => {
                eprintln!("{number}: {error}");
                failures += 1;
                // pace: somebody may make room on a disk that is full.
                tokio::time::sleep(Duration::from_millis(300)).await;
            }
        }
        number += PUBLISHERS;
    }
}

/// One or two topics, few bytes or many, sometimes an explicit id. The data says what it should be,
/// and cannot be compressed.
fn event(number: u64, most_bytes: usize) -> (Message, Vec<&'static str>) {
    let mut random = Random(number);
    let mut topics = vec![TOPICS[random.below(4)], TOPICS[random.below(4)]];
    topics.sort_unstable();
    topics.dedup();
    let bytes = most_bytes >> random.below(12);
    let mut data = format!("{number} {} {bytes} ", topics.join(","));
    let mut noise = Random(number);
    while data.len() < bytes {
        let _ = write!(data, "{:016x}", noise.next());
    }
    let message = Message::data(data);
    let message = match random.below(5) {
        0 => message.id(explicit_id(number)),
        _ => message,
    };
    (message, topics)
}

fn explicit_id(number: u64) -> EventId {
    let id = format!("own-{number}").try_into();
    id.unwrap_or_else(|_| unreachable!("a number holds nothing that an id does not"))
}

/// The same number makes the same message.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() >> 33).unwrap_or(0) % limit
    }
}
