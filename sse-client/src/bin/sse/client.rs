//! Parts that the commands share: the HTTP client, the exit code of its errors, Ctrl-C.

use std::time::Duration;

use sse_client::{
    Error, ErrorKind, Report,
    reqwest::{Certificate, Client, ClientBuilder, redirect::Policy},
};

use url::Url;

use crate::{
    args::Tail,
    exit::{Exit, Failure},
};

/// The time limit for making a connection.
const CONNECT: Duration = Duration::from_secs(30);

/// The time between two pings of an HTTP/2 connection, and the time for the answer.
const PING_INTERVAL: Duration = Duration::from_secs(30);
const PING_TIMEOUT: Duration = Duration::from_secs(20);

/// Starts a client that does not follow redirects: an event source does, with care for credentials.
pub(crate) fn builder() -> ClientBuilder {
    Client::builder()
        .connect_timeout(CONNECT)
        .redirect(Policy::none())
        .user_agent(concat!("sse/", env!("CARGO_PKG_VERSION")))
        .http2_keep_alive_interval(PING_INTERVAL)
        .http2_keep_alive_timeout(PING_TIMEOUT)
}

/// Builds a client for requests to a URL. Where the system has no CA certificates, only HTTPS
/// fails.
pub(crate) fn build(url: &Url, settings: impl Fn() -> ClientBuilder) -> Result<Client, Failure> {
    let client = settings().build();
    let client = match client {
        Err(error) if url.scheme() == "http" => {
            settings().tls_certs_only([]).build().map_err(|_| error)
        }
        client => client,
    };
    client.map_err(|error| {
        let report = Report::new(&error);
        Exit::Refused.because(format!("cannot make an HTTP client: {report}"))
    })
}

/// Returns the settings of a client that trusts the certificates that the arguments name.
pub(crate) fn trusting(args: &Tail) -> Result<impl Fn() -> ClientBuilder + use<>, Failure> {
    let certificates = match &args.cacert {
        Some(path) => {
            let pem = std::fs::read(path).map_err(|error| {
                Exit::Usage.because(format!("cannot read {}: {error}", path.display()))
            })?;
            let certificates = Certificate::from_pem_bundle(&pem);
            let checked = certificates.and_then(|certificates| {
                let client = builder().tls_certs_only(certificates.clone()).build();
                client.map(|_| certificates)
            });
            checked.map_err(|error| {
                let report = Report::new(&error);
                Exit::Usage.because(format!("cannot use {}: {report}", path.display()))
            })?
        }
        None => Vec::new(),
    };
    let insecure = args.insecure;
    Ok(move || {
        builder()
            .tls_certs_merge(certificates.clone())
            .tls_danger_accept_invalid_certs(insecure)
    })
}

/// Returns the exit code for an error of a stream.
pub(crate) fn exit_of(error: &Error) -> Exit {
    match error.kind() {
        ErrorKind::Ended | ErrorKind::Connection => Exit::Lost,
        ErrorKind::Request => Exit::Usage,
        _ => Exit::Refused,
    }
}

/// Resolves at Ctrl-C, which then no longer ends the process by itself.
pub(crate) async fn interrupted() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
