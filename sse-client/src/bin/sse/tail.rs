//! `sse tail`: the events of a stream, as they arrive.

use std::{
    fs,
    io::{self, Read as _},
    time::Duration,
};

use http::{
    HeaderValue, Method, Request,
    header::{CONTENT_TYPE, HeaderMap},
};
use sse_client::{
    Backoff, Closed, Connecting, Error, Event, EventSource, Limits, RenewedClient, Report, Update,
};
use tokio::time::{sleep, timeout};

use crate::{
    args::{Data, Tail},
    client::{self, exit_of},
    exit::{Exit, Failure},
    format::Format,
    notes,
    ready::ready_now,
    stdout::{self, Stdout, unwritten},
};

/// The words of rustls for a certificate that it does not trust.
const BAD_CERTIFICATE: &str = "invalid peer certificate";

/// About the most bytes in one write: events that have arrived already are written together.
const MOST_AT_ONCE: usize = 64 << 10;

/// The time without an answer after which a note says what is waited for.
const PATIENCE: Duration = Duration::from_secs(1);

/// Follows a stream until it ends, or its reader or the user has had enough.
pub(crate) async fn run(args: Tail) -> Result<Exit, Failure> {
    let source = source(&args)?;
    let time = args.timeout;
    let mut follower = Follower::new(args);
    let result = tokio::select! {
        biased;
        () = client::interrupted() => Ok(Exit::Done),
        () = stdout::closed() => Ok(Exit::Done),
        () = over(time) => follower.ended("the time is over"),
        result = follower.follow(source) => result.unwrap_or_else(|error| unwritten(&error)),
    };
    follower.stdout.settle().await;
    result
}

struct Follower {
    args: Tail,
    format: Format,
    stdout: Stdout,
    /// Formatted, but not yet written.
    lines: Vec<u8>,
    count: u64,
    /// A connection was open, or a note has said that none is yet.
    has_told: bool,
    was_open: bool,
}

impl Follower {
    fn new(args: Tail) -> Self {
        let format = if args.json {
            Format::Json
        } else {
            Format::text()
        };
        Self {
            args,
            format,
            stdout: Stdout::new(),
            lines: Vec::new(),
            count: 0,
            has_told: false,
            was_open: false,
        }
    }

    /// Fails when stdout cannot be written to.
    async fn follow(&mut self, mut source: EventSource) -> io::Result<Result<Exit, Failure>> {
        loop {
            let mut next = self.next(&mut source).await;
            while let Some(update) = next {
                if let Update::Event(event) = update {
                    self.take(&event)?;
                    if self.args.max_events == Some(self.count) {
                        self.flush().await?;
                        return Ok(Ok(Exit::Done));
                    }
                } else {
                    // On a terminal, events and notes appear in the order in which they happened.
                    self.flush().await?;
                    if let Update::Closed(closed) = update {
                        return Ok(self.closed(&closed));
                    }
                    if let Some(failure) = self.unknown_certificate(&update) {
                        return Ok(Err(failure));
                    }
                    self.was_open |= matches!(update, Update::Open(_));
                    self.has_told |= self.was_open;
                    self.tell(&update);
                }
                if self.lines.len() >= MOST_AT_ONCE {
                    break;
                }
                next = ready_now(&mut source).await;
            }
            self.flush().await?;
        }
    }

    /// Returns the next update. A server that does not answer gets a note.
    async fn next(&mut self, source: &mut EventSource) -> Option<Update> {
        if !self.has_told && !self.args.quiet {
            if let Ok(next) = timeout(PATIENCE, source.next()).await {
                return next;
            }
            self.has_told = true;
            notes::note("connecting; there is no answer yet");
        }
        source.next().await
    }

    /// Returns the failure of a server whose certificate is not trusted from the beginning: unlike
    /// one that expires while a stream is followed, it is a matter of the command line.
    fn unknown_certificate(&self, update: &Update) -> Option<Failure> {
        let Update::Connecting(Connecting {
            error: Some(error), ..
        }) = update
        else {
            return None;
        };
        let report = Report::new(error).to_string();
        (!self.was_open && report.contains(BAD_CERTIFICATE)).then(|| {
            let advice = "trust it by --cacert FILE, or any certificate by -k";
            exit_of(error).because(format!("{report}; {advice}"))
        })
    }

    fn take(&mut self, event: &Event) -> io::Result<()> {
        let wanted = &self.args.event;
        if !wanted.is_empty() && wanted.iter().all(|kind| *kind != event.event) {
            return Ok(());
        }
        self.count += 1;
        self.format.append(event, &mut self.lines)
    }

