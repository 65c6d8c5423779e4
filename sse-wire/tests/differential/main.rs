//! The decoder compared with others: a naive one, and those that people use.
//!
//! Each stream of the corpus is cut in every way, and the corpus has the expected items, written by
//! hand.

mod corpus;
mod cuts;
mod naive;
mod ours;
mod peers;
mod random;
mod seen;

use std::collections::BTreeMap;

use sse_wire::Limits;

use corpus::{Case, cases};
use cuts::{every_cut, lengths};
use peers::{DIFFERENCES, PEERS};
use seen::Seen;

#[test]
fn names_of_cases_are_distinct() {
    let mut names: Vec<_> = cases().iter().map(|case| case.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), cases().len());
}

#[test]
fn the_naive_decoder_agrees_with_the_corpus() {
    for case in cases() {
        let decoded = naive::decode(&case.stream);
        let items: Vec<Seen> = decoded.items.into_iter().map(|(_, item)| item).collect();
        assert_eq!(items, case.expected, "{}", case.name);
    }
}

#[test]
fn our_decoder_agrees_byte_by_byte_however_a_stream_is_cut() {
    for Case { name, stream, .. } in cases() {
        let expected = (naive::decode(&stream), None);
        for cut in every_cut(&stream, 64) {
            let lengths = lengths(&cut);
            let given = ours::decode(cut, Limits::default());
            assert_eq!(given, expected, "{name}, cut into {lengths:?}");
        }
    }
}

#[test]
fn peers_differ_from_ours_only_in_the_listed_ways() {
    let mut known: BTreeMap<_, _> = DIFFERENCES
        .iter()
        .flat_map(|it| it.cases.iter().map(|&case| ((it.peer, case), it.because)))
        .collect();
    let listed: usize = DIFFERENCES.iter().map(|it| it.cases.len()).sum();
    assert_eq!(known.len(), listed, "each is listed once");
    let mut wrong = Vec::new();
    for case in cases() {
        for peer in PEERS {
            let because = known.remove(&(peer.name, case.name));
            match (peer.difference(&case), because) {
                (Some(difference), None) => wrong.push(difference),
                (None, Some(because)) => {
                    wrong.push(format!("{}: {}: no longer {because}", peer.name, case.name));
                }
                _ => {}
            }
        }
    }
    assert!(known.is_empty(), "no such peers or streams: {known:?}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
