//! The command line.

use std::{path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use url::Url;

use crate::{exit::CODES, values};

/// Follow, publish and measure server-sent events
#[derive(Debug, Parser)]
#[command(name = "sse", version, after_help = CODES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Print the events of a stream as they come, over all of its connections
    Tail(Box<Tail>),
    /// Publish an event through an app that has the endpoint of the examples, and print its id
    Publish(Publish),
    /// Open many connections to a stream; show its rate and how late its events are
    Bench(Bench),
}

#[derive(Debug, Args)]
#[command(after_help = CODES)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an option on its own"
)]
pub(crate) struct Tail {
    /// The stream; http:// may be left out
    #[arg(value_parser = values::url)]
    pub(crate) url: Url,
    #[command(flatten)]
    pub(crate) headers: Headers,
    /// The method of the request [default: GET, with --data POST]
    #[arg(short = 'X', long, value_name = "METHOD")]
    pub(crate) request: Option<Method>,
    /// The body of the request: a text, @FILE, or @- for stdin; all of it as it is.
    /// It is a form unless -H 'Content-Type: ..' says otherwise
    #[arg(short, long, allow_hyphen_values = true, value_parser = values::data)]
    pub(crate) data: Option<Data>,
    /// Print events of this type only; may be repeated. Others do not count for --max-events
    #[arg(long, value_name = "TYPE")]
    pub(crate) event: Vec<String>,
    /// Start after this event
    #[arg(long, value_name = "ID", value_parser = values::last_event_id)]
    pub(crate) last_event_id: Option<String>,
    /// End when the connection does [default for all requests but GET]
    #[arg(long)]
    pub(crate) no_reconnect: bool,
    /// Connect again although the request is no GET: it is sent again
    #[arg(long, conflicts_with = "no_reconnect")]
    pub(crate) reconnect: bool,
    /// Give up after this many failed attempts in a row to connect again
    #[arg(long, value_name = "N", conflicts_with = "no_reconnect")]
    pub(crate) max_retries: Option<u32>,
    /// End after this many events
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) max_events: Option<u64>,
    /// End after this many seconds
    #[arg(long, value_name = "SECONDS", value_parser = values::seconds)]
    pub(crate) timeout: Option<Duration>,
    /// Connect again when nothing has come for this many seconds, not even a comment
    #[arg(long, value_name = "SECONDS", value_parser = values::seconds)]
    pub(crate) idle_timeout: Option<Duration>,
    /// Read events of up to this many bytes; larger ones end it [default: 4194304]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) max_event_bytes: Option<u32>,
    /// Trust the certificates in this PEM file, too
    #[arg(long, value_name = "FILE")]
    pub(crate) cacert: Option<PathBuf>,
    /// Trust any certificate: nobody knows who reads along
    #[arg(short = 'k', long, conflicts_with = "cacert")]
    pub(crate) insecure: bool,
    /// Print one JSON object per event and line: {"id":..,"event":..,"data":..}
    #[arg(long)]
    pub(crate) json: bool,
    /// Print nothing on stderr but the reason of a failure
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

#[derive(Debug, Args)]
#[command(after_help = CODES)]
pub(crate) struct Publish {
    /// The app, or its publish endpoint if that is not /publish
    #[arg(value_parser = values::publish_url)]
    pub(crate) url: Url,
    /// The data; "-" or nothing is stdin, without its last line break
    pub(crate) data: Option<String>,
    /// Publish to this topic; may be repeated [default: the default topic]
    #[arg(long)]
    pub(crate) topic: Vec<String>,
    /// The type of the event
    #[arg(long, value_name = "TYPE")]
    pub(crate) event: Option<String>,
    /// The id of the event
    #[arg(long)]
    pub(crate) id: Option<String>,
    #[command(flatten)]
    pub(crate) headers: Headers,
}

#[derive(Debug, Args)]
#[command(after_help = CODES)]
pub(crate) struct Bench {
    /// The stream
    #[arg(value_parser = values::url)]
    pub(crate) url: Url,
    /// The number of connections
    #[arg(short, long, value_name = "N", default_value_t = 100,
        value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) clients: u32,
    /// The time to measure, once all are open; Ctrl-C ends it earlier
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = values::seconds)]
    pub(crate) duration: Duration,
    /// Publish this many events per second to a topic that nobody else uses, with the app of the
    /// examples, and measure the time from there to each client. Without it: the time that each
    /// client is behind the first that got the same event
    #[arg(long, value_name = "RATE", value_parser = values::rate)]
    pub(crate) publish: Option<f64>,
    /// The publish endpoint [default: `publish` next to the stream]
    #[arg(long, value_name = "URL", requires = "publish", value_parser = values::publish_url)]
    pub(crate) publish_url: Option<Url>,
    #[command(flatten)]
    pub(crate) headers: Headers,
    /// Print the result as one JSON object
    #[arg(long)]
    pub(crate) json: bool,
    /// Print nothing while it runs
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Headers {
    /// A header of each request; may be repeated
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE", value_parser = values::header)]
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// The body of a request.
#[derive(Clone, Debug)]
pub(crate) enum Data {
    Text(String),
    File(PathBuf),
    Stdin,
}

impl Headers {
    pub(crate) fn to_map(&self) -> HeaderMap {
        self.headers
            .iter()
            .cloned()
            .fold(HeaderMap::new(), |mut map, (name, value)| {
                map.append(name, value);
                map
            })
    }
}
