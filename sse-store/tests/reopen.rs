//! A store that is opened again: the messages that it knows and drops, and the directories it
//! refuses.

use std::{
    fs::{self, File},
    ops::RangeInclusive,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::StreamExt;
use sse_conformance::decode;
use sse_core::{
    EventId, Hub, Joe, Message, Topics,
    replay::{Blocking, Cursor, Position, ReadError, Replayer, StoreError},
    resume::Gap,
    wire::Decoder,
};
use sse_store::{Durability, Lost, OpenError, Options, Store};
use tempfile::TempDir;

fn folder() -> TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap()
}

fn put(store: &Store, data: impl Into<String>) -> EventId {
    append(store, Message::data(data), Topics::default())
}

fn append(store: &Store, message: Message, topics: Topics) -> EventId {
    let mut stored = store.append(vec![(message, topics)]);
    stored.remove(0).unwrap().id
}

fn put_all(store: &Store, numbers: RangeInclusive<u64>) -> Vec<EventId> {
    numbers.map(|n| put(store, n.to_string())).collect()
}

fn gap<T: std::fmt::Debug>(answer: Result<T, ReadError>) -> Gap {
    match answer {
        Err(ReadError::Gap(gap)) => gap,
        other => panic!("a gap, not {other:?}"),
    }
}

/// The data of everything after a cursor.
fn read(store: &Store, mut from: Cursor) -> Vec<String> {
    let mut all = Vec::new();
    while from.after < store.end() {
        let page = store
            .page(from, store.end(), &Topics::default(), Blocking::Allowed)
            .unwrap();
        let events = decode(&mut Decoder::new(), &page.bytes);
        all.extend(events.into_iter().map(|event| event.data));
        if from == page.next {
            break;
        }
        from = page.next;
    }
    all
}

fn follows(store: &Store, id: &EventId) -> Vec<String> {
    read(
        store,
        store
            .seek(id, &Topics::default(), Blocking::Allowed)
            .unwrap(),
    )
}

fn numbers(numbers: RangeInclusive<u64>) -> Vec<String> {
    numbers.map(|n| n.to_string()).collect()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            copy(&from, &to);
        } else {
            fs::copy(from, to).unwrap();
        }
    }
}

#[test]
fn ids_go_on_after_a_restart_and_those_from_before_are_known() {
    let folder = folder();
    let mut ids = Vec::new();
    for run in 0..5 {
        let store = Store::open(folder.path()).unwrap();
        assert_eq!(store.positions(), 1..=run * 10);
        ids.extend(put_all(&store, run * 10 + 1..=run * 10 + 10));
        for (seen, id) in (1..).zip(&ids) {
            assert_eq!(follows(&store, id), numbers(seen + 1..=run * 10 + 10));
        }
        assert_eq!(store.lost(), None);
    }
    let epochs = ids.iter().map(|id| id.as_str().split_once('-').unwrap().0);
    let mut epochs: Vec<_> = epochs.collect();
    epochs.dedup();
    assert_eq!(epochs.len(), 5, "each run has its own");
}

#[test]
fn ids_of_the_application_are_known_after_a_restart() {
    let folder = folder();
    let own = EventId::from_static("invoice 7");
    let store = Store::open(folder.path()).unwrap();
    put(&store, "1");
    let message = Message::data("2").id(own.clone());
    append(&store, message, ["a", ""].into());
    put(&store, "3");
    drop(store);
    let store = Store::open(folder.path()).unwrap();
    assert_eq!(follows(&store, &own), ["3"]);
    assert_eq!(
        gap(store.seek(&own, &"b".into(), Blocking::Allowed)),
        Gap::Unknown
    );
}

/// Nobody takes a message for another one that had its position in a past that is gone.
#[test]
fn a_restored_backup_does_not_know_what_came_after_it() {
    let (folder, backup) = (folder(), folder());
    let store = Store::open(folder.path()).unwrap();
    let before = put_all(&store, 1..=10);
    drop(store);
    copy(folder.path(), backup.path());
    let store = Store::open(folder.path()).unwrap();
    let lost = put_all(&store, 11..=20);
    drop(store);

    let store = Store::open(backup.path()).unwrap();
    for id in &lost {
        assert_eq!(
            gap(store.seek(id, &Topics::default(), Blocking::Allowed)),
            Gap::Unknown
        );
    }
    put_all(&store, 11..=20);
    for id in &lost {
        assert_eq!(
            gap(store.seek(id, &Topics::default(), Blocking::Allowed)),
            Gap::Unknown
        );
    }
    assert_eq!(follows(&store, &before[8]), numbers(10..=20));
}

