//! All the ways in which a network can cut a stream.

/// Returns the stream whole, byte by byte, in two at each byte, and, if it has at most `short`
/// bytes, in three at each two. Some of the chunks are empty.
pub(crate) fn every_cut(stream: &[u8], short: usize) -> impl Iterator<Item = Vec<&[u8]>> {
    let in_two = (0..=stream.len()).map(|at| vec![&stream[..at], &stream[at..]]);
    let short = if stream.len() <= short { stream } else { &[] };
    let in_three = (0..short.len()).flat_map(move |second| {
        (0..=second)
            .map(move |first| vec![&stream[..first], &stream[first..second], &stream[second..]])
    });
    [vec![stream], stream.chunks(1).collect()]
        .into_iter()
        .chain(in_two)
        .chain(in_three)
}

/// Returns chunks of these lengths in turn, until the stream is used up.
pub(crate) fn cut<'a>(mut stream: &'a [u8], lengths: &[usize]) -> Vec<&'a [u8]> {
    let mut chunks = Vec::new();
    for &length in lengths.iter().cycle() {
        if stream.is_empty() {
            break;
        }
        let (chunk, rest) = stream.split_at(length.min(stream.len()));
        chunks.push(chunk);
        stream = rest;
    }
    chunks
}

/// Returns the lengths of the chunks, which tell how a stream was cut.
pub(crate) fn lengths(cut: &[&[u8]]) -> Vec<usize> {
    cut.iter().map(|chunk| chunk.len()).collect()
}
