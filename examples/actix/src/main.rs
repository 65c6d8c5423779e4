//! The example app on actix-web. Copy it and `examples/page` out and go on from there.
//!
//! ```text
//! cargo run --release -p example-actix
//! curl -N 'http://127.0.0.1:3000/events?topic=news'
//! curl -d 'hello' 'http://127.0.0.1:3000/publish?topic=news'
//! ```

use std::{error::Error, time::Duration};

use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer, rt,
    web::{self, Bytes, Html, PayloadConfig, ServiceConfig, ThinData},
};
use serde_json::json;
use sse_actix::{
    FiniteReplayer, Hub, Joe, LastEventId, Sse, SseError, Subscription, Topics,
    sse_core::response::Post,
};

/// The time for which clients that do not read may hold up the end of the process.
const GRACE: Duration = Duration::from_secs(1);

/// The most bytes that may be posted; the hub takes fewer, and says so.
const MOST_DATA: usize = 2 << 20;

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let joe = Joe::builder().replayer(FiniteReplayer::new(1_000));
    let hub = Hub::new(joe.max_subscribers(example_page::MOST_CLIENTS).build());
    rt::spawn(example_page::publish_the_time(hub.clone()));

    let listener = example_page::listen().await?;
    println!("listening on http://{}", listener.local_addr()?);
    let stopped = hub.shutdown_on_signals();
    HttpServer::new(move || App::new().configure(|config| app(config, hub.clone())))
        .shutdown_signal(stopped)
        .shutdown_timeout(GRACE.as_secs())
        .h1_allow_half_closed(false)
        // Or a small message waits until the client has acknowledged the one before.
        .tcp_nodelay(true)
        .listen(listener.into_std()?)?
        .run()
        .await?;
    Ok(())
}

fn app(config: &mut ServiceConfig, hub: Hub) {
    config
        .app_data(ThinData(hub))
        .app_data(PayloadConfig::new(MOST_DATA))
        .service(web::resource("/").get(page).route(web::head().to(page)))
        .service(
            web::resource("/events")
                .get(events)
                .route(web::head().to(events)),
        )
        .service(web::resource("/publish").post(publish));
}

async fn page() -> Html {
    Html::new(example_page::PAGE)
}

/// Streams the topics in the query, from where the client was. Anyone may read anything here.
async fn events(
    ThinData(hub): ThinData<Hub>,
    LastEventId(last): LastEventId,
    request: HttpRequest,
) -> Result<Sse, SseError> {
    let topics = Topics::from_query(request.uri().query());
    let subscription = Subscription::to(topics).resume_from(last);
    Ok(Sse(hub.subscribe(subscription).await?))
}

/// Publishes the body, from anyone. A real application checks who may publish, and `Origin` and
/// `Host` as well: against posts from the pages of other sites and against DNS rebinding.
async fn publish(
    ThinData(hub): ThinData<Hub>,
    request: HttpRequest,
    data: Bytes,
) -> Result<HttpResponse, SseError> {
    let Post { message, topics } = Post::from_request(request.uri().query(), &data)?;
    let published = hub.publish(message, topics).await?;
    let id = published.id.map(String::from);
    Ok(HttpResponse::Accepted().json(json!({ "id": id })))
}
