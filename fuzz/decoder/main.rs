//! The decoder on streams that a fuzzer makes up, cut at places that it chooses.
//!
//! The same items have to come out however the stream is cut, and from a naive decoder and one of
//! other people. With small limits the first of them have to come out, then an error.

#![no_main]

mod input;
mod limits;
#[path = "../../sse-wire/tests/differential/naive.rs"]
mod naive;
mod others;
#[path = "../../sse-wire/tests/differential/ours.rs"]
mod ours;
#[path = "../../sse-wire/tests/differential/seen.rs"]
mod seen;

use libfuzzer_sys::fuzz_target;
use sse_wire::Limits;

use input::Input;

fuzz_target!(|bytes: &[u8]| {
    let Some(input) = Input::new(bytes) else {
        return;
    };
    let stream = input.stream;
    let expected = naive::decode(stream);
    for cut in input.cuts() {
        let (given, error) = ours::decode(cut, Limits::default());
        assert_eq!((&given, error), (&expected, None));
    }
    others::check(stream, &expected);
    limits::check(&input, &expected);
});
