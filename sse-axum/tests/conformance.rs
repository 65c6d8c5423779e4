//! axum against the adapter suite.

use std::net::TcpListener;

use axum::{
    Router,
    body::Body,
    extract::{RawQuery, State},
    http::{
        StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE},
    },
    routing::get,
    serve::ListenerExt,
};
use futures_util::stream;
use sse_axum::{
    Hub, LastEventId, Message, ResumeFrom, Sse, SseBody, SseError, SseHeadersLayer, Subscription,
    Topics, events,
};
use sse_conformance::adapter::{CHANNEL_KEEP_ALIVE, Stop, Subject, panicking, produce};
use tower_http::compression::CompressionLayer;

sse_conformance::adapter_suite!(SUBJECT);

/// For a handler whose error is any error.
const _: fn(SseError) -> Box<dyn std::error::Error + Send + Sync> = |error| error.into();

const SUBJECT: Subject = Subject {
    serve,
    sees_non_utf8_headers: true,
    cuts_off_panics: true,
};

async fn topics_from_query(
    State(hub): State<Hub>,
    LastEventId(last): LastEventId,
    RawQuery(query): RawQuery,
) -> Result<Sse, SseError> {
    let topics = Topics::from_query(query.as_deref());
    let subscription = Subscription::to(topics).resume_from(last);
    Ok(Sse(hub.subscribe(subscription).await?))
}

async fn refused_by_status(
    State(hub): State<Hub>,
    LastEventId(last): LastEventId,
) -> Result<Sse, SseError> {
    let subscription = Subscription::to(()).resume_from(last);
    let subscribed = hub.subscribe(subscription).await;
    Ok(Sse(subscribed.map_err(SseError::with_status)?))
}

async fn stream_of_its_own() -> Sse {
    Sse(SseBody::stream(stream::iter(
        ["0", "1", "2"].map(Message::data),
    )))
}

async fn channel(State(hub): State<Hub>) -> Sse {
    let (sender, body) = SseBody::channel(2);
    tokio::spawn(produce(sender));
    Sse(body.keep_alive(CHANNEL_KEEP_ALIVE).until(hub.closed()))
}

async fn greeted(State(hub): State<Hub>) -> Result<Sse, SseError> {
    hub.publish(Message::data("hello"), ()).await?;
    let everything = Subscription::default().resume_from(ResumeFrom::Earliest);
    Ok(Sse(hub.subscribe(everything).await?))
}

fn app(hub: Hub) -> Router {
    let own = Router::new()
        .route("/own", get(|| async { Body::from("data: own\n\n") }))
        .route(
            "/own/refused",
            get(|| async { (StatusCode::FORBIDDEN, Body::from("no")) }),
        )
        .route(
            "/own/cached",
            get(|| async { ([(CACHE_CONTROL, "no-store")], Body::from("data: own\n\n")) }),
        )
        .route(
            "/plain",
            get(|| async { ([(CONTENT_TYPE, "text/plain")], "plain") }),
        )
        .layer(SseHeadersLayer);
    Router::new()
        .route("/events", get(topics_from_query))
        .route("/status", get(refused_by_status))
        .route("/news", get(events(hub.clone(), "news")))
        .route("/stream", get(stream_of_its_own))
        .route("/channel", get(channel))
        .route(
            "/panic",
            get(|| async { Sse(SseBody::stream(panicking())) }),
        )
        .route("/greeted", get(greeted))
        .route(
            "/compressed",
            get(events(hub.clone(), ())).layer(CompressionLayer::new()),
        )
        .merge(own)
        .with_state(hub)
}

fn serve(listener: TcpListener, hub: Hub, stop: Stop) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        listener.set_nonblocking(true).unwrap();
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        let listener = listener.tap_io(|tcp| _ = tcp.set_nodelay(true));
        let stopped = hub.shutdown_on(stop);
        axum::serve(listener, app(hub))
            .with_graceful_shutdown(stopped)
            .await
            .unwrap();
    });
}