#[test]
fn the_loss_of_the_newest_is_noticed_and_told() {
    let (folder, after_power_failed) = (folder(), folder());
    let (options, hours) = with_clock(folder.path());
    let store = options.open().unwrap();
    let kept = put_all(&store, 1..=10);
    copy(folder.path(), after_power_failed.path());
    let mut lost = put_all(&store, 11..=14);
    // How far it got is noted ten times a second.
    hours.fetch_add(1, Ordering::Relaxed);
    lost.push(put(&store, "15"));
    // The disk had got this, but not the rest.
    fs::copy(
        folder.path().join("end"),
        after_power_failed.path().join("end"),
    )
    .unwrap();

    let store = Store::open(after_power_failed.path()).unwrap();
    assert_eq!(store.lost(), Some(&Lost::Newest(11..=15)));
    put_all(&store, 11..=20);
    for id in &lost {
        assert_eq!(
            gap(store.seek(id, &Topics::default(), Blocking::Allowed)),
            Gap::Unknown
        );
    }
    for id in &kept {
        assert_eq!(
            gap(store.seek(id, &Topics::default(), Blocking::Allowed)),
            Gap::Expired
        );
    }
    drop(store);
    assert_eq!(Store::open(after_power_failed.path()).unwrap().lost(), None);
}

/// The machine has ended, and nothing of what came last is on the disk: neither messages nor the
/// note of them.
fn lose_power(folder: &Path) {
    fs::write(folder.join("boot"), "the time before").unwrap();
}

#[test]
fn nobody_is_led_across_a_place_where_something_may_be_missing() {
    let (folder, after) = (folder(), folder());
    let topics = Topics::default();
    let store = Store::open(folder.path()).unwrap();
    let explicit = EventId::from_static("invoice 7");
    let mut kept = put_all(&store, 1..=10);
    let place = store.cursor_id(Cursor::after(store.end()), &topics);
    let earliest = store.cursor_id(Cursor::EARLIEST, &topics);
    append(
        &store,
        Message::data("11").id(explicit.clone()),
        topics.clone(),
    );
    kept.extend([place, earliest, explicit]);
    copy(folder.path(), after.path());
    lose_power(after.path());

    for _ in 0..2 {
        let store = Store::open(after.path()).unwrap();
        put(&store, "new");
        for id in &kept {
            let answer = store.seek(id, &topics, Blocking::Allowed);
            assert_eq!(gap(answer), Gap::Expired, "{id}");
        }
    }
    let store = Store::open(after.path()).unwrap();
    assert_eq!(store.positions(), 1..=13, "what is kept can be read");
    let all = [numbers(1..=11), vec!["new".into(), "new".into()]].concat();
    assert_eq!(read(&store, Cursor::EARLIEST), all);
    let since = put(&store, "newer");
    drop(store);
    assert_eq!(
        follows(&Store::open(after.path()).unwrap(), &since),
        [""; 0]
    );
}

#[test]
fn a_loss_that_cannot_be_ruled_out_is_told() {
    for (durability, lost) in [
        (Durability::Memory, Some(Lost::Perhaps(0))),
        (Durability::Os, Some(Lost::Perhaps(3))),
        (Durability::Disk, None),
    ] {
        let (folder, after) = (folder(), folder());
        let store = Store::at(folder.path()).durability(durability);
        let store = store.open().unwrap();
        let ids = put_all(&store, 1..=3);
        copy(folder.path(), after.path());
        lose_power(after.path());
        let store = Store::open(after.path()).unwrap();
        assert_eq!(store.lost(), lost.as_ref(), "{durability:?}");
        let continues = store
            .seek(&ids[1], &Topics::default(), Blocking::Allowed)
            .is_ok();
        assert_eq!(continues, lost.is_none());
    }
}

#[test]
fn after_an_orderly_end_nothing_is_lost_with_the_machine() {
    for durability in [Durability::Memory, Durability::Os, Durability::Disk] {
        let folder = folder();
        let store = Store::at(folder.path()).durability(durability);
        let store = store.open().unwrap();
        let ids = put_all(&store, 1..=3);
        drop(store);
        lose_power(folder.path());
        let store = Store::open(folder.path()).unwrap();
        assert_eq!(store.lost(), None);
        assert_eq!(follows(&store, &ids[1]), ["3"]);
    }
}

