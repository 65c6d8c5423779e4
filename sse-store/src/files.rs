//! `EngineFiles`: the engine's files before the engine sees them, because it removes what it cannot
//! read.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, BufReader, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use xxhash_rust::xxh3::Xxh3;

/// The engine's own file that says that its directory is complete.
const VERSION: &str = "version";

/// The directory of the engine's keyspaces, each in one of its own that is named by a number. The
/// first has the names of the others.
const KEYSPACES: &str = "keyspaces";

/// The file that says which files of a keyspace count.
const CURRENT: &str = "current";

/// The directory of the files in which messages are sorted. They never change.
const TABLES: &str = "tables";

/// The end of each batch in a journal.
const MAGIC: [u8; 4] = *b"FJL\x03";

const CHUNK: usize = 64 << 10;

/// The directory of the engine.
#[derive(Debug)]
pub(crate) struct EngineFiles(pub PathBuf);

/// The result of a look at the engine's files.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    /// Nothing was ever stored here.
    Empty,
    /// As the engine writes them.
    Whole,
    /// The engine would open this, and remove something that it cannot read.
    Doubtful,
    /// The engine would remove everything, or nearly.
    Lacking(PathBuf),
}

impl EngineFiles {
    /// Looks for what the engine would remove. After an orderly end every byte of a journal should
    /// be readable; else it may end with a part of a message that was never acknowledged.
    pub(crate) fn examine(&self, has_ended: bool) -> io::Result<Condition> {
        let keyspaces = self.0.join(KEYSPACES);
        for needed in [self.0.join(VERSION), keyspaces.join("0").join(CURRENT)] {
            if !needed.try_exists()? {
                return Ok(if self.has_nothing()? {
                    Condition::Empty
                } else {
                    Condition::Lacking(needed)
                });
            }
        }
        let mut in_journals = BTreeSet::new();
        let mut is_doubtful = false;
        for journal in self.journals()? {
            is_doubtful |= has_unreadable_batch(&journal, has_ended, &mut in_journals)?;
        }
        for number in numbers(&keyspaces)? {
            let keyspace = keyspaces.join(number.to_string());
            // Without messages it is one whose creation has failed.
            is_doubtful |= !keyspace.join(CURRENT).try_exists()?
                && (in_journals.contains(&number) || has_entries(&keyspace.join(TABLES))?);
        }
        Ok(if is_doubtful {
            Condition::Doubtful
        } else {
            Condition::Whole
        })
    }

    /// Copies everything as it is to another directory. Files that never change are linked.
    pub(crate) fn copy_to(&self, to: &Path) -> io::Result<()> {
        copy(&self.0, to, false)
    }

    /// Cuts off what cannot be read of the journals, so that the engine takes the rest.
    pub(crate) fn cut(&self) -> io::Result<()> {
        for journal in self.journals()? {
            let file = File::options().read(true).write(true).open(journal)?;
            let end = end_of_batches(&mut BufReader::new(&file), &mut BTreeSet::new());
            if end < file.metadata()?.len() {
                file.set_len(end)?;
                file.sync_all()?;
            }
        }
        Ok(())
    }

    /// Waits until the disk has everything that a copy is made of.
    pub(crate) fn sync(&self) -> io::Result<()> {
        sync(&self.0)
    }

    fn journals(&self) -> io::Result<Vec<PathBuf>> {
        let mut journals = Vec::new();
        for entry in fs::read_dir(&self.0)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "jnl") {
                journals.push(path);
            }
        }
        Ok(journals)
    }

    /// Returns `true` if this is no more than the beginning of a directory in which nothing was
    /// stored.
    fn has_nothing(&self) -> io::Result<bool> {
        if !self.0.try_exists()? {
            return Ok(true);
        }
        let keyspaces = self.0.join(KEYSPACES);
        for number in numbers(&keyspaces)? {
            if has_entries(&keyspaces.join(number.to_string()).join(TABLES))? {
                return Ok(false);
            }
        }
        for journal in self.journals()? {
            if !is_zero(&mut File::open(journal)?)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Returns the numbers of the keyspaces, in order.
fn numbers(keyspaces: &Path) -> io::Result<Vec<u64>> {
    let mut numbers = Vec::new();
    match fs::read_dir(keyspaces) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        entries => {
            for entry in entries? {
                let name = entry?.file_name();
                numbers.extend(name.to_str().and_then(|name| name.parse::<u64>().ok()));
            }
        }
    }
    numbers.sort_unstable();
    Ok(numbers)
}

fn has_entries(path: &Path) -> io::Result<bool> {
    match fs::read_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        entries => Ok(entries?.next().is_some()),
    }
}

