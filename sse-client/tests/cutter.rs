//! Every connection is severed at random bytes for a minute: every event arrives once and in order.
//!
//! `CUTTER_SEED=7` cuts connections at the same bytes again, if they are made in the same order.

use std::{
    env, io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{Router, extract::State, routing::get};
use fastrand::Rng;
use sse_axum::{
    EventType, FiniteReplayer, Hub, Joe, LastEventId, Message, Sse, SseError, Subscription,
};
use sse_client::{Backoff, EventSource};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval, sleep, timeout},
};

/// The time during which messages are published and connections cut.
const TIME: Duration = Duration::from_secs(60);

/// The time limit for the clients to get the rest, through connections that are still cut.
const REST: Duration = Duration::from_secs(60);

const CLIENTS: usize = 8;

/// The rate of messages: 3,000 a second, if the machine can.
const TICK: Duration = Duration::from_millis(10);
const PER_TICK: usize = 30;

/// More than can be published, so that nothing is ever missing from the history.
const HISTORY: usize = 400_000;

/// The pause of the slow client, and the number of events between two pauses. Publishing goes on.
const PAUSE: Duration = Duration::from_secs(1);
const PAUSE_AFTER: usize = 7_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_event_arrives_once_and_in_order() {
    let seed =
        env::var("CUTTER_SEED").map_or_else(|_| fastrand::u64(..), |seed| seed.parse().unwrap());
    println!("CUTTER_SEED={seed}");
    let replayer = FiniteReplayer::new(HISTORY).max_bytes(1 << 30);
    let hub = Hub::new(Joe::builder().replayer(replayer).build());
    let server = serve(hub.clone()).await;
    let cuts = Arc::new(Cuts::default());
    let proxy = proxy(server, seed, Arc::clone(&cuts)).await;

    let mut clients = JoinSet::new();
    for client in 0..CLIENTS {
        clients.spawn(follow(format!("http://{proxy}/"), client == 0));
    }
    let published = publish(&hub).await;
    let all = timeout(REST, clients.join_all()).await;
    let all = all.expect("every client has everything in time");

    let connections: Vec<_> = all.iter().map(|seen| seen.connections).collect();
    println!("{published} messages, {cuts:?}, connections of each client: {connections:?}");
    for seen in all {
        assert_eq!(seen.events, published);
    }
    let count = |cuts: &AtomicUsize| cuts.load(Ordering::Relaxed);
    assert!(count(&cuts.all) > 500, "{cuts:?}");
    assert!(count(&cuts.before_head) > 10, "{cuts:?}");
    assert!(count(&cuts.in_head) > 10, "{cuts:?}");
    assert_eq!(count(&cuts.by_server), 0, "{cuts:?}");
    assert!(connections.iter().all(|count| *count > 50));
    assert!(published > 10_000, "{published}");
}

/// The counts of cuts by their place.
#[derive(Debug, Default)]
struct Cuts {
    all: AtomicUsize,
    before_head: AtomicUsize,
    in_head: AtomicUsize,
    /// Connections that the server closed: none, because it has no reason to.
    by_server: AtomicUsize,
}

/// The counts of a client.
struct Seen {
    events: usize,
    connections: usize,
}

/// Numbers from 0, and at last one of type `end`; returns how many.
async fn publish(hub: &Hub) -> usize {
    let mut ticks = interval(TICK);
    // A machine that cannot publish this fast does not have to catch up.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let end = Instant::now() + TIME;
    let mut number = 0;
    while Instant::now() < end {
        ticks.tick().await;
        for _ in 0..PER_TICK {
            let message = Message::data(number.to_string());
            hub.publish(message, "numbers").await.unwrap();
            number += 1;
        }
    }
    let last = Message::data(number.to_string()).event(EventType::from_static("end"));
    hub.publish(last, "numbers").await.unwrap();
    number + 1
}

/// Reads up to the event `end`; fails if a number is missing, out of order, or there twice.
async fn follow(url: String, slowly: bool) -> Seen {
    let backoff = Backoff::default()
        .initial(Duration::from_millis(1))
        .min(Duration::from_millis(1))
        .factor(1.0)
        .jitter(1.0);
    let connections = Arc::new(AtomicUsize::new(1));
    let counted = Arc::clone(&connections);
    let mut source = EventSource::get(url).backoff(backoff).on_retry(move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
    });
    let mut events = 0;
    loop {
        let event = source.next_event().await.unwrap();
        assert_eq!(event.data, events.to_string(), "{event:?}");
        events += 1;
        match &*event.event {
            "message" => {}
            "end" => break,
            other => panic!("{other}: {event:?}"),
        }
        if slowly && events % PAUSE_AFTER == 0 {
            // pace: a client that is busy with something else.
            sleep(PAUSE).await;
        }
    }
    let connections = connections.load(Ordering::Relaxed);
    Seen {
        events,
        connections,
    }
}

async fn serve(hub: Hub) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = Router::new().route("/", get(numbers)).with_state(hub);
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

/// Streams the numbers. A client without an id begins with the first number, however often it has
/// been cut off.
async fn numbers(State(hub): State<Hub>, LastEventId(last): LastEventId) -> Result<Sse, SseError> {
    let subscription = Subscription::to("numbers").resume_from(last.or_earliest());
    Ok(Sse(hub.subscribe(subscription).await?))
}

/// Passes connections on to the server, each for a random number of bytes.
async fn proxy(server: SocketAddr, seed: u64, cuts: Arc<Cuts>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        for number in 0.. {
            let (client, _) = listener.accept().await.unwrap();
            let rng = Rng::with_seed(seed.wrapping_add(number));
            let cuts = Arc::clone(&cuts);
            // An error is a client that has left or been cut.
            tokio::spawn(async move { pass(client, server, rng, &cuts).await });
        }
    });
    address
}

async fn pass(
    mut client: TcpStream,
    server: SocketAddr,
    mut rng: Rng,
    cuts: &Cuts,
) -> io::Result<()> {
    let mut left = match rng.u8(..10) {
        0 => 0,
        1 => rng.usize(1..200),
        2..7 => rng.usize(200..5_000),
        _ => rng.usize(200..60_000),
    };
    let total = left;
    let mut server = TcpStream::connect(server).await?;
    let (mut request, mut piece) = ([0; 4 << 10], [0; 4 << 10]);
    let mut head = Vec::new();
    while left > 0 {
        let most = left.min(piece.len());
        tokio::select! {
            length = client.read(&mut request) => match length? {
                0 => return Ok(()),
                length => server.write_all(&request[..length]).await?,
            },
            length = server.read(&mut piece[..most]) => {
                let length = length?;
                if length == 0 {
                    cuts.by_server.fetch_add(1, Ordering::Relaxed);
                    return Ok(());
                }
                client.write_all(&piece[..length]).await?;
                if head.len() < 200 {
                    head.extend_from_slice(&piece[..length]);
                }
                left -= length;
            }
        }
    }
    cuts.all.fetch_add(1, Ordering::Relaxed);
    if total == 0 {
        cuts.before_head.fetch_add(1, Ordering::Relaxed);
    } else if !head.windows(4).any(|four| four == b"\r\n\r\n") {
        cuts.in_head.fetch_add(1, Ordering::Relaxed);
    }
    if rng.bool() {
        client.set_zero_linger()?;
    }
    Ok(())
}
