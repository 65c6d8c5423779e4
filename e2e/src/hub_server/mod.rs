//! The guard of a server with a hub of the test's own, for settings that the example apps leave
//! alone.

mod frameworks;

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    ops::ControlFlow,
    pin::Pin,
    thread::{self, JoinHandle},
};

use anyhow::{Context as _, Result, anyhow};
use sse_core::{Hub, OnGap, ResumeFrom, Subscription, Topics};
use tokio::{net::TcpStream, sync::oneshot, task::spawn_blocking, time::timeout};

use crate::{App, DEADLINE, eventually};

/// Two routes on one of the frameworks, in this process. Dropping it stops it, though only some
/// time after.
///
/// `/events?topic=` is a stream; with `&on_gap=refuse` a client that cannot continue is refused.
/// `/` is a page that follows the stream whose query it has, with an `EventSource` and nothing
/// else. In the JavaScript of tests `source` is that, and `opens`, `errors` and `seen`, data and
/// gaps, are what it has told. On axum `/demo` is the page of the example app.
#[derive(Debug)]
pub struct HubServer {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    thread: JoinHandle<Result<()>>,
}

type Stop = Pin<Box<dyn Future<Output = ()> + Send>>;

const PAGE: &str = "\
<!doctype html>
<title>EventSource</title>
<script>
  let opens = 0, errors = 0;
  const seen = [];
  const source = new EventSource(`events${location.search}`);
  source.onopen = () => { opens += 1; };
  source.onerror = () => { errors += 1; };
  source.onmessage = ({ data }) => { seen.push(data); };
  source.addEventListener('gap', () => { seen.push('gap'); });
</script>
";

const DEMO: &str = include_str!("../../../examples/page/index.html");

impl HubServer {
    /// Serves the hub on a free port.
    ///
    /// # Errors
    /// If nobody listens there in time.
    pub async fn start(app: App, hub: Hub) -> Result<Self> {
        Self::start_at(app, (Ipv4Addr::LOCALHOST, 0).into(), hub).await
    }

    /// Serves the hub on the given address, say the one that a stopped server had.
    ///
    /// # Errors
    /// As [`HubServer::start`], or if the address is taken.
    pub async fn start_at(app: App, address: SocketAddr, hub: Hub) -> Result<Self> {
        let listener = TcpListener::bind(address).with_context(|| format!("{address} is taken"))?;
        let address = listener.local_addr()?;
        let serve = frameworks::serve(app);
        let (stop, stopped) = oneshot::channel::<()>();
        // Dropping the sender stops, too.
        let stopped = Box::pin(async { _ = stopped.await });
        let thread = thread::spawn(move || serve(listener, hub, stopped));
        eventually("the server listens", DEADLINE, async || {
            Ok(match TcpStream::connect(address).await {
                Ok(_) => ControlFlow::Break(()),
                Err(error) => ControlFlow::Continue(error.to_string()),
            })
        })
        .await?;
        Ok(Self {
            address,
            stop,
            thread,
        })
    }

    /// The address on which it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Shuts the hub and the server down and waits for the end.
    ///
    /// # Errors
    /// If it does not end in time, or has panicked.
    pub async fn stop(self) -> Result<()> {
        drop(self.stop);
        let ended = timeout(DEADLINE, spawn_blocking(|| self.thread.join()));
        let ended = ended.await.context("the server does not end")??;
        ended.map_err(|_| anyhow!("the server has panicked"))?
    }
}

/// The parts of a request that a handler looks at.
fn subscription(query: Option<&str>, last: ResumeFrom) -> Subscription {
    let refuses = query.is_some_and(|query| query.contains("on_gap=refuse"));
    let on_gap = if refuses { OnGap::Refuse } else { OnGap::Tell };
    Subscription::to(Topics::from_query(query))
        .resume_from(last)
        .on_gap(on_gap)
}
