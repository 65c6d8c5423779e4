//! A server with everything: topics, a history, events of several types, a snapshot, and an
//! announced end.
//!
//! ```text
//! cargo run -p example-client --bin complex-server
//! cargo run -p example-client --bin complex-client      # in another terminal, any number of them
//! curl -N 'http://127.0.0.1:3000/events?topic=numbers'
//! curl http://127.0.0.1:3000/
//! curl -X POST http://127.0.0.1:3000/stop
//! ```
//!
//! `/events` streams the topics `numbers` and `metrics`, or those that the query names; `/` shows
//! the counters; `/stop` ends the server as Ctrl-C does: every client gets `event: close`, then the
//! streams end, then the process. `ADDR` is another address.

use std::{env, error::Error, time::Duration};

use axum::serve::ListenerExt;
use example_client::Server;
use tokio::net::TcpListener;

/// The time for which clients that do not read may hold up the end of the process.
const GRACE: Duration = Duration::from_secs(1);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let server = Server::new();
    tokio::spawn(server.clone().publish());

    let address = env::var("ADDR").unwrap_or_else(|_| "127.0.0.1:3000".to_owned());
    let listener = TcpListener::bind(&address).await?;
    println!("listening on http://{}", listener.local_addr()?);

    let closed = server.hub.closed_for(GRACE);
    // Otherwise a small message waits until the client has acknowledged the one before.
    let listener = listener.tap_io(|tcp| _ = tcp.set_nodelay(true));
    let serving = axum::serve(listener, server.app())
        .with_graceful_shutdown(server.shutdown_on(stop_signal()));
    tokio::select! {
        result = serving => result?,
        () = closed => {}
    }
    Ok(())
}

/// Resolves at Ctrl-C or SIGTERM.
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
