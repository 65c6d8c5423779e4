//! The waits before further attempts, and giving up. Time is paused, so that the waits are exact.

use std::time::{Duration, SystemTime};

use sse_client::{Backoff, Closed, Error, EventSource, Report, Update};
use sse_conformance::in_time;

use super::{
    log::{closed, follow, get, log, next, quick},
    memory::{
        Answer::{self, Refused, Status},
        Memory, Part,
    },
    scripted::{Script, Server},
};

fn stream(bytes: &'static str) -> Answer {
    Answer::Stream(vec![Part::Bytes(bytes)])
}

/// A stream that shows by a comment how long it lasts, and is cut.
fn lasting(seconds: u64) -> Answer {
    let wait = Part::Wait(Duration::from_secs(seconds));
    Answer::Stream(vec![wait, Part::Bytes(": alive\n"), Part::Lost])
}

/// An event, and then the connection is lost.
fn cut() -> Answer {
    Answer::Stream(vec![Part::Bytes("data: a\n\n"), Part::Lost])
}

fn retry_after(status: u16, value: impl Into<String>) -> Answer {
    Status(status, "retry-after", value.into())
}

/// The defaults without jitter.
fn plain() -> Backoff {
    Backoff::default().jitter(0.0)
}

/// Returns the times of the requests, in milliseconds.
async fn times(answers: impl IntoIterator<Item = Answer>, backoff: Backoff) -> Vec<u128> {
    let memory = Memory::new(answers);
    log(&mut memory.source().backoff(backoff)).await;
    memory.times()
}

#[tokio::test(start_paused = true)]
async fn by_default_waits_are_3_seconds_doubled_each_time_up_to_a_minute() {
    let times = times((0..7).map(|_| Refused), plain()).await;
    let waits: Vec<_> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert_eq!(
        waits,
        [3_000, 6_000, 12_000, 24_000, 48_000, 60_000, 60_000]
    );
}

#[tokio::test(start_paused = true)]
async fn by_default_the_jitter_adds_up_to_half_a_wait() {
    let mut seen = Vec::new();
    for _ in 0..100 {
        let times = times([Refused], Backoff::default()).await;
        seen.push(times[1]);
    }
    assert!(
        seen.iter().all(|wait| (3_000..=4_501).contains(wait)),
        "{seen:?}"
    );
    seen.sort_unstable();
    seen.dedup();
    assert!(seen.len() > 50, "as good as never the same twice: {seen:?}");
}

