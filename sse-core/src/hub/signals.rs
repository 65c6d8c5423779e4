//! The signals by which an operating system asks a server to stop.

/// Waits for Ctrl-C or, on Unix, SIGTERM.
///
/// A signal that cannot be listened to still ends the process by itself.
#[cfg(unix)]
pub(super) async fn received() {
    use std::{future::poll_fn, task::Poll};
    use tokio::signal::unix::{Signal, SignalKind, signal};

    let kinds = [SignalKind::interrupt(), SignalKind::terminate()];
    let mut signals: Vec<Signal> = kinds.into_iter().flat_map(signal).collect();
    poll_fn(|cx| {
        let is_received = signals
            .iter_mut()
            .any(|signal| signal.poll_recv(cx).is_ready());
        if is_received {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
}

/// Waits for Ctrl-C. If it cannot be listened to, it still ends the process by itself.
#[cfg(not(unix))]
pub(super) async fn received() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
