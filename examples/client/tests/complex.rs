//! The complex server and its client, over TCP.

use std::{net::SocketAddr, time::Duration};

use example_client::{Server, follow, publish_numbers};
use sse_client::{Backoff, Closed, Error, EventSource, Update, reqwest};
use sse_conformance::in_time;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::{
        mpsc::{self, UnboundedReceiver},
        watch,
    },
    task::JoinHandle,
};

/// A server that publishes only for the test, and its end.
async fn serve() -> (Server, SocketAddr, JoinHandle<std::io::Result<()>>) {
    let server = Server::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = axum::serve(listener, server.app())
        .with_graceful_shutdown(server.shutdown_on(std::future::pending::<()>()))
        .into_future();
    (server, address, tokio::spawn(serving))
}

/// A client and its output.
fn client(address: SocketAddr, query: &str) -> (EventSource, UnboundedReceiver<String>) {
    let (printed, lines) = mpsc::unbounded_channel();
    let source = follow(format!("http://{address}/events{query}"), move |line| {
        let _ = printed.send(line);
    });
    let soon = Duration::from_millis(10);
    let backoff = Backoff::default().initial(soon).min(soon).factor(1.0);
    (source.backoff(backoff), lines)
}

/// Starts a client and waits until its stream is open: it gets everything that is published from
/// now on.
async fn open(address: SocketAddr, query: &str) -> (EventSource, UnboundedReceiver<String>) {
    let (mut source, lines) = client(address, query);
    let opening = async { while !matches!(source.next().await, Some(Update::Open(_))) {} };
    in_time("an open stream", opening).await;
    (source, lines)
}

/// Stops a server as its users do.
async fn stop(address: SocketAddr) {
    let request = reqwest::Client::new().post(format!("http://{address}/stop"));
    let response = in_time("a response", request.send()).await.unwrap();
    assert_eq!(response.status(), 200);
}

async fn get(address: SocketAddr, path: &str) -> reqwest::Response {
    let response = reqwest::get(format!("http://{address}{path}"));
    in_time("a response", response).await.unwrap()
}

/// The next lines that a client prints.
async fn next(lines: &mut UnboundedReceiver<String>, count: usize) -> Vec<String> {
    let mut printed = Vec::new();
    while printed.len() < count {
        let line = in_time("a line", lines.recv()).await;
        printed.push(line.expect("the client is there"));
    }
    printed
}

#[tokio::test]
async fn clients_get_their_topics_and_everyone_gets_the_goodbye() {
    let (server, address, serving) = serve().await;
    let metrics = ["Metric ops: 1", "Metric cycles: 1", "Metric ops: 2"];
    let numbers = [
        "Sum of random numbers: 6",
        "Sum of random numbers: 18446744073709551616",
    ];
    let everything = [metrics[0], numbers[0], metrics[1], metrics[2], numbers[1]];
    let mut clients = Vec::new();
    for (query, expected) in [
        ("", &everything[..]),
        ("?topic=numbers&topic=metrics", &everything),
        ("?topic=numbers", &numbers),
        ("?topic=metrics", &metrics),
    ] {
        let (source, lines) = open(address, query).await;
        clients.push((query, expected, tokio::spawn(source.run()), lines));
    }

    let hub = &server.hub;
    server.ops.publish_next(hub).await.unwrap();
    publish_numbers(hub, &[1, 2, 3]).await.unwrap();
    server.cycles.publish_next(hub).await.unwrap();
    server.ops.publish_next(hub).await.unwrap();
    publish_numbers(hub, &[u64::MAX, 1]).await.unwrap();
    stop(address).await;

    for (query, expected, running, mut lines) in clients {
        let closed = in_time("the end of a client", running).await.unwrap();
        assert!(matches!(closed, Closed::ByClient), "{query:?}: {closed}");
        let mut printed = Vec::new();
        while let Some(line) = lines.recv().await {
            printed.push(line);
        }
        assert_eq!(
            printed.pop().as_deref(),
            Some("Server closed!"),
            "{query:?}"
        );
        assert_eq!(printed, expected, "{query:?}");
    }
    in_time("the end of the server", serving)
        .await
        .unwrap()
        .unwrap();
}

