//! The smallest client: a socket, one request, and the decoder. `handshake-server` says how to run
//! both.
//!
//! It prints each message as it arrives. Until the server is there, and when it has gone, it tries
//! again every half second.

use std::{env, error::Error, time::Duration};

use sse_axum::sse_core::wire::{Decoder, Item};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
    time,
};

#[tokio::main]
async fn main() {
    let address = env::var("ADDR").unwrap_or_else(|_| "127.0.0.1:3000".to_owned());
    loop {
        let why = match listen(&address).await {
            Ok(()) => "the server has ended the stream".to_owned(),
            Err(error) => error.to_string(),
        };
        eprintln!("{why}; trying again");
        time::sleep(Duration::from_millis(500)).await;
    }
}

/// Prints messages until the stream ends.
async fn listen(address: &str) -> Result<(), Box<dyn Error>> {
    let mut stream = BufReader::new(TcpStream::connect(address).await?);
    // HTTP/1.0, because its answers are not cut into chunks: what follows the head is the stream
    // itself.
    let request =
        format!("GET /handshake HTTP/1.0\r\nhost: {address}\r\naccept: text/event-stream\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    read_head(&mut stream).await?;
    eprintln!("connected");

    let mut decoder = Decoder::new();
    loop {
        let bytes = stream.fill_buf().await?;
        if bytes.is_empty() {
            return Ok(());
        }
        let length = bytes.len();
        let mut input = bytes;
        while let Some(item) = decoder.next(&mut input)? {
            if let Item::Event(event) = item {
                println!("{}", event.data);
            }
        }
        stream.consume(length);
    }
}

/// Reads up to the empty line that ends the head, and fails unless the status is 200.
async fn read_head(stream: &mut BufReader<TcpStream>) -> Result<(), Box<dyn Error>> {
    let mut line = String::new();
    stream.read_line(&mut line).await?;
    if line.split(' ').nth(1) != Some("200") {
        return Err(format!("the server answers {:?}", line.trim_end()).into());
    }
    while !line.trim_end().is_empty() {
        line.clear();
        stream.read_line(&mut line).await?;
    }
    Ok(())
}
