//! The example app on poem. Copy it and `examples/page` out and go on from there.
//!
//! ```text
//! cargo run --release -p example-poem
//! curl -N 'http://127.0.0.1:3000/events?topic=news'
//! curl -d 'hello' 'http://127.0.0.1:3000/publish?topic=news'
//! ```

mod acceptor;

use std::{error::Error, time::Duration};

use poem::{
    Body, Endpoint, EndpointExt, IntoResponse, Response, Route, Server, get, handler,
    http::{StatusCode, Uri},
    listener::TcpAcceptor,
    post,
    web::{Data, Html, Json},
};
use serde_json::json;
use socket2::SockRef;
use sse_poem::{
    FiniteReplayer, Hub, Joe, LastEventId, Sse, SseError, Subscription, Topics,
    sse_core::response::Post,
};

use crate::acceptor::PatientAcceptor;

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
    let acceptor = PatientAcceptor(TcpAcceptor::from_tokio(listener)?);
    Server::new_with_acceptor(acceptor)
        // Or a single connection of HTTP/2 may open any number of streams.
        .http2_max_concurrent_streams(200)
        .run_with_graceful_shutdown(app(hub.clone()), hub.shutdown_on_signals(), Some(GRACE))
        .await?;
    Ok(())
}

fn app(hub: Hub) -> impl Endpoint + 'static {
    Route::new()
        .at("/", get(page))
        .at("/events", get(events))
        .at("/publish", post(publish))
        .data(hub)
}

#[handler]
fn page() -> Html<&'static str> {
    Html(example_page::PAGE)
}

/// Streams the topics in the query, from where the client was. Anyone may read anything here.
#[handler]
async fn events(
    Data(hub): Data<&Hub>,
    LastEventId(last): LastEventId,
    uri: &Uri,
) -> Result<Sse, SseError> {
    let topics = Topics::from_query(uri.query());
    let subscription = Subscription::to(topics).resume_from(last);
    Ok(Sse(hub.subscribe(subscription).await?))
}

/// Publishes the body, from anyone. A real application checks who may publish, and `Origin` and
/// `Host` as well: against posts from the pages of other sites and against DNS rebinding.
#[handler]
async fn publish(Data(hub): Data<&Hub>, uri: &Uri, data: Body) -> poem::Result<Response> {
    let data = data.into_bytes_limit(MOST_DATA).await?;
    let post = Post::from_request(uri.query(), &data).map_err(SseError::from)?;
    let published = hub.publish(post.message, post.topics).await;
    let id = published.map_err(SseError::from)?.id.map(String::from);
    let answer = Json(json!({ "id": id })).with_status(StatusCode::ACCEPTED);
    Ok(answer.into_response())
}
