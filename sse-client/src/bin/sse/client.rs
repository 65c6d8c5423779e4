//! Parts that the commands share: the HTTP client, the exit code of its errors, Ctrl-C.

use std::time::Duration;

use sse_client::{
    Error, ErrorKind, Report,
    reqwest::{Client, ClientBuilder, redirect::Policy},
};

use crate::exit::{Exit, Failure};

/// The time limit for making a connection.
const CONNECT: Duration = Duration::from_secs(30);

/// Starts a client that does not follow redirects: an event source does, with care for credentials.
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

/// Resolves at Ctrl-C, which then no longer ends the process by itself.
pub(crate) async fn interrupted() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
