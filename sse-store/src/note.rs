//! `Note`: a small file that says how far the store got, and if it ended in order.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom, Write},
};

use crate::writer::Durability;

/// The time by which the note may be behind while the store is open, in milliseconds.
const NOTE_MILLIS: u64 = 100;

/// The bytes of a line: two numbers, a letter, a checksum, blanks and the end.
const LINE: usize = 20 + 1 + 20 + 1 + 1 + 1 + 16 + 1;

/// The state of a store at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Note {
    /// The position of the newest message.
    pub position: u64,
    /// The time of the store: see [`Segments::now`](crate::segments::Segments::now).
    pub time: u64,
    pub state: State,
}

/// The part of a store's messages that the disk has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Everything: the store has ended in order, or rests.
    Ended,
    /// As much as the durability says.
    Open(Durability),
}

/// The file, which holds two lines, so that a line that was cut does not take the other with it.
#[derive(Debug)]
pub(crate) struct NoteFile {
    file: File,
    note: Note,
    /// The note is not in the file yet.
    is_pending: bool,
    written: u64,
    /// The line that is written next.
    line: u64,
}

impl State {
    fn letter(self) -> char {
        match self {
            Self::Ended => 'e',
            Self::Open(Durability::Memory) => 'm',
            Self::Open(Durability::Os) => 'o',
            Self::Open(Durability::Disk) => 'd',
        }
    }

    fn from_letter(letter: &str) -> Option<Self> {
        let all = [Durability::Memory, Durability::Os, Durability::Disk].map(Self::Open);
        let mut all = all.into_iter().chain([Self::Ended]);
        all.find(|state| letter.chars().eq([state.letter()]))
    }
}

impl Note {
    fn to_line(self) -> String {
        let text = format!(
            "{:020} {:020} {}",
            self.position,
            self.time,
            self.state.letter()
        );
        format!("{text} {:016x}\n", checksum(&text))
    }

    /// Reads a line; `None` if it is not as it was written.
    fn from_line(line: &[u8]) -> Option<Self> {
        let line = str::from_utf8(line).ok()?;
        let mut fields = line.split([' ', '\n']);
        let note = Self {
            position: fields.next()?.parse().ok()?,
            time: fields.next()?.parse().ok()?,
            state: State::from_letter(fields.next()?)?,
        };
        (note.to_line() == line).then_some(note)
    }

    /// Reads the lines of a file and joins what they say: the greater position, and an orderly end
    /// only if no line denies it.
    fn from_text(text: &[u8]) -> Option<Self> {
        let notes = text.chunks(LINE).filter_map(Self::from_line);
        notes.reduce(|one, other| Self {
            position: one.position.max(other.position),
            time: one.time.max(other.time),
            state: if one.state == State::Ended {
                other.state
            } else {
                one.state
            },
        })
    }
}

impl NoteFile {
    /// Reads the note in a file, if there is one and it is as it was written.
    pub(crate) fn read(file: &mut File) -> io::Result<Option<Note>> {
        let mut text = Vec::new();
        file.seek(SeekFrom::Start(0))?;
        file.take(4 * LINE as u64).read_to_end(&mut text)?;
        Ok(Note::from_text(&text))
    }

    /// Replaces the note in a file, and waits for the disk.
    pub(crate) fn begin(file: File, note: Note) -> io::Result<Self> {
        let mut file = Self {
            file,
            note,
            is_pending: false,
            written: note.time,
            line: 0,
        };
        file.write_through(note)?;
        Ok(file)
    }

    pub(crate) fn note(&self) -> Note {
        self.note
    }

    /// Sets how far the store got. That is not written for each message of many: it takes as long
    /// as half a message.
    pub(crate) fn set(&mut self, position: u64, time: u64) {
        self.note.position = position;
        self.note.time = time;
        self.is_pending = true;
        if time.abs_diff(self.written) >= NOTE_MILLIS {
            // If this fails, the note is behind, and not the store.
            let _ = self.write();
        }
    }

    /// Sets the state of the store, and waits for the disk.
    pub(crate) fn set_state(&mut self, state: State, time: u64) -> io::Result<()> {
        if self.note.state == state && !self.is_pending && self.note.time == time {
            return Ok(());
        }
        let note = Note {
            time,
            state,
            ..self.note
        };
        self.write_through(note)
    }

    fn write(&mut self) -> io::Result<()> {
        let at = self.line * LINE as u64;
        self.file.seek(SeekFrom::Start(at))?;
        self.file.write_all(self.note.to_line().as_bytes())?;
        self.line = 1 - self.line;
        self.written = self.note.time;
        self.is_pending = false;
        Ok(())
    }

    fn write_through(&mut self, note: Note) -> io::Result<()> {
        let text = note.to_line().repeat(2);
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(text.as_bytes())?;
        self.file.set_len(text.len() as u64)?;
        self.file.sync_all()?;
        self.note = note;
        self.written = note.time;
        self.is_pending = false;
        Ok(())
    }
}

/// FNV-1a, 64 bits: finds a line that was cut or changed.
fn checksum(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |sum, byte| {
        (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTE: Note = Note {
        position: 42,
        time: u64::MAX,
        state: State::Open(Durability::Os),
    };

    #[test]
    fn a_note_is_read_as_it_was_written() {
        let line = NOTE.to_line();
        assert_eq!(line.len(), LINE);
        assert_eq!(Note::from_text(line.as_bytes()), Some(NOTE));
        for place in 0..LINE {
            let mut changed = line.clone().into_bytes();
            changed[place] ^= 1;
            assert_eq!(Note::from_text(&changed), None, "byte {place}");
            assert_eq!(Note::from_text(&line.as_bytes()[..place]), None);
            let both = [changed.as_slice(), line.as_bytes()].concat();
            assert_eq!(Note::from_text(&both), Some(NOTE), "the other line");
        }
    }

    #[test]
    fn an_orderly_end_is_one_that_no_line_denies() {
        let ended = Note {
            position: 41,
            time: 0,
            state: State::Ended,
        };
        for lines in [[NOTE, ended], [ended, NOTE]] {
            let text = lines.map(Note::to_line).concat();
            assert_eq!(Note::from_text(text.as_bytes()), Some(NOTE));
        }
        let text = ended.to_line().repeat(2);
        assert_eq!(Note::from_text(text.as_bytes()), Some(ended));
    }
}
