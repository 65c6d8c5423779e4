//! `cargo xtask demo`: the example app, with its page in the default browser.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use clap::Args;

use crate::process::{self, cargo};

/// The time that the built app may take until it accepts connections.
const START_DEADLINE: Duration = Duration::from_secs(30);

/// The options of `cargo xtask demo`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The address the app listens on
    #[arg(long, value_name = "IP:PORT", default_value = "127.0.0.1:3000")]
    addr: SocketAddr,
}

/// Builds the app, runs it in the foreground, and opens its page once it accepts.
pub(crate) fn run(options: &Options) -> Result<()> {
    if accepts(options.addr) {
        bail!(
            "something already listens on {0}; stop it or choose another --addr",
            options.addr
        );
    }
    // Built first, so that the deadline is for the start of the app and not for a compiler.
    process::run(&mut cargo("build --release --package example-axum"))?;
    let ourselves = std::env::current_exe().context("cannot find the xtask program")?;
    Command::new(ourselves)
        .args(["open-page", "--addr", &options.addr.to_string()])
        .spawn()
        .context("cannot start the wait for the app")?;
    let mut app = cargo("run --release --package example-axum");
    become_process(app.env("ADDR", options.addr.to_string()))
}

/// Waits until the app accepts connections, prints its address and opens its page if there is a
/// browser.
pub(crate) fn open_page(options: &Options) -> Result<()> {
    let start = Instant::now();
    while !accepts(options.addr) {
        if start.elapsed() > START_DEADLINE {
            bail!(
                "nothing accepts on {} after {START_DEADLINE:?}",
                options.addr
            );
        }
        thread::sleep(Duration::from_millis(100));
    }
    let url = format!("http://{}/", reachable(options.addr));
    println!("the demo is at {url} (Ctrl-C ends it)");
    if let Some(mut browser) = browser() {
        // The address is printed, so a browser that does not open is no reason to fail.
        process::succeeds(browser.arg(&url));
    }
    Ok(())
}

fn accepts(addr: SocketAddr) -> bool {
    TcpStream::connect_timeout(&reachable(addr), Duration::from_secs(1)).is_ok()
}

/// Replaces `0.0.0.0` and `::`, on which an app listens, by the loopback, to which one connects.
fn reachable(addr: SocketAddr) -> SocketAddr {
    let ip = match addr.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, addr.port())
}

/// Returns the program that opens an address in the default browser. There is none on a machine
/// without a screen, where `xdg-open` would start a text browser in the terminal of the app.
fn browser() -> Option<Command> {
    if cfg!(target_os = "macos") {
        return Some(Command::new("open"));
    }
    let has_screen = |name| std::env::var_os(name).is_some();
    (has_screen("DISPLAY") || has_screen("WAYLAND_DISPLAY")).then(|| Command::new("xdg-open"))
}

/// Becomes the app instead of waiting for it: Ctrl-C and SIGTERM reach it directly, and its orderly
/// shutdown ends before the prompt is back.
#[cfg(unix)]
fn become_process(app: &mut Command) -> Result<()> {
    use std::os::unix::process::CommandExt as _;

    Err(app.exec()).context("cannot start the app")
}

#[cfg(not(unix))]
fn become_process(app: &mut Command) -> Result<()> {
    process::run(app)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unspecified_address_is_reached_on_the_loopback() {
        let rows = [
            ("0.0.0.0:3000", "127.0.0.1:3000"),
            ("[::]:3000", "[::1]:3000"),
            ("127.0.0.1:80", "127.0.0.1:80"),
            ("192.0.2.7:80", "192.0.2.7:80"),
        ];
        for (listen, connect) in rows {
            assert_eq!(reachable(listen.parse().unwrap()).to_string(), connect);
        }
    }

    #[test]
    fn an_address_accepts_while_something_listens_on_it() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        assert!(accepts(addr));
        drop(listener);
        assert!(!accepts(addr));
    }
}