#[test]
fn what_is_in_memory_only_is_gone_with_the_process() {
    let (folder, after_kill) = (folder(), folder());
    let options = |folder: &TempDir| Store::at(folder.path()).durability(Durability::Memory);
    let store = options(&folder).open().unwrap();
    put_all(&store, 1..=5);
    copy(folder.path(), after_kill.path());
    drop(store);
    let store = options(&folder).open().unwrap();
    assert_eq!(
        read(&store, Cursor::EARLIEST),
        numbers(1..=5),
        "an orderly end"
    );
    let store = options(&after_kill).open().unwrap();
    assert_eq!(read(&store, Cursor::EARLIEST), [""; 0]);
}

#[test]
fn the_number_of_messages_is_bounded() {
    let folder = folder();
    let open = || Store::at(folder.path()).max_messages(80).open().unwrap();
    let mut ids = Vec::new();
    let mut store = open();
    for n in 1..=500 {
        if n % 97 == 0 {
            drop(store);
            store = open();
        }
        ids.push(put(&store, n.to_string()));
        let kept = store.positions();
        let count = kept.end() - kept.start() + 1;
        assert!(
            *kept.end() == n && (70.min(n)..=80).contains(&count),
            "{kept:?}"
        );
    }
    let oldest = *store.positions().start();
    assert_eq!(read(&store, Cursor::EARLIEST), numbers(oldest..=500));
    for (n, id) in (1..).zip(&ids) {
        if n >= oldest {
            assert_eq!(follows(&store, id), numbers(n + 1..=500));
        } else {
            assert_eq!(
                gap(store.seek(id, &Topics::default(), Blocking::Allowed)),
                Gap::Expired
            );
            let page = store.page(
                Cursor::after(Position(n - 1)),
                store.end(),
                &Topics::default(),
                Blocking::Allowed,
            );
            assert_eq!(gap(page), Gap::Expired);
        }
    }
}

#[test]
fn bytes_are_bounded_in_the_directory_as_well() {
    let folder = folder();
    let store = Store::at(folder.path()).max_bytes(800_000).open().unwrap();
    for n in 1..=3_000 {
        put(&store, format!("{n} {}", "x".repeat(1_000)));
    }
    let kept = store.positions();
    let count = kept.end() - kept.start() + 1;
    assert!((580..=780).contains(&count), "{kept:?}");
    drop(store);
    let store = Store::at(folder.path()).max_bytes(800_000).open().unwrap();
    assert_eq!(store.positions(), kept);
    assert_eq!(read(&store, Cursor::EARLIEST).len() as u64, count);
}

#[test]
fn the_names_of_topics_count_among_the_bytes() {
    let folder = folder();
    let store = Store::at(folder.path()).max_bytes(1 << 20).open().unwrap();
    let names = |n: u64| (0..50).map(move |topic| format!("{n} {topic} {}", "t".repeat(1_000)));
    for n in 1..=100 {
        append(&store, Message::data("x"), names(n).collect());
    }
    let kept = store.positions();
    let count = kept.end() - kept.start() + 1;
    assert!((8..=21).contains(&count), "of 50 KB each: {kept:?}");
    let topics: Topics = names(100).collect();
    let from = Cursor::after(Position(99));
    let page = store
        .page(from, Position(100), &topics, Blocking::Allowed)
        .unwrap();
    assert!(page.bytes.ends_with(b"data: x\n\n"));
}

/// The bytes on the disk of everything in a directory.
#[cfg(unix)]
fn disk_bytes(folder: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt;

    let entries = fs::read_dir(folder).unwrap();
    let bytes = entries.map(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            disk_bytes(&path)
        } else {
            path.metadata().unwrap().blocks() * 512
        }
    });
    bytes.sum()
}

#[cfg(unix)]
#[test]
fn a_long_name_is_not_repeated_for_each_topic_of_a_message() {
    let folder = folder();
    let store = Store::open(folder.path()).unwrap();
    let long = "!".repeat(30_000);
    let short = (0..8_000).map(|n| format!("{n}"));
    append(&store, Message::data("x"), short.chain([long]).collect());
    drop(store);
    let bytes = disk_bytes(folder.path());
    println!("{bytes} bytes on disk");
    assert!(bytes < 4 << 20, "{bytes} bytes for a message of 62 KB");
}

