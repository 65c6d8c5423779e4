//! What a subscriber takes in memory.

use super::{
    cases::{Case, fill},
    counted,
    measure::{grouped, real},
};
use crate::{report::Table, scenarios::Bench};

/// The rows, and what the counting binary calls them.
const STREAMS: [(&str, &str); 5] = [
    ("Subscriber", "subscriber"),
    ("SseBody with keep-alive", "body"),
    ("SseBody without keep-alive", "body-without-keep-alive"),
    ("SseBody on a topic of its own", "body-own-topic"),
    (
        "SseBody on `global` and a topic of its own",
        "body-two-topics",
    ),
];

pub(super) fn run(bench: &Bench) -> Vec<Table> {
    let count = bench.size(100_000, 1_000);
    let mut table = Table::new(
        "memory-core",
        "Memory of a subscriber, in process",
        format!(
            "{count} subscribers, each in a box that a tokio task owns and has polled until it waits. Counted is what is asked of the \
             allocator (it adds about 8 bytes to each piece and rounds up to 16), in a process of its own. What the \
             same tasks take with a boxed stream that is never ready and takes nothing itself is subtracted, so a row holds the stream, \
             its place in the queue of its topic and its place in the timer. \"left\" is what all together have allocated after a hundred \
             messages were published, ten at a time, and read by everyone, and had not before.",
            count = grouped(count)
        ),
    )
    .column("allocated", "bytes")
    .column("pieces", "")
    .column("resident", "bytes")
    .column("left after messages, all together", "bytes");
    "subscriber".clone_into(&mut table.subject);
    table.notes.extend([
        "Where all share a topic, all their wakers lie in one table that doubles when it is full, and the same goes for the tables of \
         topics: what is free in them counts as allocated. It is resident once it was used."
            .to_owned(),
        "Less than nothing is left where such a table was made anew, at the size that is needed.".to_owned(),
    ]);
    let cases = STREAMS.map(|(row, stream)| {
        Case::new(row, move || {
            let [bytes, pieces, resident, left] = counted::memory(stream, count)?;
            let [task_bytes, task_pieces, task_resident, _] = counted::memory("nothing", count)?;
            let each = |all: f64, tasks: f64| (all - tasks) / real(count);
            Ok(vec![
                each(bytes, task_bytes),
                each(pieces, task_pieces),
                each(resident, task_resident),
                left,
            ])
        })
    });
    vec![fill(bench, table, cases)]
}
