//! The example app on actix-web. Copy it and the page out and go on from there.
//!
//! ```text
//! cargo run --release -p example-actix
//! curl -N 'http://127.0.0.1:3000/events?topic=news'
//! curl -d 'hello' 'http://127.0.0.1:3000/publish?topic=news'
//! ```

use std::{env, error::Error, fmt, str::Utf8Error, time::Duration};

use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer, Responder, ResponseError,
    http::StatusCode,
    rt,
    web::{self, Bytes, Html, PayloadConfig, Query, ServiceConfig, ThinData},
};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;
use sse_actix::{
    EventId, EventType, FiniteReplayer, Hub, Joe, LastEventId, Message, PublishError, Rejection,
    Sse, Subscription, Topics,
};
use tokio::time;

/// How long clients that do not read may hold up the end of the process.
const GRACE: Duration = Duration::from_secs(1);

/// How many bytes may be published; the hub takes less, and says so.
const MOST_DATA: usize = 2 << 20;

const CLOCK: EventType = EventType::from_static("clock");

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let hub = Hub::new(Joe::builder().replayer(FiniteReplayer::new(1_000)).build());
    rt::spawn(publish_the_time(hub.clone()));

    let stop = hub.shutdown_on(stop_signal());
    let address = env::var("ADDR").unwrap_or_else(|_| "127.0.0.1:3000".to_owned());
    let server = HttpServer::new(move || App::new().configure(|config| app(config, hub.clone())))
        .shutdown_signal(stop)
        .shutdown_timeout(GRACE.as_secs())
        .h1_allow_half_closed(false)
        // Or a small message waits until the client has acknowledged the one before.
        .tcp_nodelay(true)
        .bind(&address)
        .map_err(|error| {
            format!("cannot listen on {address}: {error}; set ADDR to another address")
        })?;
    for address in server.addrs() {
        println!("listening on http://{address}");
    }

    server.run().await?;
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
    Html::new(include_str!("../../page/index.html"))
}

/// The stream of the topics in the query, from where the client was. Anyone may read anything here.
async fn events(
    ThinData(hub): ThinData<Hub>,
    LastEventId(last): LastEventId,
    request: HttpRequest,
) -> Result<Sse, Rejection> {
    let topics = Topics::from_query(request.uri().query());
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
    ThinData(hub): ThinData<Hub>,
    request: HttpRequest,
    fields: Result<Query<Fields>, actix_web::Error>,
    data: Result<Bytes, actix_web::Error>,
) -> Result<impl Responder, Refused> {
    let Query(fields) = fields?;
    let data = data?;
    let mut message = Message::data(str::from_utf8(&data)?);
    if let Some(id) = fields.id {
        message = message.id(id);
    }
    if let Some(event) = fields.event {
        message = message.event(event);
    }
    let published = hub
        .publish(message, Topics::from_query(request.uri().query()))
        .await?;
    let id = published.id.map(String::from);
    Ok(HttpResponse::Accepted().json(json!({ "id": id })))
}

/// Why nothing was published, as JSON.
#[derive(Debug)]
struct Refused(StatusCode, String);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.1)
    }
}

impl ResponseError for Refused {
    fn status_code(&self) -> StatusCode {
        self.0
    }

    fn error_response(&self) -> HttpResponse {
        HttpResponse::build(self.0).json(json!({ "error": self.1 }))
    }
}

impl From<actix_web::Error> for Refused {
    fn from(error: actix_web::Error) -> Self {
        Self(error.as_response_error().status_code(), error.to_string())
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
