//! The guard of an example app.

use std::{
    ffi::OsStr,
    net::{Ipv4Addr, SocketAddr},
    process::ExitStatus,
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use tokio::{process::Command, sync::mpsc::UnboundedSender};

use crate::{App, process::Process, request};

/// A running example app. Dropping it kills it.
#[derive(Debug)]
pub struct Server {
    process: Process,
    address: SocketAddr,
}

impl Server {
    /// Starts the app on a free port.
    ///
    /// # Errors
    /// If it is not built, or does not print its address in time.
    pub async fn start(app: App) -> Result<Self> {
        Self::start_at(app, (Ipv4Addr::LOCALHOST, 0).into()).await
    }

    /// Starts the app on the given address, say the one that a killed server had.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub async fn start_at(app: App, address: SocketAddr) -> Result<Self> {
        Self::start_with(app, address, [""; 0]).await
    }

    /// Starts the app on the given address with arguments, as `["--store", "/a/directory"]`.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub async fn start_with(
        app: App,
        address: SocketAddr,
        arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
    ) -> Result<Self> {
        let mut command = Self::command_at(app, address)?;
        command.args(arguments);
        let (process, address) = Process::start(command, printed_address).await?;
        Ok(Self { process, address })
    }

    /// Returns the command that starts the app on the given address, for a test of a start that
    /// fails.
    ///
    /// # Errors
    /// If the app is not built.
    pub fn command_at(app: App, address: SocketAddr) -> Result<Command> {
        let mut command = Command::new(app.executable()?);
        command.env("ADDR", address.to_string()).kill_on_drop(true);
        Ok(command)
    }

    /// The address on which it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Does the same as [`publish`], to this server.
    ///
    /// # Errors
    /// As [`publish`].
    pub async fn publish(&self, query: &str, data: &str) -> Result<String> {
        publish(self.address, query, data).await
    }

    /// Sends SIGTERM and waits for the end.
    ///
    /// # Errors
    /// If it has not ended `within` the time given.
    pub async fn stop(mut self, within: Duration) -> Result<ExitStatus> {
        self.process.terminate(within).await
    }

    /// Sends SIGKILL, which is like a crash: nobody is told.
    ///
    /// # Errors
    /// If the signal cannot be sent.
    pub async fn kill(mut self) -> Result<()> {
        self.process.kill().await
    }
}

/// Publishes without a browser and returns the id. `query` is that of the request, as
/// `topic=news&event=order`.
///
/// # Errors
/// If the answer is anything but 202 with an id, or nobody is there to answer.
pub async fn publish(address: SocketAddr, query: &str, data: &str) -> Result<String> {
    let answer = request(address, "POST", &format!("/publish?{query}"), data).await?;
    ensure!(answer.status == 202, "publishing was refused: {answer:?}");
    let json: Value =
        serde_json::from_str(&answer.body).with_context(|| format!("not JSON: {answer:?}"))?;
    Ok(json["id"]
        .as_str()
        .with_context(|| format!("no id: {json}"))?
        .to_owned())
}

/// Publishes `a0`, `a1` and so on, for the name `a`, on topic `news`, one after the other, until
/// one is not acknowledged. Sends a signal for each that is, and returns their number.
pub async fn publish_until_it_fails(
    address: SocketAddr,
    name: char,
    acknowledged: UnboundedSender<()>,
) -> usize {
    let mut next = 0;
    while publish(address, "topic=news", &format!("{name}{next}"))
        .await
        .is_ok()
    {
        next += 1;
        // A receiver that has heard enough has gone.
        let _ = acknowledged.send(());
    }
    next
}

/// Returns the address in a line such as `listening on http://127.0.0.1:3000`.
fn printed_address(line: &str) -> Option<SocketAddr> {
    let (_, address) = line.split_once("http://")?;
    let end = address
        .find(|c: char| !c.is_ascii_digit() && c != '.' && c != ':')
        .unwrap_or(address.len());
    address[..end].parse().ok()
}
