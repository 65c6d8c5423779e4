//! The example app on warp. Copy it and the page out and go on from there.
//!
//! ```text
//! cargo run --release -p example-warp
//! curl -N 'http://127.0.0.1:3000/events?topic=news'
//! curl -d 'hello' 'http://127.0.0.1:3000/publish?topic=news'
//! ```

use std::{env, error::Error, pin::pin, str::Utf8Error, time::Duration};

use bytes::{Buf, BufMut};
use futures_util::{Stream, StreamExt};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;
use socket2::SockRef;
use sse_warp::{
    EventId, EventType, FiniteReplayer, Hub, Joe, LastEventId, Message, PublishError, Rejection,
    Sse, Subscription, Topics, last_event_id,
};
use tokio::{net::TcpListener, time};
use warp::{
    Filter, Reply,
    http::StatusCode,
    reply::{self, Response},
};

/// How long clients that do not read may hold up the end of the process.
const GRACE: Duration = Duration::from_secs(1);

/// How many bytes may be published; the hub takes less, and says so.
const MOST_DATA: usize = 2 << 20;

const CLOCK: EventType = EventType::from_static("clock");

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let hub = Hub::new(Joe::builder().replayer(FiniteReplayer::new(1_000)).build());
    tokio::spawn(publish_the_time(hub.clone()));

    let address = env::var("ADDR").unwrap_or_else(|_| "127.0.0.1:3000".to_owned());
    let listener = TcpListener::bind(&address).await.map_err(|error| {
        format!("cannot listen on {address}: {error}; set ADDR to another address")
    })?;
    // Connections inherit it. Without it a small message waits until the client has acknowledged
    // the one before.
    SockRef::from(&listener).set_tcp_nodelay(true)?;
    println!("listening on http://{}", listener.local_addr()?);

    let server = warp::serve(app(hub.clone()))
        .incoming(listener)
        .graceful(hub.shutdown_on(stop_signal()))
        .run();
    tokio::select! {
        () = server => {}
        () = async { hub.closed().await; time::sleep(GRACE).await } => {}
    }
    Ok(())
}

fn app(hub: Hub) -> impl Filter<Extract = (impl Reply,), Error = warp::Rejection> + Clone {
    let with_hub = warp::any().map(move || hub.clone());
    let query = warp::query::raw().or(warp::any().map(String::new)).unify();
    let get = warp::get().or(warp::head()).unify();

    let page = warp::path::end()
        .and(get)
        .map(|| reply::html(include_str!("../../page/index.html")));
    let events = warp::path!("events")
        .and(get)
        .and(with_hub.clone())
        .and(last_event_id())
        .and(query)
        .then(events);
    let publish = warp::path!("publish")
        .and(warp::post())
        .and(with_hub)
        .and(query)
        .and(warp::body::stream())
        .then(publish);
    page.or(events).or(publish)
}

/// The stream of the topics in the query, from where the client was. Anyone may read anything here.
async fn events(hub: Hub, LastEventId(last): LastEventId, query: String) -> Result<Sse, Rejection> {
    let topics = Topics::from_query(Some(&query));
    Ok(Sse::new(
        hub.subscribe(Subscription::to(topics).resume_from(last))
            .await?,
    ))
}

/// What the query of a publish may say beside its topics. The types refuse what would break a stream.
#[derive(Deserialize)]
struct Fields {
    id: Option<EventId>,
    event: Option<EventType>,
}

/// Publishes the body, from anyone. A real application checks who may publish, and `Origin` and
/// `Host` as well: against posts from the pages of other sites and against DNS rebinding.
async fn publish(
    hub: Hub,
    query: String,
    body: impl Stream<Item = Result<impl Buf, warp::Error>>,
) -> Result<impl Reply, Refused> {
    let fields: Fields = serde_urlencoded::from_str(&query)?;
    let data = read(body).await?;
    let mut message = Message::data(str::from_utf8(&data)?);
    if let Some(id) = fields.id {
        message = message.id(id);
    }
    if let Some(event) = fields.event {
        message = message.event(event);
    }
    let published = hub
        .publish(message, Topics::from_query(Some(&query)))
        .await?;
    let id = published.id.map(String::from);
    Ok(reply::with_status(
        reply::json(&json!({ "id": id })),
        StatusCode::ACCEPTED,
    ))
}

/// The whole body. warp's `content_length_limit` would refuse clients that send it in chunks.
async fn read(body: impl Stream<Item = Result<impl Buf, warp::Error>>) -> Result<Vec<u8>, Refused> {
    let mut body = pin!(body);
    let mut data = Vec::new();
    while let Some(piece) = body.next().await {
        data.put(piece?);
        if data.len() > MOST_DATA {
            let text = format!("more than {MOST_DATA} bytes; send less");
            return Err(Refused(StatusCode::PAYLOAD_TOO_LARGE, text));
        }
    }
    Ok(data)
}

/// Why nothing was published, as JSON.
struct Refused(StatusCode, String);

impl Reply for Refused {
    fn into_response(self) -> Response {
        reply::with_status(reply::json(&json!({ "error": self.1 })), self.0).into_response()
    }
}

impl From<serde_urlencoded::de::Error> for Refused {
    fn from(error: serde_urlencoded::de::Error) -> Self {
        Self(StatusCode::BAD_REQUEST, error.to_string())
    }
}

impl From<warp::Error> for Refused {
    fn from(error: warp::Error) -> Self {
        Self(StatusCode::BAD_REQUEST, error.to_string())
    }
}

impl From<Utf8Error> for Refused {
    fn from(error: Utf8Error) -> Self {
        let text = format!("the data has to be UTF-8: {error}");
        Self(StatusCode::BAD_REQUEST, text)
    }
}

impl From<PublishError> for Refused {
    fn from(error: PublishError) -> Self {
        let status =
            StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self(status, error.public_text())
    }
}

/// A message on topic `clock` every second, until the hub is shut down.
async fn publish_the_time(hub: Hub) {
    loop {
        // At the full second, so that none is shown twice or left out.
        let past = Timestamp::now().subsec_nanosecond().unsigned_abs();
        time::sleep(Duration::from_secs(1).saturating_sub(Duration::from_nanos(past.into()))).await;
        let now = Timestamp::now().strftime("%FT%TZ").to_string();
        let message = Message::data(now).event(CLOCK);
        if hub.publish(message, "clock").await.is_err() {
            return;
        }
    }
}

/// Ready at Ctrl-C or SIGTERM.
async fn stop_signal() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}
