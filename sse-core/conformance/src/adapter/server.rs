//! A server of the adapter under test.

use std::{
    net::{SocketAddr, TcpListener},
    sync::Arc,
    thread::JoinHandle,
    time::Duration,
};

use sse_core::{FiniteReplayer, Hub, Joe, Message, Topics, joe::JoeBuilder};
use tokio::sync::{oneshot, watch};

use super::{Client, Subject};
use crate::in_time;

/// Serves the app of the suite; stops when dropped.
#[derive(Debug)]
pub struct Server {
    pub address: SocketAddr,
    pub hub: Hub,
    pub joe: Arc<Joe>,
    is_ready: watch::Receiver<bool>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// With 10,000 messages of history and a keep-alive that no test waits for.
    pub fn start(subject: Subject) -> Self {
        Self::with(subject, Self::joe(), Duration::from_secs(600))
    }

    pub fn with_keep_alive(subject: Subject, keep_alive: Duration) -> Self {
        Self::with(subject, Self::joe(), keep_alive)
    }

    pub fn with(
        subject: Subject,
        joe: JoeBuilder,
        keep_alive: impl Into<Option<Duration>>,
    ) -> Self {
        let joe = Arc::new(joe.build());
        let hub = Hub::builder(Arc::clone(&joe))
            .keep_alive(keep_alive)
            .build();
        Self::with_hub(subject, joe, hub)
    }

    pub fn with_hub(subject: Subject, joe: Arc<Joe>, hub: Hub) -> Self {
        // A thousand clients in one process take two thousand files; 1,024 is a usual limit.
        let raised = rlimit::increase_nofile_limit(16 << 10);
        assert!(
            matches!(raised, Ok(limit) if limit >= 4 << 10),
            "raise the limit of open files to 4096: {raised:?}"
        );
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = listener
            .local_addr()
            .expect("a bound listener has an address");
        let (stop, stopped) = oneshot::channel();
        let (ready, is_ready) = watch::channel(false);
        let served = hub.clone();
        let thread = std::thread::spawn(move || {
            let stop = async move {
                ready.send_replace(true);
                // Dropping the sender stops, too.
                let _ = stopped.await;
            };
            (subject.serve)(listener, served, Box::pin(stop));
        });
        Self {
            address,
            hub,
            joe,
            is_ready,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    pub fn joe() -> JoeBuilder {
        let replayer = FiniteReplayer::new(10_000);
        Joe::builder().replayer(replayer)
    }

    pub async fn client(&self) -> Client {
        self.started().await;
        Client::connect(self.address).await
    }

    /// Waits until clients can connect.
    pub async fn started(&self) {
        let mut is_ready = self.is_ready.clone();
        let started = async { is_ready.wait_for(|ready| *ready).await.is_ok() };
        let started = in_time("the start of the server", started).await;
        assert!(started, "the server ended before it asked when to stop");
    }

    pub async fn publish(&self, data: impl ToString, topics: impl Into<Topics>) -> String {
        let published = self
            .hub
            .publish(Message::data(data.to_string()), topics)
            .await;
        let id = published.expect("the message is published").id;
        id.expect("history gives ids").to_string()
    }

    /// Waits until this many clients are subscribed.
    pub async fn subscribers(&self, count: usize) {
        let reached = async {
            while self.joe.subscribers() != count {
                // pace: looks again until the deadline outside
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        in_time(&format!("{count} subscribers"), reached).await;
    }

    /// Tells the server to stop and waits until it has returned.
    pub async fn stop(mut self) {
        drop(self.stop.take());
        let thread = self.thread.take().expect("stopped once");
        let ended = tokio::task::spawn_blocking(move || thread.join());
        let ended = in_time("the end of the server", ended)
            .await
            .expect("the join does not panic");
        assert!(ended.is_ok(), "the server panicked");
    }
}
