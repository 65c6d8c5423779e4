//! Files that are not as they were written: an error, or a loss that is told. Never a wrong
//! message, never a silent gap.

use std::{
    collections::BTreeMap,
    fs,
    io::{Read, Write},
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
};

use sse_conformance::decode;
use sse_core::{
    EventId, Message, Topics,
    replay::{Blocking, Cursor, ReadError, Replayer},
    resume::Gap,
    wire::Decoder,
};
use sse_store::{Lost, OpenError, Options, Store};
use tempfile::TempDir;

const MESSAGES: u64 = 2_000;

fn folder() -> TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap()
}

fn data(n: u64) -> String {
    format!("{n} {}", "y".repeat((n % 97) as usize))
}

fn fill(folder: &Path) -> Vec<EventId> {
    let store = Store::at(folder).max_messages(MESSAGES * 2).open().unwrap();
    let put = |n| {
        let mut stored = store.append(vec![(Message::data(data(n)), Topics::default())]);
        stored.remove(0).unwrap().id
    };
    (1..=MESSAGES).map(put).collect()
}

/// A file as it was: its place, its bytes without the zeros at the end, and its length. The
/// engine's journal begins as 64 MiB of nothing.
struct Original {
    path: PathBuf,
    bytes: Vec<u8>,
    length: u64,
}

impl Original {
    fn read_all(folder: &Path) -> Vec<Self> {
        let mut all = Vec::new();
        let mut folders = vec![folder.to_owned()];
        while let Some(next) = folders.pop() {
            for entry in fs::read_dir(next).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let mut bytes = fs::read(&path).unwrap();
                let length = bytes.len() as u64;
                let used = bytes.iter().rposition(|byte| *byte != 0);
                bytes.truncate(used.map_or(0, |last| last + 1));
                let path = path.strip_prefix(folder).unwrap().to_owned();
                all.push(Self {
                    path,
                    bytes,
                    length,
                });
            }
        }
        all.sort_by(|one, other| one.path.cmp(&other.path));
        all
    }

    fn write(&self, folder: &Path, changed: Option<usize>) {
        let path = folder.join(&self.path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut bytes = self.bytes.clone();
        if let Some(place) = changed {
            bytes[place] = !bytes[place];
        }
        fs::write(&path, bytes).unwrap();
        let file = fs::File::options().write(true).open(path).unwrap();
        file.set_len(self.length).unwrap();
    }
}

/// The numbers of everything that is there, from the oldest on, or why it could not be read.
fn read(store: &Store) -> Result<Vec<u64>, ReadError> {
    let mut numbers = Vec::new();
    let mut from = Cursor::EARLIEST;
    loop {
        let page = store.page(from, store.end(), &Topics::default(), Blocking::Allowed)?;
        for event in decode(&mut Decoder::new(), &page.bytes) {
            let number: u64 = event.data.split(' ').next().unwrap().parse().unwrap();
            assert_eq!(event.data, data(number), "as it was written");
            assert!(event.id.ends_with(&format!("-{number}")));
            numbers.push(number);
        }
        if page.next.after >= store.end() {
            return Ok(numbers);
        }
        from = page.next;
    }
}

/// Files as they were found: those before, with one byte changed.
type Found<'a> = (&'a [Original], usize, usize);

/// Everything is in a directory as it was found there, or only what is below a part of it.
fn assert_is_there((files, damaged, place): Found<'_>, folder: &Path, below: &str) {
    for (index, file) in files.iter().enumerate() {
        if file.path.starts_with(below) {
            let path = folder.join(&file.path).display().to_string();
            let used = file.bytes.len();
            let mut bytes = Vec::new();
            let opened = fs::File::open(&path);
            let opened = opened.unwrap_or_else(|error| panic!("{path}: {error}"));
            assert_eq!(opened.metadata().unwrap().len(), file.length, "of {path}");
            let mut head = opened.take(used as u64 + 4_096);
            head.read_to_end(&mut bytes).unwrap();
            if index == damaged {
                bytes[place] = !bytes[place];
            }
            assert!(bytes[..used] == file.bytes, "{path} is changed");
            assert!(
                bytes[used..].iter().all(|byte| *byte == 0),
                "{path} is changed"
            );
        }
    }
}

