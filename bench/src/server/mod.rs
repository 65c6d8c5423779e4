//! The hidden half of the program: one server process, which serves one peer on one core.

mod control;
mod fanout;

use std::{
    io::Write as _,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::PathBuf,
};

use anyhow::Result;
use socket2::{Domain, Socket, Type};
use tokio::runtime;

pub(crate) use self::{
    control::{Answer, Command, Control, Published},
    fanout::Fanout,
};
use crate::{machine, peers::Peer};

/// Connections that may wait to be accepted: what tokio takes, and with it Rocket, which has no setting for it.
const BACKLOG: i32 = 128;

/// What a server process is told when it is started.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Settings {
    /// The core to run on
    #[arg(long)]
    pub(crate) core: usize,
    /// Messages and bytes that a reader of Joe's may be behind, instead of his defaults
    #[arg(long, num_args = 2, value_names = ["MESSAGES", "BYTES"])]
    pub(crate) queue: Option<Vec<usize>>,
    /// Messages that Joe keeps for replay; none without it
    #[arg(long)]
    pub(crate) history: Option<usize>,
    /// An empty directory where they are kept, instead of in memory
    #[arg(long, value_name = "DIRECTORY", requires = "history")]
    pub(crate) store: Option<PathBuf>,
}

/// What a peer is given to serve with.
pub(crate) struct Server<F> {
    pub(crate) fanout: F,
    pub(crate) control: Control,
}

/// Serves one peer until it is told to quit or gets a SIGTERM.
pub(crate) fn run<P: Peer>(settings: &Settings) -> Result<()> {
    // Before any thread is started, so that all of them stay there.
    machine::pin(settings.core)?;
    rlimit::increase_nofile_limit(u64::MAX)?;
    P::block_on(async {
        let fanout = P::fanout(settings)?;
        let control = Control::new();
        P::serve(Server { fanout, control }).await
    })
}

/// Runs the future on a tokio runtime of this thread alone.
pub(crate) fn block_on<T>(future: impl Future<Output = Result<T>>) -> Result<T> {
    runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(future)
}

/// A listener on a port of its own, whose address has been announced.
pub(crate) fn listen() -> Result<TcpListener> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    // Connections inherit it, so that it is the same for all; Rocket, which listens itself, sets it.
    socket.set_tcp_nodelay(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())?;
    socket.listen(BACKLOG)?;
    let listener = TcpListener::from(socket);
    announce(listener.local_addr()?);
    Ok(listener)
}

/// As [`listen`], for tokio.
pub(crate) fn listen_tokio() -> Result<tokio::net::TcpListener> {
    Ok(tokio::net::TcpListener::from_std(listen()?)?)
}

/// Tells the other half where the server listens.
pub(crate) fn announce(address: SocketAddr) {
    say(&address.to_string());
}

/// Ready at SIGTERM.
pub(crate) async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            terminate.recv().await;
        }
        // Without a handler the signal ends the process, which is shown as a connection cut off.
        Err(_) => std::future::pending().await,
    }
}

/// One line to the other half; where nobody listens any more there is nothing left to do.
fn say(line: &str) {
    let mut stdout = std::io::stdout().lock();
    if writeln!(stdout, "{line}")
        .and_then(|()| stdout.flush())
        .is_err()
    {
        std::process::exit(0);
    }
}
