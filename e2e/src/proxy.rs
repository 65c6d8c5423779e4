//! A network that breaks on demand.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::{Context as _, Result};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::AbortHandle,
    time::timeout,
};

use crate::DEADLINE;

/// The way in which a [`Proxy`] treats connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// Connections go through.
    Up,
    /// Connections break off, as in a dead spot: existing ones at once, new ones as soon as they
    /// are made.
    Cut,
    /// As [`Link::Cut`], but each new connection is answered 503 first, as by a load balancer
    /// without a server.
    Unavailable,
}

/// The network between the browser and the server, for a test to break.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    link: watch::Sender<Link>,
    accepting: AbortHandle,
}

impl Proxy {
    /// Listens on a free port and connects every connection to `server`, with the link up.
    ///
    /// # Errors
    /// If there is no port.
    pub async fn start(server: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let link = watch::Sender::new(Link::Up);
        let watched = link.clone();
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                // An error is a connection that one of the two ends has closed, which is intended.
                tokio::spawn(serve(client, server, watched.subscribe()));
            }
        });
        Ok(Self {
            address,
            link,
            accepting: accepting.abort_handle(),
        })
    }

    /// The address on which it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Changes the link. If it is no longer up, all existing connections have broken off when this
    /// returns.
    ///
    /// # Errors
    /// If they do not in time.
    pub async fn set(&self, link: Link) -> Result<()> {
        self.link.send_replace(link);
        if link != Link::Up {
            // Each connection has a receiver. One that had not seen the break before the link is up
            // again would go on.
            let broken = timeout(DEADLINE, self.link.closed()).await;
            broken.context("connections outlive their link")?;
        }
        Ok(())
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn serve(
    mut client: TcpStream,
    server: SocketAddr,
    mut link: watch::Receiver<Link>,
) -> std::io::Result<()> {
    let now = *link.borrow();
    match now {
        Link::Up => {
            let mut server = TcpStream::connect(server).await?;
            tokio::select! {
                done = copy_bidirectional(&mut client, &mut server) => done.map(drop),
                _ = link.wait_for(|link| *link != Link::Up) => Ok(()),
            }
        }
        Link::Cut => Ok(()),
        Link::Unavailable => {
            drop(link);
            // A connection that is closed with its request unread is reset, and the answer is lost.
            let _ = client.read(&mut [0; 16 * 1024]).await?;
            client.write_all(b"HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\ncontent-length: 0\r\n\r\n").await
        }
    }
}
