//! Follows `complex-server`, whose docs say how to run both, until it says goodbye.
//!
//! ```text
//! cargo run -p example-client --bin complex-client
//! cargo run -p example-client --bin complex-client -- --sub metrics
//! ```
//!
//! `--sub` may be `all`, `numbers` or `metrics`; `ADDR` is another address. It connects again until
//! the server is there, and when the connection is lost, and misses nothing.

use std::{env, error::Error};

use example_client::follow;
use sse_client::Closed;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let query = match arguments[..] {
        [] | ["--sub", "all"] => "",
        ["--sub", "numbers"] => "?topic=numbers",
        ["--sub", "metrics"] => "?topic=metrics",
        _ => return Err("usage: complex-client [--sub all|numbers|metrics]".into()),
    };
    let address = env::var("ADDR").unwrap_or_else(|_| "127.0.0.1:3000".to_owned());
    let source = follow(format!("http://{address}/events{query}"), |line| {
        println!("{line}");
    });
    let source = source.on_retry(|next| eprintln!("{next}"));
    match source.run().await {
        Closed::ByClient => Ok(()),
        closed => Err(closed.into()),
    }
}