#[test]
fn an_id_that_many_messages_share_is_found_by_topic() {
    let folder = folder();
    let store = Store::open(folder.path()).unwrap();
    let id = EventId::from_static("same");
    let shared = |topics: Topics| (Message::data("x").id(id.clone()), topics);
    append(&store, Message::data("1"), "b".into());
    for _ in 0..20 {
        let batch = (0..1_000).map(|_| shared("a".into())).collect();
        assert!(store.append(batch).iter().all(Result::is_ok));
    }
    let answer = |topics: &Topics| {
        let begun = Instant::now();
        let answer = store.seek(&id, topics, Blocking::Allowed);
        (answer, begun.elapsed())
    };
    let fastest = (0..5).map(|_| answer(&"b".into()).1).min().unwrap();
    println!("a resume of another topic takes {fastest:?}");
    assert!(fastest < Duration::from_millis(10), "{fastest:?}");
    assert_eq!(gap(answer(&"b".into()).0), Gap::Unknown);
    store.append(vec![shared(["b", "c"].into())]);
    let [a, b] = ["a", "b"].map(|topic| answer(&topic.into()).0.unwrap());
    assert_eq!(
        (a, b),
        (Cursor::after(Position(2)), Cursor::after(Position(20_002)))
    );
    let both = answer(&["a", "b"].into()).0.unwrap();
    assert_eq!(both, Cursor::after(Position(2)), "the oldest");
}

/// A store whose clock stands still until it is turned, in hours.
fn with_clock(folder: &Path) -> (Options, Arc<AtomicU64>) {
    let hours = Arc::new(AtomicU64::new(0));
    let clock = Arc::clone(&hours);
    let begun = Instant::now();
    let now = move || begun + Duration::from_secs(3_600 * clock.load(Ordering::Relaxed));
    let options = Store::at(folder).max_age(Duration::from_secs(3_600 * 24));
    (options.clock(now), hours)
}

#[test]
fn age_is_bounded() {
    let folder = folder();
    let (options, hours) = with_clock(folder.path());
    let store = options.open().unwrap();
    let mut ids = Vec::new();
    for n in 1..=100 {
        ids.push(put(&store, n.to_string()));
        hours.fetch_add(1, Ordering::Relaxed);
        let kept = store.positions();
        let count = kept.end() - kept.start() + 1;
        assert!((23.min(n)..=27).contains(&count), "{kept:?}");
    }
    // Nothing is published, but time goes on.
    hours.fetch_add(12, Ordering::Relaxed);
    assert_eq!(
        gap(store.seek(&ids[80], &Topics::default(), Blocking::Allowed)),
        Gap::Expired
    );
    assert_eq!(follows(&store, &ids[95]), numbers(97..=100));
    drop(store);
    // Time that has passed while nothing was published counts after a restart, too.
    let (options, hours) = with_clock(folder.path());
    let store = options.open().unwrap();
    assert_eq!(follows(&store, &ids[95]), numbers(97..=100));
    hours.fetch_add(14, Ordering::Relaxed);
    assert_eq!(read(&store, Cursor::EARLIEST), [""; 0]);
    assert_eq!(
        gap(store.seek(&ids[95], &Topics::default(), Blocking::Allowed)),
        Gap::Expired
    );
    let id = put(&store, "101");
    assert_eq!(read(&store, Cursor::EARLIEST), ["101"]);
    assert_eq!(follows(&store, &id), [""; 0]);
}

/// A message was stored by another clock, which means nothing to this one.
#[test]
fn a_clock_that_begins_elsewhere_drops_nothing_and_stops_nothing() {
    const YEAR: u64 = 24 * 365;
    let folder = folder();
    let mut count = 0;
    for jump in [0, YEAR, 0, 2 * YEAR] {
        let (options, hours) = with_clock(folder.path());
        hours.store(jump, Ordering::Relaxed);
        let store = options.open().unwrap();
        count += 1;
        put(&store, count.to_string());
        assert_eq!(read(&store, Cursor::EARLIEST), numbers(1..=count));
    }
    let (options, hours) = with_clock(folder.path());
    let store = options.open().unwrap();
    hours.store(25, Ordering::Relaxed);
    assert_eq!(read(&store, Cursor::EARLIEST), [""; 0], "all of it expires");
}

#[test]
fn a_directory_is_for_one_store_at_a_time() {
    let folder = folder();
    let store = Store::open(folder.path()).unwrap();
    let second = Store::open(folder.path()).unwrap_err();
    assert!(matches!(second, OpenError::InUse(_)), "{second}");
    let printed = format!("{second:?}");
    assert_eq!(
        printed,
        second.to_string(),
        "as by a `main` that returns it"
    );
    put(&store, "1");
    drop(store);
    assert_eq!(
        read(&Store::open(folder.path()).unwrap(), Cursor::EARLIEST),
        ["1"]
    );
}

