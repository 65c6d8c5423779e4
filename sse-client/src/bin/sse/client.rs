//! What the commands have in common: the HTTP client, how it fails, Ctrl-C.

use std::time::Duration;

use sse_client::{
    Error, ErrorKind, Report,
    reqwest::{Client, ClientBuilder, redirect::Policy},
};

use crate::exit::{Exit, Failure};

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(30);

/// Without redirects: an event source follows them itself, with care for credentials.
pub(crate) fn builder() -> ClientBuilder {
    Client::builder()
        .connect_timeout(CONNECT)
        .redirect(Policy::none())
        .user_agent(concat!("sse/", env!("CARGO_PKG_VERSION")))
}

pub(crate) fn build(builder: ClientBuilder) -> Result<Client, Failure> {
    let client = builder.build();
    client.map_err(|error| {
        let report = Report::new(&error);
        Exit::Refused.because(format!("cannot make an HTTP client: {report}"))
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

/// Ready at Ctrl-C. It then no longer ends the process by itself.
pub(crate) async fn interrupted() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