    async fn flush(&mut self) -> io::Result<()> {
        if self.lines.is_empty() {
            return Ok(());
        }
        let result = self.stdout.print(&self.lines).await;
        self.lines.clear();
        result
    }

    fn tell(&self, update: &Update) {
        if self.args.quiet {
            return;
        }
        match update {
            Update::Open(open) => notes::note(open),
            Update::Connecting(Connecting {
                error: Some(error),
                wait,
                ..
            }) => notes::note(format_args!(
                "{}; again in {:.1} s",
                Report::new(error),
                wait.as_secs_f64()
            )),
            _ => {}
        }
    }

    fn closed(&self, closed: &Closed) -> Result<Exit, Failure> {
        let is_final = !reconnects(&self.args);
        match closed {
            Closed::GaveUp {
                error: error @ Error::Ended,
                ..
            } if is_final => self.ended(&error.to_string()),
            // It was to be the only connection: "gave up" would say nothing about it.
            Closed::Failed(Error::Decode(_)) => {
                let bytes = event_bytes(&self.args);
                Err(Exit::Refused.because(format!(
                    "an event is larger than the limit of {bytes} bytes; --max-event-bytes raises it"
                )))
            }
            Closed::GaveUp { error, .. } if is_final => Err(exit_of(error).because_of(error)),
            Closed::GaveUp { error, .. } | Closed::Failed(error) => {
                Err(exit_of(error).because_of(closed))
            }
            _ => self.ended(&closed.to_string()),
        }
    }

    /// Returns success if enough events have arrived.
    fn ended(&self, why: &str) -> Result<Exit, Failure> {
        if let Some(wanted) = self.args.max_events {
            let text = format!("{why} after {} of {wanted} events", self.count);
            return Err(Exit::TooFew.because(text));
        }
        if !self.args.quiet {
            notes::note(why);
        }
        Ok(Exit::Done)
    }
}

fn source(args: &Tail) -> Result<EventSource, Failure> {
    let mut headers = args.headers.to_map();
    let mut body = Vec::new();
    if let Some(data) = &args.data {
        body = read(data)?;
        form_unless_told(&mut headers);
    }
    let request = Request::builder()
        .method(method(args))
        .uri(args.url.as_str());
    let mut request = request
        .body(body)
        .map_err(|error| Exit::Usage.because_of(&error))?;
    *request.headers_mut() = headers;
    let mut backoff = if reconnects(args) {
        Backoff::default()
    } else {
        Backoff::never()
    };
    if let Some(retries) = args.max_retries {
        backoff = backoff.max_retries(retries);
    }
    let mut source = EventSource::request(request)
        .transport(RenewedClient::new(client::trusting(args)?))
        .backoff(backoff);
    source = source.limits(Limits::default().bytes(event_bytes(args)));
    if let Some(time) = args.idle_timeout {
        source = source.idle_timeout(time);
    }
    if let Some(id) = &args.last_event_id {
        source = source.resume_from(id);
    }
    Ok(source)
}

fn event_bytes(args: &Tail) -> usize {
    let wanted = args.max_event_bytes.and_then(|bytes| bytes.try_into().ok());
    wanted.unwrap_or(Limits::default().event_bytes)
}

fn method(args: &Tail) -> Method {
    let usual = if args.data.is_some() {
        Method::POST
    } else {
        Method::GET
    };
    args.request.clone().unwrap_or(usual)
}

/// Returns `true` if a connection that has ended is made again. Another POST may be another order,
/// or another answer that has to be paid for.
fn reconnects(args: &Tail) -> bool {
    let is_safe = method(args) == Method::GET;
    !args.no_reconnect && (is_safe || args.reconnect || args.max_retries.is_some())
}

/// Sets the content type that curl sets, if there is none.
fn form_unless_told(headers: &mut HeaderMap) {
    let form = HeaderValue::from_static("application/x-www-form-urlencoded");
    headers.entry(CONTENT_TYPE).or_insert(form);
}

fn read(data: &Data) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    match data {
        Data::Text(text) => Ok(text.clone().into_bytes()),
        Data::File(path) => fs::read(path).map_err(|error| {
            Exit::Usage.because(format!("cannot read {}: {error}", path.display()))
        }),
        Data::Stdin => match io::stdin().read_to_end(&mut bytes) {
            Ok(_) => Ok(bytes),
            Err(error) => Err(Exit::Usage.because(format!("cannot read stdin: {error}"))),
        },
    }
}

async fn over(timeout: Option<Duration>) {
    match timeout {
        Some(time) => sleep(time).await,
        None => std::future::pending().await,
    }
}
