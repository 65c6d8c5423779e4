//! The result of `sse bench`.

use std::{fmt::Write as _, time::Duration};

use serde::Serialize;
use tokio::time::Instant;

use super::{
    percentiles::Percentiles,
    tally::{Counts, Measure, Phase, Tally},
};

/// The result, as `--json` prints it. Times are milliseconds unless their name says seconds.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Summary {
    clients: u32,
    /// The number of clients that had a connection.
    pub(super) opened: u32,
    opening_seconds: f64,
    time_to_open_ms: Option<Percentiles>,
    /// The time during which events were counted.
    seconds: f64,
    events: u64,
    /// The bytes of data.
    bytes: u64,
    events_per_second: f64,
    /// The connections that were not made, or were lost.
    errors: u64,
    reconnects: u64,
    #[serde(flatten)]
    published: Option<Publishing>,
    latency_from: &'static str,
    latency_ms: Option<Percentiles>,
}

/// The additional fields with `--publish`.
#[derive(Clone, Copy, Debug, Serialize)]
struct Publishing {
    /// The rate in events per second that was asked for; a server that is slower gets fewer.
    publish_rate: f64,
    published: u64,
    publish_errors: u64,
    /// The events that should have arrived, but did not.
    missing: u64,
}

impl Summary {
    /// Sums up the tally so far. `publish_rate` is the rate that was asked for, if events were
    /// published.
    pub(super) fn of(tally: &Tally, publish_rate: Option<f64>) -> Self {
        let mut state = tally.lock();
        let now = Instant::now();
        let last_event = state.last_event;
        let (opening, measuring) = match state.phase {
            Phase::Opening { since } => (now - since, Duration::ZERO),
            Phase::Measuring { opening, since } => (opening, now - since),
            // The last events that were published may arrive later.
            Phase::Ended {
                opening,
                since,
                end,
            } => (opening, end.max(last_event) - since),
        };
        let Counts {
            opened,
            events,
            bytes,
            errors,
            reconnects,
            published,
            publish_errors,
            ..
        } = state.counts;
        let published = publish_rate.map(|publish_rate| Publishing {
            publish_rate,
            published,
            publish_errors,
            missing: state.counts.missing(),
        });
        Self {
            clients: tally.clients,
            opened,
            opening_seconds: opening.as_secs_f64(),
            time_to_open_ms: Percentiles::of(&state.opening),
            seconds: measuring.as_secs_f64(),
            events,
            bytes,
            events_per_second: rate(events, measuring),
            errors,
            reconnects,
            published,
            latency_from: match tally.measure {
                Measure::FromPublish => "publish",
                Measure::Spread => "first client",
            },
            latency_ms: Percentiles::of(state.look_back()),
        }
    }

    /// Returns `true` if nobody had a connection, or nothing could be published.
    pub(super) fn is_in_vain(&self) -> bool {
        let publishing = self.published;
        self.opened == 0 || publishing.is_some_and(|it| it.published == 0 && it.publish_errors > 0)
    }

    /// Returns the result as JSON, in one line.
    pub(super) fn to_json(self) -> String {
        // proof: there is no map whose keys could be anything but text
        let json = serde_json::to_string(&self).unwrap();
        json + "\n"
    }

    pub(super) fn to_text(self) -> String {
        let mut text = String::new();
        let mut row = |name: &str, value: String| {
            let _ = writeln!(text, "{name:<14}{value}");
        };
        let passed = Duration::from_secs_f64(self.seconds);
        let (opened, clients) = (grouped(self.opened.into()), grouped(self.clients.into()));
        row(
            "clients",
            format!(
                "{opened} of {clients} open after {:.2} s",
                self.opening_seconds
            ),
        );
        row(
            "events",
            format!(
                "{} in {:.2} s: {}",
                grouped(self.events),
                self.seconds,
                per_second(self.events, self.bytes, passed)
            ),
        );
        if let Some(publishing) = self.published {
            row("published", publishing.to_text(passed));
        }
        row(
            "errors",
            format!(
                "{}, {} reconnects",
                grouped(self.errors),
                grouped(self.reconnects)
            ),
        );
        let names = ["p50", "p90", "p99", "p99.9", "max"];
        row("", columns(names.map(str::to_owned)));
        for (name, times) in [
            ("time to open", self.time_to_open_ms),
            (self.latency_name(), self.latency_ms),
        ] {
            let times =
                times.map_or_else(|| "none".to_owned(), |times| columns(times.all().map(time)));
            row(name, times);
        }
        text
    }

    fn latency_name(&self) -> &'static str {
        if self.published.is_some() {
            "latency"
        } else {
            "behind first"
        }
    }
}

impl Publishing {
    fn to_text(self, passed: Duration) -> String {
        let counts = [self.published, self.publish_errors, self.missing];
        let [published, errors, missing] = counts.map(grouped);
        let (had, wanted) = (rate(self.published, passed), self.publish_rate);
        format!(
            "{published}, {had:.1} of {wanted} per second, {errors} failed; \
             {missing} events did not arrive"
        )
    }
}

/// Formats the rates of events and of bytes of data.
pub(super) fn per_second(events: u64, bytes: u64, passed: Duration) -> String {
    let megabytes = rate(bytes, passed) / 1e6;
    let bytes = if megabytes < 0.1 {
        format!("{:.1} kB/s", megabytes * 1e3)
    } else {
        format!("{megabytes:.1} MB/s")
    };
    let events = rate(events, passed);
    if events < 100.0 {
        return format!("{events:.1} events/s, {bytes}");
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a positive rate; one that does not fit is cut off"
    )]
    let events = grouped(events.round() as u64);
    format!("{events} events/s, {bytes}")
}

/// Formats a number with commas between thousands.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Formats milliseconds with two to four significant digits.
pub(super) fn time(millis: f64) -> String {
    match millis {
        0.0..10.0 => format!("{millis:.2} ms"),
        10.0..100.0 => format!("{millis:.1} ms"),
        100.0..10_000.0 => format!("{millis:.0} ms"),
        _ => format!("{:.1} s", millis / 1_000.0),
    }
}

fn columns(cells: [String; 5]) -> String {
    cells.map(|cell| format!("{cell:>10}")).concat()
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a rate is printed with a few digits"
)]
fn rate(count: u64, passed: Duration) -> f64 {
    if passed.is_zero() {
        return 0.0;
    }
    count as f64 / passed.as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_easy_to_read() {
        for (number, expected) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (12_345, "12,345"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(grouped(number), expected);
        }
        for (millis, expected) in [
            (0.0, "0.00 ms"),
            (9.876, "9.88 ms"),
            (12.34, "12.3 ms"),
            (1_234.5, "1234 ms"),
            (12_345.0, "12.3 s"),
        ] {
            assert_eq!(time(millis), expected);
        }
        let second = Duration::from_secs(1);
        assert_eq!(per_second(5, 1_500, second), "5.0 events/s, 1.5 kB/s");
        assert_eq!(
            per_second(12_345, 9_990_000, second),
            "12,345 events/s, 10.0 MB/s"
        );
        assert_eq!(per_second(5, 5, Duration::ZERO), "0.0 events/s, 0.0 kB/s");
    }
}
