//! Plain HTTP, for requests without a browser.

use std::net::SocketAddr;

use anyhow::{Context as _, Result, ensure};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use crate::DEADLINE;

/// The response to a [`request`].
#[derive(Debug)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The body.
    pub body: String,
}

/// Sends one request, without a browser, on its own connection.
///
/// # Errors
/// If no answer with a `Content-Length` comes within [`DEADLINE`].
pub async fn request(
    address: SocketAddr,
    method: &str,
    target: &str,
    body: &str,
) -> Result<Response> {
    let exchange = async {
        let mut stream = TcpStream::connect(address).await?;
        let length = body.len();
        let head = format!(
            "{method} {target} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\
             content-type: text/plain;charset=utf-8\r\ncontent-length: {length}\r\n\r\n",
        );
        stream.write_all(head.as_bytes()).await?;
        stream.write_all(body.as_bytes()).await?;
        let mut answer = Vec::new();
        loop {
            let read = stream.read_buf(&mut answer).await?;
            if let Some(response) = str::from_utf8(&answer).ok().and_then(parse) {
                return Ok(response);
            }
            ensure!(
                read > 0,
                "the connection ended after {:?}",
                String::from_utf8_lossy(&answer)
            );
        }
    };
    let response = timeout(DEADLINE, exchange)
        .await
        .map_err(anyhow::Error::from)
        .flatten();
    response.with_context(|| format!("no answer to {method} {target} from {address}"))
}

/// Returns the response, or `None` if it is not complete yet. Its length tells, because the
/// browser's driver ignores `connection: close`.
fn parse(answer: &str) -> Option<Response> {
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let mut headers = head.lines().filter_map(|line| line.split_once(':'));
    let (_, length) = headers.find(|(name, _)| name.eq_ignore_ascii_case("content-length"))?;
    let body = body.get(..length.trim().parse().ok()?)?;
    Some(Response {
        status,
        body: body.to_owned(),
    })
}
