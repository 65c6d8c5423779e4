//! The example app on warp. Copy it and `examples/page` out and go on from there.
//!
//! ```text
//! cargo run --release -p example-warp
//! curl -N 'http://127.0.0.1:3000/events?topic=news'
//! curl -d 'hello' 'http://127.0.0.1:3000/publish?topic=news'
//! ```

use std::{error::Error, pin::pin, time::Duration};

use bytes::{Buf, BufMut};
use futures_util::{Stream, StreamExt};
use serde_json::json;
use socket2::SockRef;
use sse_warp::{
    FiniteReplayer, Hub, Joe, LastEventId, PublishError, Sse, SseError, Subscription, Topics,
    last_event_id, sse_core::response::Post,
};
use warp::{Filter, Reply, http::StatusCode, reply};

/// The time for which clients that do not read, or that never finish a request, may hold up the end
/// of the process.
const GRACE: Duration = Duration::from_secs(1);

/// The most bytes that may be posted; the hub takes fewer, and says so.
const MOST_DATA: usize = 2 << 20;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let joe = Joe::builder().replayer(FiniteReplayer::new(1_000));
    let hub = Hub::new(joe.max_subscribers(example_page::MOST_CLIENTS).build());
    tokio::spawn(example_page::publish_the_time(hub.clone()));

    let listener = example_page::listen().await?;
    println!("listening on http://{}", listener.local_addr()?);
    // Connections inherit it. Without it a small message waits until the client has acknowledged
    // the one before.
    SockRef::from(&listener).set_tcp_nodelay(true)?;
    let server = warp::serve(app(hub.clone()))
        .incoming(listener)
        .graceful(hub.shutdown_on_signals())
        .run();
    tokio::select! {
        () = server => {}
        () = hub.closed_for(GRACE) => {}
    }
    Ok(())
}

fn app(hub: Hub) -> impl Filter<Extract = (impl Reply,), Error = warp::Rejection> + Clone {
    let with_hub = warp::any().map(move || hub.clone());
    let query = warp::query::raw().or(warp::any().map(String::new)).unify();
    let get = warp::get().or(warp::head()).unify();

    let page = warp::path::end()
        .and(get)
        .map(|| reply::html(example_page::PAGE));
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

/// Streams the topics in the query, from where the client was. Anyone may read anything here.
async fn events(hub: Hub, LastEventId(last): LastEventId, query: String) -> Result<Sse, SseError> {
    let topics = Topics::from_query(Some(&query));
    let subscription = Subscription::to(topics).resume_from(last);
    Ok(Sse(hub.subscribe(subscription).await?))
}

/// Publishes the body, from anyone. A real application checks who may publish, and `Origin` and
/// `Host` as well: against posts from the pages of other sites and against DNS rebinding.
async fn publish(
    hub: Hub,
    query: String,
    body: impl Stream<Item = Result<impl Buf, warp::Error>>,
) -> Result<impl Reply, SseError> {
    let data = read(body).await?;
    let Post { message, topics } = Post::from_request(Some(&query), &data)?;
    let published = hub.publish(message, topics).await?;
    let json = reply::json(&json!({ "id": published.id.map(String::from) }));
    Ok(reply::with_status(json, StatusCode::ACCEPTED))
}

/// Reads the whole body. warp's `content_length_limit` would refuse clients that send it in chunks.
async fn read(
    body: impl Stream<Item = Result<impl Buf, warp::Error>>,
) -> Result<Vec<u8>, PublishError> {
    let mut body = pin!(body);
    let mut data = Vec::new();
    while let Some(piece) = body.next().await {
        data.put(piece.map_err(|error| PublishError::Provider(error.into()))?);
        let (size, limit) = (data.len(), MOST_DATA);
        if size > limit {
            return Err(PublishError::TooLarge { size, limit });
        }
    }
    Ok(data)
}
