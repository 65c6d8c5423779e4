//! `sse bench`: many connections to one stream, its rate, and the delay of its events.

mod client;
mod live;
mod percentiles;
mod publisher;
mod report;
mod spread;
mod tally;

use std::{
    io::{self, Write as _},
    sync::Arc,
    time::Duration,
};

use http::HeaderMap;
use sse_client::{
    EventSource,
    reqwest::{Client, RequestBuilder},
};
use tokio::{
    sync::Semaphore,
    time::{Instant, sleep},
};
use url::Url;

use self::{
    live::Live,
    report::Summary,
    tally::{Measure, Tally},
};
use crate::{
    args::Bench,
    client::{build, builder, interrupted},
    exit::{Exit, Failure},
    notes,
    stdout::unwritten,
};

/// The most connections that are being opened at a time: fewer than the queue of any server holds.
const OPENING: u32 = 64;

/// The time limit for events that were published to arrive.
const DRAIN: Duration = Duration::from_secs(5);
const LOOK: Duration = Duration::from_millis(10);

/// The files besides the streams: connections that publish, and the files of the process itself.
const MORE_FILES: u64 = 256;

/// Opens the connections, measures, and prints the result.
pub(crate) async fn run(args: Bench) -> Result<Exit, Failure> {
    raise_file_limit(&args);
    // HTTP/2 would put all streams into one connection.
    let http = build(&args.url, || builder().http1_only())?;
    let target = Target::new(&args, http);
    let measure = match args.publish {
        Some(_) => Measure::FromPublish,
        None => Measure::Spread,
    };
    let tally = Arc::new(Tally::new(args.clients, measure));
    let live = Live::start(&tally, args.quiet);
    tokio::select! {
        biased;
        () = interrupted() => {}
        () = measured(&args, &target, &tally) => {}
    }
    live.stop().await;
    let summary = Summary::of(&tally, args.publish);
    let failure = tally.lock().last_failure.take();
    match failure {
        // Then there is nothing to show but the reason.
        Some(failure) if summary.is_in_vain() => return Err(failure),
        Some(failure) => notes::note(format_args!("the last error: {}", failure.text)),
        None => {}
    }
    let text = if args.json {
        summary.to_json()
    } else {
        summary.to_text()
    };
    match write!(io::stdout(), "{text}") {
        Ok(()) => Ok(Exit::Done),
        Err(error) => unwritten(&error),
    }
}

/// The URLs from which events come and to which they are published.
struct Target {
    http: Client,
    headers: HeaderMap,
    stream: Url,
    publish: Url,
}

impl Target {
    fn new(args: &Bench, http: Client) -> Self {
        let mut stream = args.url.clone();
        if args.publish.is_some() && stream.path() == "/" {
            stream.set_path("/events");
        }
        let mut publish = args.publish_url.clone().unwrap_or_else(|| {
            let mut publish = stream.join("publish").unwrap_or_else(|_| stream.clone());
            publish.set_query(None);
            publish
        });
        if args.publish.is_some() {
            // Nobody else publishes to this topic or reads it.
            let topic = format!("sse-bench-{:08x}", fastrand::u32(..));
            set_topic(&mut stream, &topic);
            set_topic(&mut publish, &topic);
        }
        Self {
            http,
            headers: args.headers.to_map(),
            stream,
            publish,
        }
    }

    fn source(&self) -> EventSource {
        let request = self.http.get(self.stream.clone());
        EventSource::reqwest(request.headers(self.headers.clone()))
    }

    fn publish(&self) -> RequestBuilder {
        self.http
            .post(self.publish.clone())
            .headers(self.headers.clone())
    }
}

async fn measured(args: &Bench, target: &Target, tally: &Arc<Tally>) {
    open_all(args.clients, target, tally).await;
    if tally.begin() == 0 {
        return;
    }
    let Some(rate) = args.publish else {
        sleep(args.duration).await;
        tally.end();
        return;
    };
    publisher::publish(rate, args.duration, target, tally).await;
    tally.end();
    let deadline = Instant::now() + DRAIN;
    while tally.lock().counts.missing() > 0 && Instant::now() < deadline {
        sleep(LOOK).await;
    }
}

/// Opens all connections. Returns when each client has its connection, or has failed once.
async fn open_all(clients: u32, target: &Target, tally: &Arc<Tally>) {
    let gate = Arc::new(Semaphore::new(OPENING as usize));
    for _ in 0..clients {
        let Ok(permit) = Arc::clone(&gate).acquire_owned().await else {
            return;
        };
        let client = client::follow(target.source(), Arc::clone(tally), permit);
        tokio::spawn(client);
    }
    let _all = gate.acquire_many(OPENING).await;
}

fn set_topic(url: &mut Url, topic: &str) {
    let others: Vec<(String, String)> = url
        .query_pairs()
        .filter(|(name, _)| name != "topic")
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    url.query_pairs_mut()
        .clear()
        .extend_pairs(others)
        .append_pair("topic", topic);
}

fn raise_file_limit(args: &Bench) {
    let wanted = u64::from(args.clients) + MORE_FILES;
    let raised = rlimit::increase_nofile_limit(wanted);
    if let Ok(limit) = raised
        && limit < wanted
    {
        notes::note(format_args!(
            "at most {limit} files may be open: `ulimit -n` raises that"
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_topic_takes_the_place_of_others() {
        let mut url = Url::parse("http://a/events?topic=b&token=c&topic=d").unwrap();
        set_topic(&mut url, "e");
        assert_eq!(url.as_str(), "http://a/events?token=c&topic=e");
    }
}
