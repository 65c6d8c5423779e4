//! The server: two topics, counters, and an announced end.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{RawQuery, State},
    http::{StatusCode, header::CONTENT_TYPE},
    response::IntoResponse,
    routing::{get, post},
};
use serde_json::{Map, Value};
use sse_axum::{
    EventType, Hub, Joe, LastEventId, Message, PublishError, Sse, SseError, Subscription, Topics,
    ValidReplayer,
};
use tokio::{sync::Notify, time};

use crate::Counter;

/// The topic of random numbers: a few in each event, each on a line.
pub const NUMBERS: &str = "numbers";

/// The topic of the counters.
pub const METRICS: &str = "metrics";

/// The type of the last event that everyone gets. It has data, or no client would dispatch it.
pub const CLOSE: EventType = EventType::from_static("close");

/// The time for which a client may be away without missing anything.
const HISTORY: Duration = Duration::from_secs(5 * 60);

/// The state that the handlers share. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Server {
    /// The hub to which everything is published.
    pub hub: Hub,
    /// Counts every 2 s.
    pub ops: Arc<Counter>,
    /// Counts every 500 ms.
    pub cycles: Arc<Counter>,
    stop: Arc<Notify>,
}

impl Default for Server {
    fn default() -> Self {
        Self::new()
    }
}

impl Server {
    /// Creates a server whose counters are at 0.
    pub fn new() -> Self {
        Self {
            hub: Hub::new(Joe::builder().replayer(ValidReplayer::new(HISTORY)).build()),
            ops: Arc::new(Counter::new("ops")),
            cycles: Arc::new(Counter::new("cycles")),
            stop: Arc::default(),
        }
    }

    /// Returns its routes.
    pub fn app(&self) -> Router {
        Router::new()
            .route("/", get(snapshot))
            .route("/events", get(events))
            // Not with GET: a link must not stop a server.
            .route("/stop", post(stop))
            .with_state(self.clone())
    }

    /// Counts and publishes until the hub is shut down.
    pub async fn publish(self) {
        tokio::select! {
            () = self.hub.closed() => {}
            // An error is the end of the hub, too.
            _ = count(&self.hub, &self.ops, Duration::from_secs(2)) => {}
            _ = count(&self.hub, &self.cycles, Duration::from_millis(500)) => {}
            _ = publish_random_numbers(&self.hub) => {}
        }
    }

    /// Waits for a signal or for `/stop`, says goodbye to everyone and shuts down: for the graceful
    /// shutdown of axum.
    pub fn shutdown_on<T: Send>(
        &self,
        signal: impl Future<Output = T> + Send + 'static,
    ) -> impl Future<Output = ()> + Send + 'static {
        let Self { hub, stop, .. } = self.clone();
        self.hub.shutdown_on(async move {
            tokio::select! {
                _ = signal => {}
                () = stop.notified() => {}
            }
            // Everyone has the default topic. Messages from before the shutdown still arrive.
            let goodbye = Message::data("bye").event(CLOSE);
            if let Err(error) = hub.publish(goodbye, Topics::default()).await {
                eprintln!("no goodbye: {error}");
            }
        })
    }
}

/// Publishes numbers in one event, each on a line.
pub async fn publish_numbers(hub: &Hub, numbers: &[u64]) -> Result<(), PublishError> {
    let lines: Vec<String> = numbers.iter().map(u64::to_string).collect();
    hub.publish(Message::data(lines.join("\n")), NUMBERS)
        .await?;
    Ok(())
}

/// Streams the topics in the query, or both.
async fn events(
    State(server): State<Server>,
    LastEventId(last): LastEventId,
    RawQuery(query): RawQuery,
) -> axum::response::Result<Sse> {
    let topics = topics(query.as_deref())?;
    let subscription = Subscription::to(topics).resume_from(last);
    let body = server.hub.subscribe(subscription).await;
    Ok(Sse(body.map_err(SseError::from)?))
}

/// Returns the topics that a query names, if there are such topics, and the default topic, which
/// everyone gets.
fn topics(query: Option<&str>) -> Result<Topics, (StatusCode, String)> {
    let named = Topics::from_query(query);
    if named == Topics::default() {
        return Ok(Topics::from([NUMBERS, METRICS, Topics::DEFAULT]));
    }
    match named
        .iter()
        .find(|topic| ![NUMBERS, METRICS].contains(topic))
    {
        Some(topic) => Err((
            StatusCode::BAD_REQUEST,
            format!("there is no topic {topic:?}; there are {NUMBERS} and {METRICS}\n"),
        )),
        None => Ok(named.iter().chain([Topics::DEFAULT]).collect()),
    }
}

/// Shows the current values of the counters.
async fn snapshot(State(server): State<Server>) -> impl IntoResponse {
    let counters = [&server.ops, &server.cycles];
    let object: Map<String, Value> = counters
        .map(|counter| (counter.name().to_owned(), counter.value().into()))
        .into_iter()
        .collect();
    let text = format!("{:#}\n", Value::Object(object));
    ([(CONTENT_TYPE, "application/json")], text)
}

async fn stop(State(server): State<Server>) -> &'static str {
    server.stop.notify_one();
    "stopping\n"
}

async fn count(hub: &Hub, counter: &Counter, every: Duration) -> Result<(), PublishError> {
    let mut ticks = time::interval(every);
    loop {
        ticks.tick().await;
        counter.publish_next(hub).await?;
    }
}

/// Publishes one to five numbers every two to three seconds.
async fn publish_random_numbers(hub: &Hub) -> Result<(), PublishError> {
    loop {
        time::sleep(Duration::from_millis(fastrand::u64(2_000..=3_000))).await;
        let count = fastrand::usize(1..=5);
        let numbers: Vec<u64> = (0..count).map(|_| fastrand::u64(..)).collect();
        publish_numbers(hub, &numbers).await?;
    }
}
