//! The smallest client: prints each event of a stream, over all of its connections.
//!
//! ```text
//! cargo run -p example-client --bin hello-client
//! cargo run -p example-client --bin hello-client -- 'http://127.0.0.1:3000/events?topic=news'
//! ```
//!
//! Without a URL it follows the clock of the example app (`cargo run -p example-axum`), or
//! `hello-server` if that runs instead. Ctrl-C ends it.

use std::env;

use sse_client::{Closed, EventSource};

const DEMO: &str = "http://127.0.0.1:3000/events?topic=clock";

#[tokio::main]
async fn main() -> Result<(), Closed> {
    let url = env::args().nth(1).unwrap_or_else(|| DEMO.to_owned());
    let mut source = EventSource::get(url).on_retry(|next| eprintln!("{next}"));
    loop {
        println!("{}", source.next_event().await?.data);
    }
}
