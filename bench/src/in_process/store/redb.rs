//! The same history on redb: one table, one transaction for each batch.

use std::{
    fs::{File, OpenOptions},
    io,
    os::unix::fs::FileExt as _,
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
};

use anyhow::Result;
use redb::{
    Builder, Database, ReadableDatabase as _, ReadableTable as _, StorageBackend, TableDefinition,
};
use sse_core::{
    EventId, Message, Topics,
    replay::{Blocking, Cursor, Epoch, Page, Position, ReadError, Replayer, StoreError, Stored},
    resume::Gap,
};

/// The bytes on the wire by topic and position; number 0 of the other table is the position of the
/// newest.
const MESSAGES: TableDefinition<'_, (&str, u64), &[u8]> = TableDefinition::new("messages");
const END: TableDefinition<'_, u64, u64> = TableDefinition::new("end");

/// The size of the cache, the same as that of the store.
const CACHE_BYTES: usize = 64 << 20;

#[derive(Debug)]
pub(super) struct Redb {
    database: Database,
    epoch: Epoch,
    end: AtomicU64,
}

/// A file that is left to the operating system, unless it syncs.
#[derive(Debug)]
struct Backend {
    file: File,
    syncs: bool,
}

impl Redb {
    pub(super) fn open(directory: &Path, syncs: bool) -> Result<Self> {
        let mut options = OpenOptions::new();
        let options = options.read(true).write(true).create(true).truncate(false);
        let file = options.open(directory.join("redb"))?;
        let mut builder = Builder::new();
        builder.set_cache_size(CACHE_BYTES);
        let database = builder.create_with_backend(Backend { file, syncs })?;
        let write = database.begin_write()?;
        let end = write.open_table(END)?.get(0)?.map_or(0, |end| end.value());
        write.open_table(MESSAGES)?;
        write.commit()?;
        Ok(Self {
            database,
            epoch: Epoch::random(),
            end: AtomicU64::new(end),
        })
    }

    fn write(&self, messages: Vec<(Message, Topics)>) -> Result<Vec<Stored>, redb::Error> {
        let write = self.database.begin_write()?;
        let mut end = self.end.load(Ordering::Acquire);
        let mut answers = Vec::with_capacity(messages.len());
        let mut table = write.open_table(MESSAGES)?;
        for (message, topics) in messages {
            end += 1;
            let stored = Stored::new(message, &self.epoch, Position(end));
            for topic in topics.iter() {
                table.insert((topic, end), stored.bytes.as_ref())?;
            }
            answers.push(stored);
        }
        drop(table);
        write.open_table(END)?.insert(0, end)?;
        write.commit()?;
        self.end.store(end, Ordering::Release);
        Ok(answers)
    }

    fn read(&self, after: u64, until: u64, topics: &Topics) -> Result<Page, redb::Error> {
        let table = self.database.begin_read()?.open_table(MESSAGES)?;
        let (mut bytes, mut next) = (Vec::new(), after);
        let page = |bytes: Vec<u8>, next| Page {
            bytes: bytes.into(),
            next: Cursor::after(Position(next)),
        };
        // Here every subscriber reads one topic.
        for topic in topics.iter().take(1) {
            for entry in table.range((topic, after + 1)..=(topic, until))? {
                let (key, message) = entry?;
                if bytes.len() + message.value().len() > Page::BYTES {
                    return Ok(page(bytes, next));
                }
                bytes.extend_from_slice(message.value());
                next = key.value().1;
            }
        }
        Ok(page(bytes, until))
    }
}

impl Replayer for Redb {
    fn append(&self, batch: Vec<(Message, Topics)>) -> Vec<Result<Stored, StoreError>> {
        match self.write(batch) {
            Ok(stored) => stored.into_iter().map(Ok).collect(),
            Err(error) => vec![Err(StoreError::new(error))],
        }
    }

    fn end(&self) -> Position {
        Position(self.end.load(Ordering::Acquire))
    }

    fn cursor_id(&self, from: Cursor, topics: &Topics) -> EventId {
        self.epoch.cursor_id(from, topics)
    }

    fn earliest(&self, _: &Topics) -> Cursor {
        Cursor::after(Position(0))
    }

    fn seek(&self, _: &EventId, _: &Topics, _: Blocking) -> Result<Cursor, ReadError> {
        Err(Gap::Unknown.into())
    }

    fn page(
        &self,
        from: Cursor,
        until: Position,
        topics: &Topics,
        blocking: Blocking,
    ) -> Result<Page, ReadError> {
        blocking.check()?;
        let page = self.read(from.after.0, until.0, topics);
        Ok(page.map_err(StoreError::new)?)
    }

    fn is_blocking(&self) -> bool {
        true
    }
}

impl StorageBackend for Backend {
    fn len(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.read_exact_at(out, offset)
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.file.set_len(length)
    }

    fn sync_data(&self) -> io::Result<()> {
        if self.syncs {
            self.file.sync_data()
        } else {
            Ok(())
        }
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.file.write_all_at(data, offset)
    }
}
