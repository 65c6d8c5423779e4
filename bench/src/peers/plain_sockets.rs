//! Sockets of tokio and no HTTP library: the floor. Up to 64 pending messages leave in one write.

use std::io;

use anyhow::Result;
use bytes::Bytes;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::broadcast::{
        Receiver,
        error::{RecvError, TryRecvError},
    },
};

use super::{Peer, broadcast::Encoded};
use crate::server::{Server, Settings, listen_tokio};

/// Messages in one write.
const MOST: usize = 64;

const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\
    cache-control: no-cache\r\ntransfer-encoding: chunked\r\n\r\n";

/// The peer.
#[derive(Debug)]
pub(crate) struct PlainSockets;

impl Peer for PlainSockets {
    type Fanout = Encoded;

    fn fanout(_: &Settings) -> Result<Encoded> {
        Ok(Encoded::new(|data| {
            let event = format!("data: {data}\n\n");
            format!("{:x}\r\n{event}\r\n", event.len()).into()
        }))
    }

    async fn serve(Server { fanout, control }: Server<Encoded>) -> Result<()> {
        control.spawn(fanout.clone());
        let listener = listen_tokio()?;
        loop {
            let (socket, _) = listener.accept().await?;
            let fanout = fanout.clone();
            tokio::spawn(async move {
                // An error means that the client has left.
                let _ = stream(socket, fanout).await;
            });
        }
    }
}

async fn stream(mut socket: TcpStream, fanout: Encoded) -> io::Result<()> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        if socket.read_buf(&mut request).await? == 0 {
            return Ok(());
        }
    }
    drop(request);
    let mut messages = fanout.receiver();
    socket.write_all(HEAD).await?;
    let mut pending = Vec::new();
    while take(&mut messages, &mut pending).await {
        socket.write_all(&pending).await?;
        pending.clear();
    }
    Ok(())
}

/// Waits for a message and takes all that have come by then; false once there will be none.
async fn take(messages: &mut Receiver<Bytes>, pending: &mut Vec<u8>) -> bool {
    loop {
        match messages.recv().await {
            Ok(message) => {
                pending.extend_from_slice(&message);
                break;
            }
            Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return false,
        }
    }
    for _ in 1..MOST {
        match messages.try_recv() {
            Ok(message) => pending.extend_from_slice(&message),
            Err(TryRecvError::Lagged(_)) => {}
            Err(TryRecvError::Empty | TryRecvError::Closed) => break,
        }
    }
    true
}