#[tokio::test]
async fn a_topic_that_does_not_exist_is_refused_before_any_stream() {
    let (_server, address, _serving) = serve().await;
    for query in ["?topic=weather", "?topic=numbers&topic=weather"] {
        let response = get(address, &format!("/events{query}")).await;
        assert_eq!(response.status(), 400);
        let text = response.text().await.unwrap();
        assert_eq!(
            text,
            "there is no topic \"weather\"; there are numbers and metrics\n"
        );

        let source = follow(format!("http://{address}/events{query}"), |_| {});
        let closed = in_time("the end of a client", source.run()).await;
        assert!(
            matches!(&closed, Closed::Failed(Error::Refused(refused)) if refused.status == 400),
            "{closed}"
        );
    }
}

#[tokio::test]
async fn the_snapshot_shows_the_counters() {
    let (server, address, _serving) = serve().await;
    for _ in 0..3 {
        server.ops.publish_next(&server.hub).await.unwrap();
    }
    server.cycles.publish_next(&server.hub).await.unwrap();
    let response = get(address, "/").await;
    assert_eq!(response.headers()["content-type"], "application/json");
    let text = response.text().await.unwrap();
    assert_eq!(text, "{\n  \"cycles\": 1,\n  \"ops\": 3\n}\n");
}

#[tokio::test]
async fn what_happens_while_the_connection_is_cut_arrives_afterwards() {
    let (server, address, _serving) = serve().await;
    let network = Network::to(address).await;
    let (source, mut lines) = open(network.address, "?topic=metrics").await;
    let _running = tokio::spawn(source.run());
    let mut expected = 1;
    for _ in 0..3 {
        server.ops.publish_next(&server.hub).await.unwrap();
        assert_eq!(
            next(&mut lines, 1).await,
            [format!("Metric ops: {expected}")]
        );

        network.cut().await;
        for _ in 0..3 {
            server.ops.publish_next(&server.hub).await.unwrap();
        }
        publish_numbers(&server.hub, &[1]).await.unwrap();
        network.mend();
        let missed: Vec<_> = (1..=3)
            .map(|n| format!("Metric ops: {}", expected + n))
            .collect();
        assert_eq!(next(&mut lines, 3).await, missed);
        expected += 4;
    }
    assert!(lines.is_empty());
}

#[tokio::test]
async fn a_client_that_cannot_continue_is_told() {
    let (server, address, _serving) = serve().await;
    let (source, mut lines) = client(address, "");
    let source = source.resume_from("an id of another server");
    let _running = tokio::spawn(source.run());
    assert_eq!(next(&mut lines, 1).await, ["Something was missed!"]);
    server.ops.publish_next(&server.hub).await.unwrap();
    assert_eq!(next(&mut lines, 1).await, ["Metric ops: 1"]);
}

/// A network that breaks: between clients and a server.
struct Network {
    address: SocketAddr,
    is_up: watch::Sender<bool>,
}

impl Network {
    async fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let is_up = watch::Sender::new(true);
        let watched = is_up.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(connect(client, server, watched.subscribe()));
            }
        });
        Self { address, is_up }
    }

    /// Cuts all connections, and those that are made from now on. Returns when nothing passes any
    /// more.
    async fn cut(&self) {
        self.is_up.send_replace(false);
        // Each connection holds a receiver.
        in_time("the end of the connections", self.is_up.closed()).await;
    }

    fn mend(&self) {
        self.is_up.send_replace(true);
    }
}

async fn connect(mut client: TcpStream, server: SocketAddr, mut is_up: watch::Receiver<bool>) {
    if !*is_up.borrow() {
        return;
    }
    let mut server = TcpStream::connect(server).await.unwrap();
    tokio::select! {
        // An error is a connection that one of the two ends has closed.
        _ = copy_bidirectional(&mut client, &mut server) => {}
        _ = is_up.wait_for(|is_up| !is_up) => {}
    }
}