#[tokio::test(start_paused = true)]
async fn retry_after_in_seconds_is_waited_for() {
    for status in [429, 503] {
        let times = times([retry_after(status, "7"), Refused], quick()).await;
        assert_eq!(times, [0, 7_000, 7_040], "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn retry_after_does_not_shorten_a_wait() {
    let times = times([retry_after(503, "0"), retry_after(503, "1")], plain()).await;
    assert_eq!(times, [0, 3_000, 9_000]);
}

#[tokio::test(start_paused = true)]
async fn a_malformed_retry_after_changes_nothing() {
    for value in ["soon", "-1", "1.5", "", "99999999999999999999"] {
        assert_eq!(times([retry_after(503, value)], quick()).await, [0, 20]);
    }
}

#[tokio::test(start_paused = true)]
async fn retry_after_has_a_maximum() {
    let hour = 3_600_000;
    assert_eq!(times([retry_after(503, "86400")], plain()).await, [0, hour]);
    let day = plain().server_max(Duration::from_secs(86_400));
    assert_eq!(
        times([retry_after(503, "86400")], day).await,
        [0, 24 * hour]
    );
}

#[tokio::test(start_paused = true)]
async fn retry_after_as_a_date_is_waited_for() {
    let date = SystemTime::now() + Duration::from_secs(1_000);
    let date = httpdate::fmt_http_date(date);
    let times = times([retry_after(503, date)], quick()).await;
    // Dates have no fractions of a second, and the clock goes on meanwhile.
    assert!((900_000..=1_000_000).contains(&times[1]), "{times:?}");
}

#[tokio::test(start_paused = true)]
async fn retry_after_of_a_past_date_adds_no_wait() {
    let past = "Sun, 06 Nov 1994 08:49:37 GMT";
    assert_eq!(times([retry_after(503, past)], quick()).await, [0, 20]);
}

#[tokio::test]
async fn retry_after_is_reported_with_the_status_and_waited_for() {
    let busy = Script::status("429 Too Many Requests", &["Retry-After: 1"]);
    let server = Server::start([busy]).await;
    let mut source = get(server.url("/"));
    assert_eq!(next(&mut source).await, "connecting");
    let update = in_time("the answer", source.next()).await;
    let Some(Update::Connecting(connecting)) = update else {
        panic!("{update:?}");
    };
    let second = Duration::from_secs(1);
    assert_eq!(connecting.wait, second);
    assert_eq!(connecting.failures, 1);
    assert!(
        matches!(
            &connecting.error,
            Some(Error::Refused(refused))
                if refused.status == 429 && refused.retry_after == Some(second)
        ),
        "{connecting:?}"
    );
    assert_eq!(next(&mut source).await, "stopped");
    let requests = server.requests();
    assert!(requests[1].at >= requests[0].at + second, "{requests:?}");
}

#[tokio::test(start_paused = true)]
async fn the_wait_that_the_server_sets_is_kept_over_connections_and_failures() {
    let answers = [
        stream("retry: 500\ndata: a\n\n"),
        Refused,
        Refused,
        stream("data: a\n\n"),
        stream("retry: 300\n\ndata: a\n\n"),
    ];
    let times = times(answers, plain()).await;
    // 500, then twice that twice; a healthy connection begins again with 500; 300 from then on.
    assert_eq!(times, [0, 500, 1_500, 3_500, 4_000, 4_300]);
}

#[tokio::test(start_paused = true)]
async fn retry_0_does_not_make_it_spin() {
    let healthy = (0..3).map(|_| stream("retry: 0\ndata: a\n\n"));
    assert_eq!(times(healthy, plain()).await, [0, 100, 200, 300]);
    let empty = (0..3).map(|_| stream("retry: 0\n"));
    assert_eq!(times(empty, plain()).await, [0, 100, 300, 700]);
}

#[tokio::test(start_paused = true)]
async fn a_huge_retry_has_a_maximum() {
    let hour = 3_600_000;
    for value in ["retry: 999999999\n", "retry: 99999999999999999999999999\n"] {
        assert_eq!(times([stream(value)], plain()).await, [0, hour]);
    }
}

#[tokio::test(start_paused = true)]
async fn waits_grow_for_a_server_that_accepts_and_fails_at_once() {
    let answers = (0..4).map(|_| Answer::Stream(vec![Part::Lost]));
    assert_eq!(times(answers, quick()).await, [0, 20, 60, 140, 300]);
    let with_comment = || Answer::Stream(vec![Part::Bytes(": hello\n"), Part::Lost]);
    let answers = (0..4).map(|_| with_comment());
    assert_eq!(times(answers, quick()).await, [0, 20, 60, 140, 300]);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_gave_events_has_not_failed_however_it_ended() {
    assert_eq!(
        times((0..4).map(|_| cut()), quick()).await,
        [0, 20, 40, 60, 80]
    );
    let memory = Memory::new((0..4).map(|_| cut()));
    let log = log(&mut memory.source().backoff(quick().max_retries(1))).await;
    assert_eq!(log.iter().filter(|line| line.starts_with('[')).count(), 4);
    assert_eq!(log.last().unwrap(), "stopped");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_never_sends_a_byte_is_not_healthy_however_long_it_lasts() {
    let silent = || Answer::Stream(vec![Part::Wait(Duration::from_secs(3_600)), Part::Lost]);
    let memory = Memory::new((0..9).map(|_| silent()));
    let log = log(&mut memory.source().backoff(quick().max_retries(2))).await;
    assert_eq!(log.last().unwrap(), "gave up after 3: lost");
    let memory = Memory::new((0..9).map(|_| silent()));
    let most = quick().max_elapsed(Duration::from_secs(5_000));
    let log = super::log::log(&mut memory.source().backoff(most)).await;
    assert_eq!(log.last().unwrap(), "gave up after 3: lost");
}

#[tokio::test(start_paused = true)]
async fn a_healthy_connection_is_no_failed_attempt() {
    for (retries, expected) in [
        (
            0,
            "gave up after a connection that worked: the connection was lost",
        ),
        (1, "gave up after 1 failed attempt: cannot connect: refused"),
        (
            2,
            "gave up after 2 failed attempts: cannot connect: refused",
        ),
    ] {
        let memory = Memory::new([cut(), Refused, Refused]);
        let source = memory.source().backoff(quick().max_retries(retries));
        assert_eq!(Report::new(&closed(source).await).to_string(), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_lasted_ends_the_row_of_failures() {
    let answers = [Refused, Refused, lasting(10), Refused];
    let healthy = times(answers, quick()).await;
    assert_eq!(healthy, [0, 20, 60, 10_080, 10_120]);
    let answers = [Refused, Refused, lasting(9), Refused];
    assert_eq!(times(answers, quick()).await, [0, 20, 60, 9_140, 9_300]);
    let sooner = quick().healthy_after(Duration::from_secs(9));
    let answers = [Refused, Refused, lasting(9), Refused];
    assert_eq!(times(answers, sooner).await, [0, 20, 60, 9_080, 9_120]);
}

#[tokio::test(start_paused = true)]
async fn max_retries_count_in_a_row() {
    let answers = [Refused, stream("data: a\n\n"), Refused, Refused, Refused];
    let memory = Memory::new(answers);
    let mut source = memory.source().backoff(quick().max_retries(2));
    let log = log(&mut source).await;
    assert_eq!(log.last().unwrap(), "gave up after 2: no connection");
    assert_eq!(memory.times().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn no_wait_goes_beyond_max_elapsed() {
    let most = quick().max_elapsed(Duration::from_millis(150));
    let memory = Memory::new((0..9).map(|_| Refused));
    let log = log(&mut memory.source().backoff(most)).await;
    assert_eq!(log.last().unwrap(), "gave up after 4: no connection");
    assert_eq!(memory.times(), [0, 20, 60, 140]);
    assert_eq!(memory.now(), 140, "it gives up instead of waiting");
}

#[tokio::test(start_paused = true)]
async fn max_elapsed_counts_from_the_first_failure_in_a_row() {
    let most = quick().max_elapsed(Duration::from_millis(50));
    let answers = [Refused, lasting(60), Refused, Refused];
    let memory = Memory::new(answers);
    let log = log(&mut memory.source().backoff(most)).await;
    assert_eq!(log.last().unwrap(), "gave up after 1: no connection");
}

#[tokio::test(start_paused = true)]
async fn a_retry_after_longer_than_max_elapsed_is_not_waited_for() {
    let most = quick().max_elapsed(Duration::from_secs(5));
    let memory = Memory::new([retry_after(503, "6")]);
    let log = log(&mut memory.source().backoff(most)).await;
    assert_eq!(log.last().unwrap(), "gave up after 1: 503");
}

#[tokio::test]
async fn never_ends_with_the_first_connection() {
    let server = Server::start([Script::events("data: a\n\n")]).await;
    let mut source = EventSource::get(server.url("/")).backoff(Backoff::never());
    assert_eq!(
        follow(&mut source).await,
        [
            "connecting",
            "open",
            "[] message: a",
            "gave up after 0: ended"
        ]
    );
    let server = Server::start([Script::default().cut()]).await;
    let mut source = EventSource::get(server.url("/")).backoff(Backoff::never());
    assert_eq!(
        follow(&mut source).await,
        ["connecting", "gave up after 1: no connection"]
    );
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn giving_up_reports_the_number_of_attempts_and_the_reason() {
    let memory = Memory::new([Refused, Refused]);
    let source = memory.source().backoff(quick().max_retries(1));
    let closed = closed(source).await;
    assert!(matches!(closed, Closed::GaveUp { failures: 2, .. }));
    assert_eq!(
        Report::new(&closed).to_string(),
        "gave up after 2 failed attempts: cannot connect: refused"
    );
}

#[tokio::test(start_paused = true)]
async fn on_retry_is_called_before_each_wait_and_not_otherwise() {
    let memory = Memory::new([Refused, stream("data: a\n\n"), Refused]);
    let (sender, calls) = std::sync::mpsc::channel();
    let other = memory.clone();
    let mut source = memory.source().backoff(quick()).on_retry(move |next| {
        let call = (other.now(), next.wait.as_millis(), next.failures);
        sender.send(call).unwrap();
    });
    log(&mut source).await;
    let calls: Vec<_> = calls.try_iter().collect();
    assert_eq!(calls, [(0, 20, 1), (20, 20, 0), (40, 40, 1)]);
}
