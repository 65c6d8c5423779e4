//! poem against the adapter suite.

use std::net::TcpListener;

use futures_util::stream;
use poem::{
    Body, Endpoint, EndpointExt, IntoResponse, Response, Route, Server, get, handler,
    http::{StatusCode, Uri, header::CACHE_CONTROL},
    listener::TcpAcceptor,
    middleware::Compression,
    web::Data,
};
use socket2::SockRef;
use sse_conformance::adapter::{CHANNEL_KEEP_ALIVE, Stop, Subject, panicking, produce};
use sse_poem::{
    ExceptStreams, Hub, LastEventId, Message, ResumeFrom, Sse, SseBody, SseError, SseHeaders,
    Subscription, Topics, events,
};

sse_conformance::adapter_suite!(SUBJECT);

/// For a handler whose error is any error.
const _: fn(SseError) -> Box<dyn std::error::Error + Send + Sync> = |error| error.into();

const SUBJECT: Subject = Subject {
    serve,
    sees_non_utf8_headers: true,
    cuts_off_panics: true,
};

#[handler]
async fn topics_from_query(
    Data(hub): Data<&Hub>,
    LastEventId(last): LastEventId,
    uri: &Uri,
) -> Result<Sse, SseError> {
    let topics = Topics::from_query(uri.query());
    let subscription = Subscription::to(topics).resume_from(last);
    Ok(Sse(hub.subscribe(subscription).await?))
}

#[handler]
async fn refused_by_status(
    Data(hub): Data<&Hub>,
    LastEventId(last): LastEventId,
) -> Result<Sse, SseError> {
    let subscription = Subscription::to(()).resume_from(last);
    let subscribed = hub.subscribe(subscription).await;
    Ok(Sse(subscribed.map_err(SseError::with_status)?))
}

#[handler]
fn stream_of_its_own() -> Sse {
    Sse(SseBody::stream(stream::iter(
        ["0", "1", "2"].map(Message::data),
    )))
}

#[handler]
fn panics() -> Sse {
    Sse(SseBody::stream(panicking()))
}

#[handler]
fn channel(Data(hub): Data<&Hub>) -> Sse {
    let (sender, body) = SseBody::channel(2);
    tokio::spawn(produce(sender));
    Sse(body.keep_alive(CHANNEL_KEEP_ALIVE).until(hub.closed()))
}

#[handler]
async fn greeted(Data(hub): Data<&Hub>) -> Result<Sse, SseError> {
    hub.publish(Message::data("hello"), ()).await?;
    let everything = Subscription::default().resume_from(ResumeFrom::Earliest);
    Ok(Sse(hub.subscribe(everything).await?))
}

#[handler]
fn own() -> Body {
    "data: own\n\n".into()
}

#[handler]
fn own_refused() -> Response {
    Body::from("no")
        .with_status(StatusCode::FORBIDDEN)
        .into_response()
}

#[handler]
fn own_cached() -> Response {
    Body::from("data: own\n\n")
        .with_header(CACHE_CONTROL, "no-store")
        .into_response()
}

#[handler]
fn plain() -> &'static str {
    "plain"
}

fn app(hub: Hub) -> impl Endpoint + 'static {
    Route::new()
        .at("/events", get(topics_from_query))
        .at("/status", get(refused_by_status))
        .at("/news", get(events(hub.clone(), "news")))
        .at("/stream", get(stream_of_its_own))
        .at("/channel", get(channel))
        .at("/panic", get(panics))
        .at("/greeted", get(greeted))
        .at(
            "/compressed",
            get(events(hub.clone(), ())).with(ExceptStreams(Compression::new())),
        )
        .at("/own", get(own).with(SseHeaders))
        .at("/own/refused", get(own_refused).with(SseHeaders))
        .at("/own/cached", get(own_cached).with(SseHeaders))
        .at("/plain", get(plain).with(SseHeaders))
        .data(hub)
}

fn serve(listener: TcpListener, hub: Hub, stop: Stop) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        listener.set_nonblocking(true).unwrap();
        SockRef::from(&listener).set_tcp_nodelay(true).unwrap();
        let acceptor = TcpAcceptor::from_std(listener).unwrap();
        let stopped = hub.shutdown_on(stop);
        Server::new_with_acceptor(acceptor)
            .run_with_graceful_shutdown(app(hub), stopped, None)
            .await
            .unwrap();
    });
}