#[test]
fn a_directory_with_something_else_is_refused_and_left_alone() {
    let folder = folder();
    fs::write(folder.path().join("thesis.txt"), "precious").unwrap();
    let refused = Store::open(folder.path()).unwrap_err();
    assert!(matches!(refused, OpenError::Foreign(_)), "{refused}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);

    let refused = Store::open(folder.path().join("thesis.txt")).unwrap_err();
    assert!(matches!(refused, OpenError::Io { .. }), "{refused}");
    assert!(refused.to_string().contains("thesis.txt"), "{refused}");
}

#[test]
fn another_format_is_refused() {
    let folder = folder();
    drop(Store::open(folder.path()).unwrap());
    fs::write(folder.path().join("sse-store"), "sse-store 1\n").unwrap();
    let refused = Store::open(folder.path()).unwrap_err();
    assert!(matches!(refused, OpenError::Version { .. }), "{refused}");
    assert!(refused.to_string().contains("sse-store 1"), "{refused}");
}

/// Its maker was killed before it had written anything.
#[test]
fn an_empty_marker_is_a_new_store() {
    let folder = folder();
    File::create(folder.path().join("sse-store")).unwrap();
    put(&Store::open(folder.path()).unwrap(), "1");
}

#[test]
fn a_topic_that_is_too_long_is_refused_and_the_others_are_stored() {
    let folder = folder();
    let store = Store::open(folder.path()).unwrap();
    let long = "x".repeat(60_001);
    let topics = ["", &long, "", &long[1..], ""].map(Topics::from);
    let messages = topics.map(|topics| (Message::data("x"), topics));
    let answers = store.append(messages.into());
    assert!(matches!(
        answers[1],
        Err(StoreError::TopicTooLong { size: 60_001, .. })
    ));
    let answers: Vec<_> = answers.iter().map(Result::is_ok).collect();
    assert_eq!(answers, [true, false, true, true, true]);
    assert_eq!(store.end(), Position(4));
    assert_eq!(read(&store, Cursor::EARLIEST).len(), 3);
}

/// The operating system goes on taking what is written to a file that has no name any more.
#[cfg(unix)]
#[test]
fn nothing_is_acknowledged_once_the_directory_is_removed() {
    for removed in ["", "fjall"] {
        let folder = folder();
        let path = folder.path().join("events");
        let store = Store::open(&path).unwrap();
        put(&store, "1");
        fs::remove_dir_all(path.join(removed)).unwrap();
        for _ in 0..2 {
            let answer = store.append(vec![(Message::data("2"), Topics::default())]);
            let text = answer[0].as_ref().unwrap_err().to_string();
            assert!(text.contains("was removed"), "{text}");
        }
        assert!(store.flush().is_err());
        assert_eq!(store.end(), Position(1));
    }
}

/// The process ends here: what the directory holds now is what the next one finds.
fn found_after(folder: &TempDir) -> Vec<String> {
    let after = self::folder();
    copy(folder.path(), after.path());
    let store = Store::open(after.path()).unwrap();
    assert_eq!(store.lost(), None);
    read(&store, Cursor::EARLIEST)
}

#[tokio::test]
async fn what_was_published_is_there_when_its_provider_is_gone() {
    for durability in [Durability::Memory, Durability::Os] {
        let folder = folder();
        let store = Store::at(folder.path()).durability(durability);
        let joe = Joe::builder().replayer(store.open().unwrap()).build();
        let hub = Hub::new(joe);
        for n in 1..=30 {
            hub.publish(Message::data(n.to_string()), "").await.unwrap();
        }
        drop(hub);
        assert_eq!(found_after(&folder), numbers(1..=30), "{durability:?}");
    }
}

#[tokio::test]
async fn what_was_published_is_there_after_the_shutdown() {
    let folder = folder();
    let store = Store::at(folder.path()).durability(Durability::Memory);
    let joe = Joe::builder().replayer(store.open().unwrap()).build();
    let hub = Hub::new(joe);
    for n in 1..=30 {
        hub.publish(Message::data(n.to_string()), "").await.unwrap();
    }
    hub.shutdown().await.unwrap();
    assert_eq!(found_after(&folder), numbers(1..=30));
}

#[tokio::test]
async fn a_live_stream_that_nobody_reads_does_not_keep_the_store() {
    let folder = folder();
    let store = Store::open(folder.path()).unwrap();
    let hub = Hub::new(Joe::builder().replayer(store).build());
    let mut unread = hub.subscribe("t").await.unwrap();
    hub.publish(Message::data("1"), "t").await.unwrap();
    drop(hub);
    let opened = async {
        while Store::open(folder.path()).is_err() {
            // pace: the thread that stores ends a moment later
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    sse_conformance::in_time("the store is free", opened).await;
    let mut text = Vec::new();
    while let Some(bytes) = unread.next().await {
        text.extend_from_slice(&bytes);
    }
    assert!(text.ends_with(b"data: 1\n\n"), "and it gets what it has");
}
