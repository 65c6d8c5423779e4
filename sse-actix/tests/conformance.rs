//! actix-web against the adapter suite.

use std::net::TcpListener;

use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer, Responder,
    http::header::CACHE_CONTROL,
    middleware::Compress,
    rt,
    web::{self, ServiceConfig, ThinData},
};
use futures_util::stream;
use sse_actix::{
    Hub, LastEventId, Message, ResumeFrom, Sse, SseBody, SseError, SseHeaders, Subscription,
    Topics, events,
};
use sse_conformance::adapter::{CHANNEL_KEEP_ALIVE, Stop, Subject, panicking, produce};

sse_conformance::adapter_suite!(SUBJECT);

/// For a handler whose error is any error.
const _: fn(SseError) -> Box<dyn std::error::Error + Send + Sync> = |error| error.into();

const SUBJECT: Subject = Subject {
    serve,
    sees_non_utf8_headers: true,
    cuts_off_panics: true,
};

async fn topics_from_query(
    ThinData(hub): ThinData<Hub>,
    LastEventId(last): LastEventId,
    request: HttpRequest,
) -> Result<Sse, SseError> {
    let topics = Topics::from_query(request.uri().query());
    let subscription = Subscription::to(topics).resume_from(last);
    Ok(Sse(hub.subscribe(subscription).await?))
}

async fn refused_by_status(
    ThinData(hub): ThinData<Hub>,
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

async fn panics() -> Sse {
    Sse(SseBody::stream(panicking()))
}

async fn channel(ThinData(hub): ThinData<Hub>) -> Sse {
    let (sender, body) = SseBody::channel(2);
    rt::spawn(produce(sender));
    Sse(body.keep_alive(CHANNEL_KEEP_ALIVE).until(hub.closed()))
}

async fn greeted(ThinData(hub): ThinData<Hub>) -> Result<Sse, SseError> {
    hub.publish(Message::data("hello"), ()).await?;
    let everything = Subscription::default().resume_from(ResumeFrom::Earliest);
    Ok(Sse(hub.subscribe(everything).await?))
}

async fn own() -> impl Responder {
    HttpResponse::Ok().body("data: own\n\n")
}

async fn own_refused() -> impl Responder {
    HttpResponse::Forbidden().body("no")
}

async fn own_cached() -> impl Responder {
    HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, "no-store"))
        .body("data: own\n\n")
}

async fn plain() -> &'static str {
    "plain"
}

fn app(config: &mut ServiceConfig, hub: Hub) {
    let events_and_head = web::resource("/events")
        .get(topics_from_query)
        .route(web::head().to(topics_from_query));
    let compressed = web::resource("/compressed")
        .wrap(Compress::default())
        .get(events(hub.clone(), ()));
    config
        .service(events_and_head)
        .route("/status", web::get().to(refused_by_status))
        .route("/news", web::get().to(events(hub.clone(), "news")))
        .route("/stream", web::get().to(stream_of_its_own))
        .route("/channel", web::get().to(channel))
        .route("/panic", web::get().to(panics))
        .route("/greeted", web::get().to(greeted))
        .service(compressed)
        .service(web::resource("/own").wrap(SseHeaders).get(own))
        .service(
            web::resource("/own/refused")
                .wrap(SseHeaders)
                .get(own_refused),
        )
        .service(
            web::resource("/own/cached")
                .wrap(SseHeaders)
                .get(own_cached),
        )
        .service(web::resource("/plain").wrap(SseHeaders).get(plain))
        .app_data(ThinData(hub));
}

fn serve(listener: TcpListener, hub: Hub, stop: Stop) {
    let stopped = hub.shutdown_on(stop);
    let server = HttpServer::new(move || App::new().configure(|config| app(config, hub.clone())))
        .shutdown_signal(stopped)
        .h1_allow_half_closed(false)
        .tcp_nodelay(true)
        .shutdown_timeout(1)
        .listen_auto_h2c(listener)
        .unwrap();
    rt::System::new().block_on(server.run()).unwrap();
}
