//! The meaning of the fuzzer's bytes.

/// A stream, the lengths into which it is cut, and the limits of the decoder.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Input<'a> {
    lengths: [u8; 2],
    pub(crate) line_bytes: usize,
    pub(crate) event_bytes: usize,
    pub(crate) stream: &'a [u8],
}

impl<'a> Input<'a> {
    /// Reads the lengths of chunks, which take turns, and the limits of a line and of an event from
    /// the first four bytes. They count from `0`, so that a seed is a text after four digits.
    pub(crate) fn new(bytes: &'a [u8]) -> Option<Self> {
        let (&[first, second, line, event], stream) = bytes.split_first_chunk()?;
        let number = |byte: u8| byte.wrapping_sub(b'0');
        Some(Self {
            lengths: [number(first), number(second)],
            line_bytes: number(line).into(),
            event_bytes: number(event).into(),
            stream,
        })
    }

    /// Returns the stream whole, byte by byte, and cut as the fuzzer wants it, sometimes into empty
    /// chunks.
    pub(crate) fn cuts(&self) -> [Vec<&'a [u8]>; 3] {
        [
            vec![self.stream],
            self.stream.chunks(1).collect(),
            self.cut(),
        ]
    }

    fn cut(&self) -> Vec<&'a [u8]> {
        let mut rest = self.stream;
        let mut chunks = Vec::new();
        for length in self.lengths.into_iter().cycle() {
            // Two lengths of zero would never end.
            let length = if self.lengths == [0, 0] {
                1
            } else {
                length.into()
            };
            if rest.is_empty() {
                break;
            }
            let (chunk, after) = rest.split_at(rest.len().min(length));
            chunks.push(chunk);
            rest = after;
        }
        chunks
    }
}