fn copy(from: &Path, to: &Path, never_changes: bool) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            copy(&from, &to, entry.file_name() == TABLES)?;
        } else if !never_changes || fs::hard_link(&from, &to).is_err() {
            copy_file(&from, &to)?;
        }
    }
    Ok(())
}

fn sync(path: &Path) -> io::Result<()> {
    if !path.is_dir() {
        return File::open(path)?.sync_all();
    }
    for entry in fs::read_dir(path)? {
        sync(&entry?.path())?;
    }
    if cfg!(unix) {
        File::open(path)?.sync_all()?;
    }
    Ok(())
}

/// Copies a file, and leaves out zeros: a journal begins as many of them that take no place.
fn copy_file(from: &Path, to: &Path) -> io::Result<()> {
    let (mut from, mut to) = (File::open(from)?, File::create_new(to)?);
    let mut chunk = Vec::new();
    let mut at = 0;
    loop {
        chunk.clear();
        let read = (&mut from).take(CHUNK as u64).read_to_end(&mut chunk)?;
        if read == 0 {
            break;
        }
        if chunk != ZEROS[..read] {
            to.seek(SeekFrom::Start(at))?;
            to.write_all(&chunk)?;
        }
        at += read as u64;
    }
    to.set_len(at)
}

/// Returns `true` if a journal has batches that the engine cannot read, and would cut off together
/// with everything after them.
///
/// Collects the numbers of the keyspaces that are written to.
fn has_unreadable_batch(
    journal: &Path,
    has_ended: bool,
    keyspaces: &mut BTreeSet<u64>,
) -> io::Result<bool> {
    let mut file = File::open(journal)?;
    let end = end_of_batches(&mut BufReader::new(&file), keyspaces);
    file.seek(SeekFrom::Start(end))?;
    if has_ended {
        return Ok(!is_zero(&mut file)?);
    }
    let mut window = Vec::new();
    loop {
        let read = (&mut file).take(CHUNK as u64).read_to_end(&mut window)?;
        if read == 0 {
            return Ok(false);
        }
        if window != ZEROS[..window.len()]
            && window.windows(MAGIC.len()).any(|bytes| bytes == MAGIC)
        {
            return Ok(true);
        }
        let rest = window.len().saturating_sub(MAGIC.len() - 1);
        window.drain(..rest);
    }
}

static ZEROS: [u8; CHUNK + MAGIC.len()] = [0; CHUNK + MAGIC.len()];

/// Returns `true` if there are only zeros left: as the engine makes a journal, before it writes.
fn is_zero(file: &mut File) -> io::Result<bool> {
    let mut chunk = Vec::new();
    loop {
        chunk.clear();
        let read = file.take(CHUNK as u64).read_to_end(&mut chunk)?;
        if chunk != ZEROS[..read] {
            return Ok(false);
        }
        if read == 0 {
            return Ok(true);
        }
    }
}

/// Returns the place at which the batches end that can be read.
///
/// A batch is a start (1, number of items, number), items (2, kind, compression, keyspace, lengths
/// of key, value and stored value, key, stored value) or cleared keyspaces (4, keyspace), and an
/// end (3, checksum of the items, magic).
fn end_of_batches(reader: &mut impl Read, keyspaces: &mut BTreeSet<u64>) -> u64 {
    let (mut at, mut end) = (0, 0);
    let mut is_in_batch = false;
    let mut items_left = 0;
    let mut checksum = Xxh3::new();
    let mut entry = Vec::new();
    while read_entry(reader, &mut entry).is_some() {
        at += entry.len() as u64;
        match entry[0] {
            1 if !is_in_batch => {
                is_in_batch = true;
                items_left = number::<4>(&entry, 1);
                checksum.reset();
            }
            kind @ (2 | 4) if is_in_batch && items_left > 0 => {
                items_left -= 1;
                checksum.update(&entry);
                keyspaces.insert(number::<8>(&entry, if kind == 2 { 3 } else { 1 }));
            }
            3 if is_in_batch && items_left == 0 && number::<8>(&entry, 1) == checksum.digest() => {
                is_in_batch = false;
                end = at;
            }
            _ => break,
        }
    }
    end
}

