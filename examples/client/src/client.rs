//! The client: a callback for each type of event.

use std::num::ParseIntError;

use sse_client::EventSource;

/// Follows the server at a URL and prints its events. At the goodbye of the server the client
/// closes itself: otherwise it would connect again.
pub fn follow(
    url: impl AsRef<str>,
    print: impl Fn(String) + Clone + Send + 'static,
) -> EventSource {
    let source = EventSource::get(url);
    let handle = source.handle();
    for counter in ["ops", "cycles"] {
        let print = print.clone();
        handle.on_event(counter, move |event| {
            print(format!("Metric {}: {}", event.event, event.data));
        });
    }
    let print_sum = print.clone();
    handle.on_message(move |event| {
        print_sum(match sum(&event.data) {
            Ok(sum) => format!("Sum of random numbers: {sum}"),
            Err(error) => format!("Not numbers: {:?}: {error}", event.data),
        });
    });
    let print_gap = print.clone();
    // The server has been restarted, perhaps, or the client was away for too long.
    handle.on_event("gap", move |_| {
        print_gap("Something was missed!".to_owned());
    });
    let closing = handle.clone();
    handle.on_event("close", move |_| {
        print("Server closed!".to_owned());
        closing.close();
    });
    source
}

/// Adds up numbers, each on a line. Not even 2^64 of them overflow.
fn sum(lines: &str) -> Result<u128, ParseIntError> {
    let numbers = lines.lines().map(str::parse::<u64>);
    numbers.map(|number| number.map(u128::from)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_larger_than_their_numbers() {
        let most = u64::MAX;
        for (lines, expected) in [
            ("1".to_owned(), Some(1)),
            ("1\n2\n3".to_owned(), Some(6)),
            (format!("{most}\n{most}"), Some(2 * u128::from(most))),
            (format!("{most}0"), None),
            ("1\n\n2".to_owned(), None),
            ("one".to_owned(), None),
        ] {
            assert_eq!(sum(&lines).ok(), expected, "{lines:?}");
        }
    }
}