/// The fate of a store with one byte changed.
fn outcome(folder: &Path, found: Found<'_>) -> &'static str {
    match Store::at(folder).max_messages(MESSAGES * 2).open() {
        Err(
            refused @ (OpenError::Damaged { .. }
            | OpenError::Incomplete { .. }
            | OpenError::Version { .. }
            | OpenError::Io { .. }),
        ) => {
            assert_is_there(found, folder, "");
            match refused {
                OpenError::Damaged { .. } | OpenError::Incomplete { .. } => "refused",
                _ => "refused as something else",
            }
        }
        Err(error) => panic!("{error}"),
        Ok(store) => match read(&store) {
            Err(ReadError::Store(_)) => "cannot be read",
            Err(error) => panic!("{error}"),
            Ok(numbers) => {
                let end = numbers.len() as u64;
                assert!(numbers.iter().copied().eq(1..=end), "without a hole");
                if end == MESSAGES {
                    "whole"
                } else {
                    assert_eq!(store.lost(), Some(&Lost::Newest(end + 1..=MESSAGES)));
                    let set_aside = store.set_aside().expect("what is cut off is kept");
                    assert_is_there(found, set_aside, "fjall");
                    "told"
                }
            }
        },
    }
}

/// One byte here and there, in all files.
#[test]
fn a_changed_byte_is_an_error_or_a_loss_that_is_told() {
    let original = folder();
    fill(original.path());
    let files = Original::read_all(original.path());
    let all: usize = files.iter().map(|file| file.bytes.len()).sum();
    let mut outcomes = BTreeMap::new();
    for (damaged, file) in files.iter().enumerate() {
        // Small files are looked at more closely than they deserve by their size.
        let used = file.bytes.len();
        let count = used.min(4.max(120 * used / all));
        for n in 0..count {
            let copy = folder();
            for (index, file) in files.iter().enumerate() {
                file.write(copy.path(), (index == damaged).then_some(place(n, used)));
            }
            let found = (files.as_slice(), damaged, place(n, used));
            let seen = catch_unwind(AssertUnwindSafe(|| outcome(copy.path(), found)));
            let seen = seen.unwrap_or_else(|_| panic!("part {n} of {count} of {:?}", file.path));
            *outcomes.entry(seen).or_insert(0) += 1;
        }
    }
    let seen = |what| outcomes.get(what).is_some_and(|count| *count > 0);
    assert!(seen("refused") && seen("told"), "{outcomes:?}");
}

/// A place that is scattered over the bytes, and the same each time.
fn place(n: usize, of: usize) -> usize {
    (n + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) / 1_024 % of
}

/// As damage of a sealed journal would leave it.
fn make_a_hole(folder: &Path, at: u64) {
    let database = fjall::Database::builder(folder.join("fjall"))
        .open()
        .unwrap();
    let part = MESSAGES * 2 / 8;
    let segment = format!("segment-{:020}", (at - 1) / part * part);
    let segment = database.keyspace(&segment, Default::default).unwrap();
    let mut key = vec![0];
    key.extend_from_slice(&at.to_be_bytes());
    assert!(segment.get(&key).unwrap().is_some());
    segment.remove(key).unwrap();
    database.persist(fjall::PersistMode::SyncAll).unwrap();
}

#[test]
fn a_hole_is_refused_or_by_wish_everything_before_it_dropped() {
    let folder = folder();
    let ids = fill(folder.path());
    make_a_hole(folder.path(), 1_200);
    make_a_hole(folder.path(), 700);
    let options = || Store::at(folder.path()).max_messages(MESSAGES * 2);
    for _ in 0..2 {
        match options().open() {
            Err(OpenError::Incomplete { missing, .. }) => assert_eq!(missing, 1_200..=1_200),
            other => panic!("{other:?}"),
        }
    }
    let store = options().repair().open().unwrap();
    assert_eq!(store.lost(), Some(&Lost::Until(1_200)));
    drop(store);
    let store = options().open().unwrap();
    assert_eq!(store.lost(), None, "it was told once");
    assert!(read(&store).unwrap().into_iter().eq(1_201..=MESSAGES));
    let gap = store
        .seek(&ids[1_199], &Topics::default(), Blocking::Allowed)
        .unwrap_err();
    assert!(matches!(gap, ReadError::Gap(Gap::Expired)), "{gap}");
    assert!(
        store
            .seek(&ids[1_200], &Topics::default(), Blocking::Allowed)
            .is_ok()
    );
}

/// The store is whole: everything is there, and nothing was set aside.
fn assert_is_whole(store: &Store) {
    assert!(read(store).unwrap().into_iter().eq(1..=MESSAGES));
    assert_eq!((store.lost(), store.set_aside()), (None, None));
}

#[test]
fn a_marker_that_is_cut_costs_nothing() {
    let folder = folder();
    fill(folder.path());
    let marker = folder.path().join("sse-store");
    let text = fs::read(&marker).unwrap();
    for length in [0, 1, text.len() - 1] {
        fs::write(&marker, &text[..length]).unwrap();
        assert_is_whole(&options(folder.path()).open().unwrap());
        assert_eq!(fs::read(&marker).unwrap(), text);
    }
}

fn options(folder: &Path) -> Options {
    Store::at(folder).max_messages(MESSAGES * 2)
}

fn write_all(files: &[Original], folder: &Path) {
    for file in files {
        file.write(folder, None);
    }
}

#[test]
fn a_file_that_is_missing_is_refused_or_told_and_everything_else_is_kept() {
    let original = folder();
    fill(original.path());
    let files = Original::read_all(original.path());
    let mut refused = Vec::new();
    for (index, missing) in files.iter().enumerate() {
        let copy = folder();
        write_all(&files, copy.path());
        fs::remove_file(copy.path().join(&missing.path)).unwrap();
        let left = [&files[..index], &files[index + 1..]];
        match options(copy.path()).open() {
            Err(error) => {
                for part in left {
                    assert_is_there((part, usize::MAX, 0), copy.path(), "");
                }
                refused.push(missing.path.clone());
                if let OpenError::Damaged { .. } = error {
                    let text = error.to_string();
                    assert!(text.contains("repair"), "{text}");
                    let store = options(copy.path()).repair().open().unwrap();
                    let set_aside = store.set_aside().unwrap();
                    for part in left {
                        assert_is_there((part, usize::MAX, 0), set_aside, "fjall");
                    }
                    assert_eq!(store.lost(), Some(&Lost::Newest(1..=MESSAGES)));
                    drop(store);
                    // Brought back as the documentation of `Store::set_aside` says.
                    let engine = copy.path().join("fjall");
                    fs::remove_dir_all(&engine).unwrap();
                    fs::rename(copy.path().join("set-aside-1/fjall"), engine).unwrap();
                    missing.write(copy.path(), None);
                    let store = options(copy.path()).open().unwrap();
                    assert!(read(&store).unwrap().into_iter().eq(1..=MESSAGES));
                }
            }
            Ok(store) => {
                let numbers = read(&store).unwrap();
                let (first, end) = (*store.positions().start(), *store.positions().end());
                let path = missing.path.display();
                assert!(numbers.into_iter().eq(first..=end), "{path}");
                assert!(
                    end == MESSAGES || store.lost() == Some(&Lost::Newest(end + 1..=MESSAGES)),
                    "{path}: {end}",
                );
                assert!(
                    (first, end) == (1, MESSAGES)
                        || missing.path.extension() == Some("jnl".as_ref())
                        || store.set_aside().is_some(),
                    "{path}: {first} to {end}"
                );
            }
        }
    }
    for name in ["fjall/version", "fjall/keyspaces/0/current"] {
        assert!(refused.contains(&PathBuf::from(name)), "{refused:?}");
    }
}

#[test]
fn a_journal_with_a_damaged_head_is_set_aside_and_can_be_brought_back() {
    let folder = folder();
    fill(folder.path());
    let journal = folder.path().join("fjall/0.jnl");
    let head = fs::read(&journal).unwrap()[..16].to_vec();
    overwrite(&journal, &[9; 16]);
    let set_aside = {
        let store = options(folder.path()).open().unwrap();
        assert_eq!(store.lost(), Some(&Lost::Newest(1..=MESSAGES)));
        store.append(vec![(Message::data("after"), Topics::default())]);
        store.set_aside().unwrap().to_owned()
    };
    let store = options(folder.path()).open().unwrap();
    assert_eq!(store.set_aside(), None, "it was told once");
    drop(store);

    fs::remove_dir_all(folder.path().join("fjall")).unwrap();
    fs::rename(set_aside.join("fjall"), folder.path().join("fjall")).unwrap();
    overwrite(&journal, &head);
    let store = options(folder.path()).open().unwrap();
    assert!(read(&store).unwrap().into_iter().eq(1..=MESSAGES));
}

fn overwrite(path: &Path, bytes: &[u8]) {
    let mut file = fs::File::options().write(true).open(path).unwrap();
    file.write_all(bytes).unwrap();
}

#[test]
fn an_older_format_is_refused_even_if_the_marker_is_cut() {
    let folder = folder();
    fill(folder.path());
    let database = fjall::Database::builder(folder.path().join("fjall"))
        .open()
        .unwrap();
    let runs = database.keyspace("runs", Default::default).unwrap();
    runs.remove([3]).unwrap();
    database.persist(fjall::PersistMode::SyncAll).unwrap();
    drop((runs, database));
    fs::write(folder.path().join("sse-store"), "").unwrap();
    let refused = options(folder.path()).open().unwrap_err();
    assert!(matches!(refused, OpenError::Version { .. }), "{refused}");
}
