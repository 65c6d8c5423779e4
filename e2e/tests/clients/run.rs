//! The steps that all clients of one framework go through at the same time.

use std::{
    collections::BTreeMap,
    ops::{ControlFlow, Range},
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use e2e::{App, Link, Proxy, Server, eventually};
use sse_conformance::adapter::{Body, Client as BareClient, Piece};
use tokio::time::{Instant, sleep};

use crate::{
    client::{CLIENTS, Client, Opening},
    driver::{Driver, Heard},
    events::{Draft, Event, draft},
};

/// The verdict on each client, by its name: nothing, or the failed step and its error.
pub(crate) type Verdicts = BTreeMap<&'static str, std::result::Result<(), String>>;

const TOPIC: &str = "clients";

/// The time that all clients together may take for one step. The slowest wait 3 s before they
/// connect again, and there are two dozen processes on perhaps two cores.
const PATIENCE: Duration = Duration::from_secs(40);

/// A time that is longer than the first bytes of a stream take after its head, which is all that
/// most clients report.
const OPENING: Duration = Duration::from_secs(1);

/// A time that is longer than the 15 s after which the server sends a keep-alive.
const SILENCE: Duration = Duration::from_secs(17);

/// A time that is longer than the 3 s after which the slowest connect again.
const DOWNTIME: Duration = Duration::from_secs(4);

/// Tries all clients on one framework.
pub(crate) async fn run(app: App) -> Result<Verdicts> {
    let server = Server::start(app).await?;
    // A network that can break, for the clients. The server behind it is restarted on the same
    // port.
    let proxy = Proxy::start(server.address()).await?;
    let mut cast = Cast::start(&proxy).await;
    cast.expect_connection();
    cast.expect_opening();
    cast.settle("connects").await;

    // pace: each client has read the id of the place, and nothing else
    sleep(OPENING).await;
    proxy.set(Link::Cut).await?;
    cast.expect_connection();
    let comes_back = |client: &Client| client.opening != Opening::Forgotten;
    cast.publish_to(comes_back, &server, 0..1).await?;
    proxy.set(Link::Up).await?;
    cast.settle("continues after a cut before its first message")
        .await;

    cast.publish(&server, 1..1_000).await?;
    cast.settle("gets 1,000 events").await;

    let mut witness = witness(&server).await;
    // pace: nothing happens but keep-alives, which must not look like events
    sleep(SILENCE).await;
    ensure!(
        witness.piece_within(Duration::ZERO).await == Some(Piece::Data(b":\n".to_vec())),
        "there was no keep-alive to sit through"
    );
    drop(witness);
    cast.publish(&server, 1_000..1_001).await?;
    cast.settle("sits through keep-alives").await;

    cast.expect_connection();
    proxy.set(Link::Cut).await?;
    cast.publish(&server, 1_001..1_030).await?;
    proxy.set(Link::Up).await?;
    cast.settle("continues after a cut").await;

    cast.expect_connection();
    let address = server.address();
    let status = server.stop(Duration::from_secs(2)).await?;
    ensure!(status.success(), "the server ended with {status}");
    // pace: each client tries at least once while nobody is there
    sleep(DOWNTIME).await;
    let server = Server::start_at(app, address).await?;
    for player in &mut cast.0 {
        player.expect(Event::gap());
    }
    cast.settle("is told of the gap after a restart").await;
    cast.publish(&server, 1_030..1_130).await?;
    cast.settle("goes on after a restart").await;
    Ok(cast.verdicts())
}

/// Returns the stream of a bare client, which shows every byte.
async fn witness(server: &Server) -> Body {
    let client = BareClient::connect(server.address()).await;
    let mut body = client.get(&format!("/events?topic={TOPIC}")).await.body;
    body.opening().await;
    body
}

/// All clients.
struct Cast(Vec<Player>);

/// One client, and its expected progress.
struct Player {
    client: &'static Client,
    driver: Result<Driver>,
    /// The number of times that it should have connected.
    opens: usize,
    /// The events that it should have received.
    expected: Vec<Event>,
    failure: Option<String>,
}

impl Cast {
    async fn start(proxy: &Proxy) -> Self {
        let mut players = Vec::new();
        for client in CLIENTS {
            players.push(Player {
                client,
                driver: Driver::start(client.program, proxy.address(), TOPIC).await,
                opens: 0,
                expected: Vec::new(),
                failure: None,
            });
        }
        Self(players)
    }

    async fn publish(&mut self, server: &Server, numbers: Range<usize>) -> Result<()> {
        self.publish_to(|_| true, server, numbers).await
    }

    /// Publishes messages that only these clients are to receive.
    async fn publish_to(
        &mut self,
        is_reached: fn(&Client) -> bool,
        server: &Server,
        numbers: Range<usize>,
    ) -> Result<()> {
        for n in numbers {
            let Draft { query, kind, data } = draft(n);
            let id = server
                .publish(&format!("topic={TOPIC}{query}"), &data)
                .await
                .with_context(|| format!("message {n}"))?;
            let reached = |player: &&mut Player| is_reached(player.client);
            for player in self.0.iter_mut().filter(reached) {
                player.expect(Event {
                    id: Some(id.clone()),
                    kind: kind.to_owned(),
                    data: data.clone(),
                });
            }
        }
        Ok(())
    }

    /// Expects each client to connect once more.
    fn expect_connection(&mut self) {
        for player in &mut self.0 {
            player.opens += 1;
        }
    }

    /// Expects each client to react to the id of the place where its stream begins.
    fn expect_opening(&mut self) {
        for player in &mut self.0 {
            if player.client.opening == Opening::Dispatched {
                player.expect(Event::opening());
            }
        }
    }

    /// Waits until each client has got as far as it should. One that has not has failed.
    async fn settle(&mut self, step: &str) {
        // deadline: one for all, because they work at the same time
        let deadline = Instant::now() + PATIENCE;
        for player in &mut self.0 {
            if player.failure.is_none()
                && let Err(error) = player.settle(deadline).await
            {
                player.failure = Some(format!("{step}: not so. {error:#}"));
            }
        }
    }

    fn verdicts(self) -> Verdicts {
        self.0
            .into_iter()
            .map(|player| (player.client.name, player.failure.map_or(Ok(()), Err)))
            .collect()
    }
}

impl Player {
    fn expect(&mut self, mut event: Event) {
        for fault in self.client.faults {
            (fault.spoil)(&mut event);
        }
        self.expected.push(event);
    }

    async fn settle(&self, deadline: Instant) -> Result<()> {
        let driver = match &self.driver {
            Ok(driver) => driver,
            Err(error) => anyhow::bail!("it does not start: {error:#}"),
        };
        let within = deadline.saturating_duration_since(Instant::now());
        eventually(self.client.title, within, async || {
            let heard = driver.heard().await?;
            self.check(&heard)?;
            let is_there = heard.opens >= self.opens && heard.events.len() == self.expected.len();
            Ok(if is_there {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(format!(
                    "connected {} times of {}, {} events of {}; {:?}",
                    heard.opens,
                    self.opens,
                    heard.events.len(),
                    self.expected.len(),
                    heard.notes
                ))
            })
        })
        .await
    }

    /// Checks that the events received so far are the first of the expected ones.
    fn check(&self, heard: &Heard) -> Result<()> {
        let mut expected = self.expected.iter();
        for (number, event) in heard.events.iter().enumerate() {
            let expected = expected.next();
            ensure!(
                expected.is_some_and(|expected| expected.is(event)),
                "event {number} is {}, and not {}; {:?}",
                short(event),
                expected.map_or_else(|| "the end".to_owned(), short),
                heard.notes
            );
        }
        Ok(())
    }
}

fn short(event: &Event) -> String {
    let mut text = format!("{event:?}");
    if text.chars().count() > 200 {
        text = text.chars().take(200).collect();
    }
    text
}
