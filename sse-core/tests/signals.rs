//! `Hub::shutdown_on_signals`, with real signals to this process.

#![cfg(all(unix, feature = "signal"))]

use std::{
    error::Error,
    process::{self, Command},
};

use futures_util::{FutureExt, StreamExt};
use sse_conformance::in_time;
use sse_core::{Hub, Joe};

#[tokio::test]
async fn ctrl_c_and_sigterm_end_the_streams_and_let_the_server_go() -> Result<(), Box<dyn Error>> {
    for signal in ["INT", "TERM"] {
        let hub = Hub::new(Joe::new());
        let body = hub.subscribe("news").await?;
        let mut stopped = Box::pin(hub.shutdown_on_signals());
        // From now on the signal no longer ends this process.
        assert!((&mut stopped).now_or_never().is_none());

        let pid = process::id().to_string();
        let sent = Command::new("kill").args(["-s", signal, &pid]).status();
        assert!(sent?.success(), "{signal}");
        in_time(signal, &mut stopped).await;
        let pieces: Vec<_> = in_time("the end of the stream", body.collect()).await;
        assert!(pieces.len() <= 1, "only its beginning: {pieces:?}");
        assert!(hub.subscribe("news").await.is_err(), "{signal}");
    }
    Ok(())
}