/// Reads an entry of a journal, if there is a whole one.
fn read_entry(reader: &mut impl Read, entry: &mut Vec<u8>) -> Option<()> {
    let mut read = |entry: &mut Vec<u8>, bytes: u64| {
        let read = reader.take(bytes).read_to_end(entry).ok()?;
        (read as u64 == bytes).then_some(())
    };
    entry.clear();
    read(entry, 1)?;
    match entry[0] {
        1 => read(entry, 12),
        2 => {
            read(entry, 20)?;
            let [key, value, stored] = [
                number::<2>(entry, 11),
                number::<4>(entry, 13),
                number::<4>(entry, 17),
            ];
            // The engine takes the lengths of a value that is not compressed to be equal.
            let is_valid = entry[2] == 1 || entry[2] == 0 && value == stored;
            is_valid.then(|| read(entry, key + stored))?
        }
        3 => {
            read(entry, 12)?;
            entry.ends_with(&MAGIC).then_some(())
        }
        4 => read(entry, 8),
        _ => None,
    }
}

/// Reads a number of this many bytes, the lowest first.
fn number<const BYTES: usize>(entry: &[u8], at: usize) -> u64 {
    let bytes = entry[at..].iter().take(BYTES).rev();
    bytes.fold(0, |number, byte| number << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(data: &[u8]) -> Vec<u8> {
        let mut item = vec![2, 0, 0];
        item.extend([0; 8]);
        item.extend(3_u16.to_le_bytes());
        let length = u32::try_from(data.len()).unwrap();
        item.extend([length.to_le_bytes(), length.to_le_bytes()].concat());
        item.extend(b"key");
        item.extend(data);
        let checksum = xxhash_rust::xxh3::xxh3_64(&item).to_le_bytes();
        let start = [1, 1, 0, 0, 0, 9, 9, 9, 9, 9, 9, 9, 9];
        [&start, item.as_slice(), &[3], &checksum, &MAGIC].concat()
    }

    #[test]
    fn batches_are_walked_through_to_the_first_that_is_not_whole() {
        let one = batch(b"data");
        let two = [one.as_slice(), &batch(&vec![7; 100_000])].concat();
        let length = |bytes: &[u8]| bytes.len() as u64;
        let mut changed = one.clone();
        changed[40] += 1;
        for (journal, end) in [
            (Vec::new(), 0),
            (vec![0; 100], 0),
            (one.clone(), length(&one)),
            (two.clone(), length(&two)),
            ([two.clone(), vec![0; 100]].concat(), length(&two)),
            (two[..two.len() - 1].to_vec(), length(&one)),
            ([one.clone(), one[13..].to_vec()].concat(), length(&one)),
            ([one.clone(), changed].concat(), length(&one)),
        ] {
            assert_eq!(
                end_of_batches(&mut journal.as_slice(), &mut BTreeSet::new()),
                end
            );
        }
    }

    /// The format is the engine's: this finds out if it changes.
    #[test]
    fn the_journal_of_the_engine_is_understood() {
        let folder = tempfile::tempdir().unwrap();
        let files = EngineFiles(folder.path().join("fjall"));
        assert_eq!(files.examine(false).unwrap(), Condition::Empty);
        let database = fjall::Database::builder(&files.0).open().unwrap();
        let keyspace = database
            .keyspace("test", fjall::KeyspaceCreateOptions::default)
            .unwrap();
        for length in [0, 1, 5_000, 100_000] {
            keyspace.insert("key", vec![7; length]).unwrap();
        }
        let mut batch = database.batch();
        batch.insert(&keyspace, "one", "1");
        batch.remove(&keyspace, "key");
        batch.commit().unwrap();
        drop((keyspace, database));
        assert_eq!(files.examine(true).unwrap(), Condition::Whole);
        let journal = files.journals().unwrap().remove(0);
        let mut bytes = fs::read(&journal).unwrap();
        let last = bytes.iter().rposition(|byte| *byte != 0).unwrap();
        bytes[last] += 1;
        fs::write(&journal, &bytes).unwrap();
        assert_eq!(files.examine(false).unwrap(), Condition::Whole, "it is cut");
        assert_eq!(files.examine(true).unwrap(), Condition::Doubtful);
        bytes[0] = 9;
        fs::write(&journal, bytes).unwrap();
        assert_eq!(files.examine(false).unwrap(), Condition::Doubtful);
    }
}
