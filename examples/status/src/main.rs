//! The status of a service every two seconds, in axum. Each client has its own stream: no hub,
//! no topics, no history.
//!
//! ```text
//! cargo run -p example-status
//! curl -N http://127.0.0.1:3000/status
//! curl -N http://127.0.0.1:3000/status/raw
//! ```
//!
//! Both show five times `event: status` with `data: running 1/5` and so on, then `data: Done`, and
//! end. A browser's `EventSource` would connect again at the end: call its `close()` at `Done`. The
//! server says when a client has left before that. Ctrl-C ends the streams, then the process.

use std::{convert::Infallible, env, error::Error, future::Future, time::Duration};

use axum::{Router, body::Body, extract::State, routing::get, serve::ListenerExt};
use futures_util::{StreamExt, stream};
use sse_axum::{EventType, Message, Sse, SseBody, SseHeadersLayer};
use tokio::{net::TcpListener, sync::watch, time};

const STATUS: EventType = EventType::from_static("status");

/// The time for which a client that never finishes its request may hold up the end of the process.
const GRACE: Duration = Duration::from_secs(1);

/// The number of statuses before `Done`.
const ROUNDS: u32 = 5;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let service = Service::new(Duration::from_secs(2));
    let address = env::var("ADDR").unwrap_or_else(|_| "127.0.0.1:3000".to_owned());
    let listener = TcpListener::bind(&address).await?;
    println!("listening on http://{}", listener.local_addr()?);

    // Or a small message waits until the client has acknowledged the one before.
    let listener = listener.tap_io(|tcp| _ = tcp.set_nodelay(true));
    let (on_signal, stopped) = (service.clone(), service.stopped());
    let server = axum::serve(listener, app(service)).with_graceful_shutdown(async move {
        let _ = tokio::signal::ctrl_c().await;
        on_signal.stop();
    });
    tokio::select! {
        result = server => result?,
        () = async { stopped.await; time::sleep(GRACE).await } => {}
    }
    Ok(())
}

fn app(service: Service) -> Router {
    Router::new()
        .route("/status", get(status))
        .route("/status/raw", get(raw).layer(SseHeadersLayer))
        .with_state(service)
}

/// Starts a task that sends, and waits while the client does not read.
async fn status(State(service): State<Service>) -> Sse {
    let (sender, body) = SseBody::channel(1);
    let stopped = service.stopped();
    tokio::spawn(async move {
        for round in 0..=ROUNDS {
            let message = Message::data(text_of(round)).event(STATUS);
            if sender.send(message).await.is_err() || round == ROUNDS {
                break;
            }
            tokio::select! {
                () = time::sleep(service.pace) => {}
                // The client has left, or the service was stopped.
                () = sender.closed() => break,
            }
        }
        println!(
            "/status: {}",
            if sender.is_closed() {
                "the client has left"
            } else {
                "done"
            }
        );
    });
    Sse(body.until(stopped))
}

/// Returns a stream of text written by hand; the middleware gives the response its headers. When
/// the client leaves, axum drops the stream.
///
/// By hand means: no line breaks in the data, no keep-alive, and no byte before the first status.
async fn raw(State(service): State<Service>) -> Body {
    let stopped = Box::pin(service.stopped());
    let texts = stream::unfold((service, 0), async |(service, round)| {
        if round > ROUNDS {
            return None;
        }
        if round > 0 {
            time::sleep(service.pace).await;
        }
        let text = format!("event: status\ndata: {}\n\n", text_of(round));
        Some((Ok::<_, Infallible>(text), (service, round + 1)))
    });
    Body::from_stream(texts.take_until(stopped))
}

/// Returns the status of a round.
fn text_of(round: u32) -> String {
    if round == ROUNDS {
        return "Done".to_owned();
    }
    format!("running {}/{ROUNDS}", round + 1)
}

/// The service that is watched, and how often.
#[derive(Clone)]
struct Service {
    pace: Duration,
    is_stopped: watch::Sender<bool>,
}

impl Service {
    fn new(pace: Duration) -> Self {
        Self {
            pace,
            is_stopped: watch::Sender::new(false),
        }
    }

    fn stop(&self) {
        self.is_stopped.send_replace(true);
    }

    /// Waits until it is stopped.
    fn stopped(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut is_stopped = self.is_stopped.subscribe();
        async move {
            let _ = is_stopped.wait_for(|is_stopped| *is_stopped).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use sse_conformance::{
        adapter::{Client, Response},
        in_time,
    };
    use tokio::task::JoinHandle;

    use super::*;

    /// A pace at which nothing happens after the first status.
    const NEVER: Duration = Duration::from_secs(60 * 60);

    const PATHS: [&str; 2] = ["/status", "/status/raw"];

    async fn serve(service: &Service) -> (SocketAddr, JoinHandle<std::io::Result<()>>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = axum::serve(listener, app(service.clone()))
            .with_graceful_shutdown(service.stopped())
            .into_future();
        (address, tokio::spawn(server))
    }

    async fn get(address: SocketAddr, path: &str) -> Response {
        Client::connect(address).await.get(path).await
    }

    #[tokio::test]
    async fn both_ways_send_the_same_and_end_with_done() {
        let service = Service::new(Duration::from_millis(1));
        let (address, _server) = serve(&service).await;
        for path in PATHS {
            let response = get(address, path).await;
            assert_eq!(response.header("content-type"), Some("text/event-stream"));
            let text = response.body.rest().await;
            let mut blocks: Vec<_> = text.trim_start_matches(":\n").split("\n\n").collect();
            assert_eq!(blocks.pop(), Some(""), "the last one is ended, too");
            let expected = [
                "event: status\ndata: running 1/5",
                "event: status\ndata: running 2/5",
                "event: status\ndata: running 3/5",
                "event: status\ndata: running 4/5",
                "event: status\ndata: running 5/5",
                "event: status\ndata: Done",
            ];
            assert_eq!(blocks, expected, "{path}");
        }
    }

    #[tokio::test]
    async fn nothing_is_produced_for_a_client_that_has_left() {
        for path in PATHS {
            let service = Service::new(NEVER);
            let (address, _server) = serve(&service).await;
            let idle = service.is_stopped.receiver_count();
            let mut body = get(address, path).await.body;
            assert_eq!(body.event().await.data, "running 1/5");
            assert_eq!(service.is_stopped.receiver_count(), idle + 1);
            body.reset();
            in_time("the stream is dropped", async {
                while service.is_stopped.receiver_count() > idle {
                    // pace: of looking
                    time::sleep(Duration::from_millis(5)).await;
                }
            })
            .await;
        }
    }

    #[tokio::test]
    async fn a_shutdown_ends_the_streams_and_then_the_server() {
        let service = Service::new(NEVER);
        let (address, server) = serve(&service).await;
        let mut bodies = Vec::new();
        for path in PATHS {
            let mut body = get(address, path).await.body;
            assert_eq!(body.event().await.data, "running 1/5");
            bodies.push(body);
        }
        service.stop();
        for body in bodies {
            assert_eq!(body.rest().await, "");
        }
        let ended = in_time("the end of the server", server).await;
        ended.unwrap().unwrap();
    }
}
