//! warp against the adapter suite.

use std::net::TcpListener;

use futures_util::stream;
use socket2::SockRef;
use sse_conformance::adapter::{CHANNEL_KEEP_ALIVE, Stop, Subject, panicking, produce};
use sse_warp::{
    Hub, LastEventId, Message, ResumeFrom, Sse, SseBody, SseError, Subscription, Topics, events,
    last_event_id, sse_headers,
};
use warp::{
    Filter, Reply,
    http::{Response, StatusCode, header::CACHE_CONTROL},
};

sse_conformance::adapter_suite!(SUBJECT);

/// For a handler whose error is any error.
const _: fn(SseError) -> Box<dyn std::error::Error + Send + Sync> = |error| error.into();

const SUBJECT: Subject = Subject {
    serve,
    sees_non_utf8_headers: true,
    cuts_off_panics: true,
};

async fn topics_from_query(
    hub: Hub,
    LastEventId(last): LastEventId,
    query: String,
) -> Result<Sse, SseError> {
    let topics = Topics::from_query(Some(&query));
    let subscription = Subscription::to(topics).resume_from(last);
    Ok(Sse(hub.subscribe(subscription).await?))
}

async fn refused_by_status(hub: Hub, LastEventId(last): LastEventId) -> Result<Sse, SseError> {
    let subscription = Subscription::to(()).resume_from(last);
    let subscribed = hub.subscribe(subscription).await;
    Ok(Sse(subscribed.map_err(SseError::with_status)?))
}

async fn stream_of_its_own() -> Sse {
    Sse(SseBody::stream(stream::iter(
        ["0", "1", "2"].map(Message::data),
    )))
}

async fn channel(hub: Hub) -> Sse {
    let (sender, body) = SseBody::channel(2);
    tokio::spawn(produce(sender));
    Sse(body.keep_alive(CHANNEL_KEEP_ALIVE).until(hub.closed()))
}

async fn greeted(hub: Hub) -> Result<Sse, SseError> {
    hub.publish(Message::data("hello"), ()).await?;
    let everything = Subscription::default().resume_from(ResumeFrom::Earliest);
    Ok(Sse(hub.subscribe(everything).await?))
}

fn own_refused() -> impl Reply {
    Response::builder().status(StatusCode::FORBIDDEN).body("no")
}

fn own_cached() -> impl Reply {
    let response = Response::builder().header(CACHE_CONTROL, "no-store");
    response.body("data: own\n\n")
}

fn app(hub: Hub) -> impl Filter<Extract = (impl Reply,), Error = warp::Rejection> + Clone {
    let ready_made = warp::path!("news").and(events(hub.clone(), "news"));
    // warp's compressors compress everything they wrap, so an event stream stays outside of them.
    let uncompressed = warp::path!("compressed").and(events(hub.clone(), ()));
    let with_hub = warp::any().map(move || hub.clone());
    let query = warp::query::raw().or(warp::any().map(String::new)).unify();

    let events = warp::path!("events")
        .and(with_hub.clone())
        .and(last_event_id())
        .and(query)
        .then(topics_from_query);
    let by_status = warp::path!("status")
        .and(with_hub.clone())
        .and(last_event_id())
        .then(refused_by_status);
    let stream = warp::path!("stream").then(stream_of_its_own);
    let channel = warp::path!("channel").and(with_hub.clone()).then(channel);
    let greeted = warp::path!("greeted").and(with_hub).then(greeted);
    let panics = warp::path!("panic").map(|| Sse(SseBody::stream(panicking())));
    let own = warp::path!("own").map(|| Response::new("data: own\n\n"));
    let own_refused = warp::path!("own" / "refused").map(own_refused);
    let own_cached = warp::path!("own" / "cached").map(own_cached);
    let plain = warp::path!("plain").map(|| "plain");
    let compressed = warp::path!("compressed" / "other").map(|| "compressed");

    let events = events.or(by_status).or(ready_made).or(stream).or(channel);
    let events = events.or(panics).or(greeted);
    let own = own.or(own_refused).or(own_cached).or(plain);
    let compressed = compressed.with(warp::filters::compression::gzip());
    warp::get().or(warp::head()).unify().and(
        events
            .or(own.with(warp::wrap_fn(sse_headers)))
            .or(uncompressed.or(compressed)),
    )
}

fn serve(listener: TcpListener, hub: Hub, stop: Stop) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        listener.set_nonblocking(true).unwrap();
        SockRef::from(&listener).set_tcp_nodelay(true).unwrap();
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        let stopped = hub.shutdown_on(stop);
        warp::serve(app(hub))
            .incoming(listener)
            .graceful(stopped)
            .run()
            .await;
    });
}
