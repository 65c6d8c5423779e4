//! Random streams, which nobody thought of.

use proptest::{collection::vec, prelude::*};
use sse_wire::Limits;

use crate::{cuts::cut, naive, ours};

/// Returns bytes that look like an event stream, more or less.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        8 => proptest::sample::select(vec![
            "data: ", "data:", "data", "event: ", "event", "id: ", "id", "retry: ", "retry: 12", ":", ": ", " ",
            "\n", "\r", "\r\n", "\n\n", "\r\r", "\r\n\r\n", "\u{feff}", "\0", "x", "\u{1f600}",
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
        1 => vec(any::<u8>(), 0..4),
    ];
    vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn our_decoder_agrees_with_the_naive_one(stream in stream(), lengths in vec(1_usize..9, 1..6)) {
        let expected = (naive::decode(&stream), None);
        let limits = Limits::default();
        prop_assert_eq!(&ours::decode([&stream[..]], limits), &expected);
        prop_assert_eq!(&ours::decode(stream.chunks(1), limits), &expected);
        prop_assert_eq!(&ours::decode(cut(&stream, &lengths), limits), &expected);
    }
}
