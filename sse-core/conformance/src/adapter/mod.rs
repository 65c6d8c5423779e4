//! The contract of an adapter, over real TCP.

#![expect(missing_docs, reason = "a case is its name")]

mod client;
mod delivery;
mod http2;
mod lifetime;
mod panicking;
mod response;
mod resume;
mod server;

use std::{
    future::Future,
    net::TcpListener,
    pin::Pin,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use sse_core::{Hub, Message, channel::Sender};

pub use self::{
    client::{Body, Client, Piece, Response},
    delivery::*,
    http2::*,
    lifetime::*,
    panicking::*,
    response::*,
    resume::*,
    server::Server,
};
use crate::cases::block_on;

/// The future that ends when the server is to stop.
pub type Stop = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The adapter that the suite is run on.
#[derive(Clone, Copy, Debug)]
pub struct Subject {
    /// Serves the app below on a listener until told to stop, then shuts down gracefully and
    /// returns. Called on its own thread, without a runtime; clients connect once it polls its
    /// [`Stop`].
    ///
    /// Tie the hub to the server's shutdown in the way the adapter recommends. The app:
    ///
    /// | route | what it does |
    /// |---|---|
    /// | `GET /events?topic=..` | `LastEventId` and `Sse`, topics from the query |
    /// | `GET /status` | the default topic; a refusal is a status: `SseError::with_status` |
    /// | `GET /news` | the ready-made `events(hub, "news")` |
    /// | `GET /stream` | `SseBody::stream` of three messages `0`, `1`, `2` |
    /// | `GET /channel` | `SseBody::channel` with [`CHANNEL_KEEP_ALIVE`]; [`produce`] writes to it, [`Hub::closed`] ends it |
    /// | `GET /panic` | `SseBody::stream` of [`panicking`], which panics after two messages |
    /// | `GET /greeted` | publishes `hello` to the default topic, then `Sse` of the default topic from [`ResumeFrom::Earliest`](sse_core::ResumeFrom::Earliest); `?` for both |
    /// | `GET /own` | writes `data: own\n\n` itself, under the header middleware |
    /// | `GET /own/cached` | the same with its own `cache-control: no-store`, under the header middleware |
    /// | `GET /own/refused` | status 403 and `no` without a media type, under the header middleware |
    /// | `GET /compressed` | the default topic, as `/events`, under the framework's compression middleware if it has one |
    /// | `GET /plain` | text/plain `plain` under the header middleware |
    ///
    /// It answers HTTP/1 and, without TLS, HTTP/2.
    pub serve: fn(TcpListener, Hub, Stop),
    /// True if the framework hands on a header that is not UTF-8. If it drops it, its client is one
    /// without an id.
    pub sees_non_utf8_headers: bool,
    /// True if the framework cuts off a body that panics; others end it as if it were whole.
    pub cuts_off_panics: bool,
}

/// Runs one case.
#[doc(hidden)]
pub fn run<F: Future<Output = ()>>(case: fn(Subject) -> F, subject: Subject) {
    block_on(case(subject));
}

/// Runs every adapter case on a [`Subject`](crate::adapter::Subject).
#[macro_export]
macro_rules! adapter_suite {
    ($subject:expr) => {
        $crate::cases!(
            adapter,
            $subject,
            [
                status_and_headers_are_exact,
                head_and_a_first_byte_come_before_any_message,
                bytes_are_exact,
                a_large_message_arrives_whole,
                messages_arrive_one_by_one,
                messages_arrive_one_by_one_under_a_compressor,
                head_is_answered_with_headers_only,
                http_1_0_gets_a_plain_body,
                too_many_topics_are_a_bad_request,
                a_long_topic_is_a_bad_request,
                a_full_house_is_survived_by_a_browser_or_503,
                a_reload_in_a_full_house_finds_its_own_place,
                a_client_that_does_not_read_loses_its_place,
                a_handler_publishes_and_subscribes,
                a_refused_publish_is_answered_with_its_status_and_a_text_for_everyone,
                middleware_gives_a_handwritten_stream_its_headers,
                middleware_keeps_what_the_handler_set,
                middleware_leaves_other_responses_alone,
                topics_are_honoured,
                several_topics_deliver_once,
                the_ready_made_handler_streams_its_topics,
                a_publish_right_after_the_head_is_received,
                one_client_that_never_reads_delays_nobody,
                five_hundred_clients_get_everything_in_order,
                a_stream_of_its_own_ends_with_its_messages,
                a_channel_delivers_and_learns_that_the_client_left,
                a_channel_ends_when_the_hub_is_closed,
                history_joins_live_over_the_wire,
                a_client_cut_off_before_its_first_message_misses_nothing,
                an_up_to_date_client_is_not_sent_anything_again,
                an_unknown_last_event_id_is_told_in_band,
                an_empty_last_event_id_is_none,
                a_non_utf8_last_event_id_is_a_gap_if_it_is_seen,
                an_over_long_last_event_id_is_a_gap,
                a_last_event_id_is_utf8_bytes,
                the_query_resumes_and_the_header_wins,
                a_gap_that_is_refused_is_survived_by_a_browser_or_412,
                keep_alive_is_on_by_default,
                keep_alive_is_a_comment_line_without_a_blank_line,
                keep_alive_is_reset_by_traffic,
                a_leaving_client_is_unsubscribed,
                a_thousand_clients_that_vanish_are_unsubscribed,
                shutdown_ends_bodies_cleanly_and_refuses_new_ones,
                shutdown_spreads_the_clients_that_will_reconnect,
                the_server_stops_gracefully_with_open_streams,
                a_stream_whose_producer_panics_is_cut_off_alone,
                over_http2_status_and_headers_are_the_same,
                over_http2_a_stream_of_its_own_ends_with_its_messages,
                over_http2_fifty_streams_share_a_connection,
                over_http2_a_thousand_messages_pass_a_small_window_in_order,
                over_http2_a_stream_that_is_not_read_delays_no_other,
                over_http2_a_stream_that_is_reset_is_unsubscribed_alone,
                over_http2_a_lost_connection_unsubscribes_its_streams,
                over_http2_a_stream_whose_producer_panics_is_reset_alone,
                over_http2_the_server_stops_with_open_streams_and_an_idle_connection,
            ]
        );
    };
}

/// The keep-alive of the app's `/channel`.
pub const CHANNEL_KEEP_ALIVE: Duration = Duration::from_millis(100);

/// The producer of the app's `/channel`: writes `0`, `1`, `2`, then waits until the
/// client is gone.
pub async fn produce(sender: Sender) {
    for n in 0..3 {
        if sender.send(Message::data(n.to_string())).await.is_err() {
            return;
        }
    }
    PRODUCERS.fetch_add(1, Ordering::SeqCst);
    sender.closed().await;
    PRODUCERS.fetch_sub(1, Ordering::SeqCst);
}

/// The number of [`produce`] that are waiting in this process.
static PRODUCERS: AtomicUsize = AtomicUsize::new(0);

/// Cases with producers count them, so they do not run at the same time.
static PRODUCER_CASES: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
