//! The two routes in each of the frameworks.

use std::net::TcpListener;

use anyhow::Result;
use sse_core::Hub;

use super::Stop;
use crate::App;

/// Serves a hub until told to stop, then shuts it down and returns.
type Serve = fn(TcpListener, Hub, Stop) -> Result<()>;

/// Returns what serves on this framework.
pub(super) fn serve(app: App) -> Serve {
    match app {
        App::Axum => on_axum::serve,
        App::Actix => on_actix::serve,
        App::Warp => on_warp::serve,
        App::Rocket => on_rocket::serve,
        App::Poem => on_poem::serve,
    }
}

fn tokio_listener(listener: TcpListener) -> Result<tokio::net::TcpListener> {
    listener.set_nonblocking(true)?;
    Ok(tokio::net::TcpListener::from_std(listener)?)
}

fn block_on(server: impl Future<Output = Result<()>>) -> Result<()> {
    tokio::runtime::Runtime::new()?.block_on(server)
}

mod on_axum {
    use axum::{
        Router,
        extract::{RawQuery, State},
        response::Html,
        routing::get,
    };
    use sse_axum::{LastEventId, Sse, SseError};

    use super::{Hub, Result, Stop, TcpListener, block_on, tokio_listener};
    use crate::hub_server::{DEMO, PAGE, subscription};

    async fn events(
        State(hub): State<Hub>,
        LastEventId(last): LastEventId,
        RawQuery(query): RawQuery,
    ) -> Result<Sse, SseError> {
        let subscription = subscription(query.as_deref(), last);
        Ok(Sse(hub.subscribe(subscription).await?))
    }

    pub(super) fn serve(listener: TcpListener, hub: Hub, stop: Stop) -> Result<()> {
        let stopped = hub.shutdown_on(stop);
        let app = Router::new()
            .route("/", get(|| async { Html(PAGE) }))
            .route("/demo", get(|| async { Html(DEMO) }))
            .route("/events", get(events))
            .with_state(hub);
        block_on(async {
            axum::serve(tokio_listener(listener)?, app)
                .with_graceful_shutdown(stopped)
                .await?;
            Ok(())
        })
    }
}

mod on_actix {
    use actix_web::{
        App, HttpRequest, HttpServer, rt,
        web::{self, Html, ThinData},
    };
    use sse_actix::{LastEventId, Sse, SseError};

    use super::{Hub, Result, Stop, TcpListener};
    use crate::hub_server::{PAGE, subscription};

    async fn events(
        ThinData(hub): ThinData<Hub>,
        LastEventId(last): LastEventId,
        request: HttpRequest,
    ) -> Result<Sse, SseError> {
        let subscription = subscription(request.uri().query(), last);
        Ok(Sse(hub.subscribe(subscription).await?))
    }

    pub(super) fn serve(listener: TcpListener, hub: Hub, stop: Stop) -> Result<()> {
        let stop = hub.shutdown_on(stop);
        let app = move || {
            App::new()
                .app_data(ThinData(hub.clone()))
                .route("/", web::get().to(async || Html::new(PAGE)))
                .route("/events", web::get().to(events))
        };
        let server = HttpServer::new(app)
            .workers(1)
            .shutdown_signal(stop)
            .h1_allow_half_closed(false)
            .listen(listener)?;
        rt::System::new().block_on(server.run())?;
        Ok(())
    }
}

mod on_warp {
    use sse_warp::{LastEventId, Sse, SseError, last_event_id};
    use warp::{Filter as _, reply};

    use super::{Hub, Result, Stop, TcpListener, block_on, tokio_listener};
    use crate::hub_server::{PAGE, subscription};

    async fn events(
        hub: Hub,
        LastEventId(last): LastEventId,
        query: String,
    ) -> Result<Sse, SseError> {
        let subscription = subscription(Some(&query), last);
        Ok(Sse(hub.subscribe(subscription).await?))
    }

    pub(super) fn serve(listener: TcpListener, hub: Hub, stop: Stop) -> Result<()> {
        let stopped = hub.shutdown_on(stop);
        let page = warp::path::end().map(|| reply::html(PAGE));
        let events = warp::path!("events")
            .map(move || hub.clone())
            .and(last_event_id())
            .and(warp::query::raw())
            .then(events);
        block_on(async {
            warp::serve(page.or(events))
                .incoming(tokio_listener(listener)?)
                .graceful(stopped)
                .run()
                .await;
            Ok(())
        })
    }
}

mod on_rocket {
    use std::collections::HashSet;

    use rocket::{
        Config, State,
        config::{LogLevel, Shutdown},
        get,
        http::uri::Origin,
        response::content::RawHtml,
        routes,
    };
    use sse_rocket::{HubFairing, LastEventId, Sse, SseError};
    use tokio::net::TcpSocket;

    use super::{Hub, Result, Stop, TcpListener};
    use crate::hub_server::{PAGE, subscription};

    #[get("/")]
    fn page() -> RawHtml<&'static str> {
        RawHtml(PAGE)
    }

    #[get("/events")]
    async fn events(
        hub: &State<Hub>,
        last: LastEventId,
        uri: &Origin<'_>,
    ) -> Result<Sse, SseError> {
        let subscription = subscription(uri.query().map(|query| query.as_str()), last.0);
        Ok(Sse(hub.subscribe(subscription).await?))
    }

    pub(super) fn serve(listener: TcpListener, hub: Hub, stop: Stop) -> Result<()> {
        let address = listener.local_addr()?;
        let config = Config {
            address: address.ip(),
            port: address.port(),
            log_level: LogLevel::Off,
            shutdown: Shutdown {
                ctrlc: false,
                signals: HashSet::new(),
                grace: 1,
                ..Shutdown::default()
            },
            ..Config::default()
        };
        rocket::execute(async {
            // Rocket binds the port itself. Until then it is kept from everybody else, without
            // listening.
            drop(listener);
            let reserved = TcpSocket::new_v4()?;
            reserved.set_reuseaddr(true)?;
            reserved.bind(address)?;
            let rocket = rocket::custom(config)
                .attach(HubFairing(hub))
                .mount("/", routes![page, events])
                .ignite()
                .await?;
            let shutdown = rocket.shutdown();
            tokio::spawn(async {
                stop.await;
                shutdown.notify();
            });
            rocket.launch().await?;
            Ok(())
        })
    }
}

mod on_poem {
    use poem::{
        EndpointExt as _, Route, Server, get, handler,
        http::Uri,
        listener::TcpAcceptor,
        web::{Data, Html},
    };
    use sse_poem::{LastEventId, Sse, SseError};

    use super::{Hub, Result, Stop, TcpListener, block_on, tokio_listener};
    use crate::hub_server::{PAGE, subscription};

    #[handler]
    fn page() -> Html<&'static str> {
        Html(PAGE)
    }

    #[handler]
    async fn events(
        Data(hub): Data<&Hub>,
        LastEventId(last): LastEventId,
        uri: &Uri,
    ) -> Result<Sse, SseError> {
        let subscription = subscription(uri.query(), last);
        Ok(Sse(hub.subscribe(subscription).await?))
    }

    pub(super) fn serve(listener: TcpListener, hub: Hub, stop: Stop) -> Result<()> {
        let stopped = hub.shutdown_on(stop);
        let app = Route::new()
            .at("/", get(page))
            .at("/events", get(events))
            .data(hub);
        block_on(async {
            let acceptor = TcpAcceptor::from_tokio(tokio_listener(listener)?)?;
            Server::new_with_acceptor(acceptor)
                .run_with_graceful_shutdown(app, stopped, None)
                .await?;
            Ok(())
        })
    }
}
