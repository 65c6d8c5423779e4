//! `sse-client` as a driver, with the input and output that the others have (see
//! `e2e/clients/report.mjs`).
//!
//! It takes the address of a stream, prints the updates of the client, one JSON object to the line,
//! and ends with its standard input.

use std::{
    env,
    io::{self, Read as _},
    thread,
};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};
use sse_client::{EventSource, Update};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let url = env::args()
        .nth(1)
        .context("the address of a stream is missing")?;
    thread::spawn(|| {
        // An error is an end, too.
        let _ = io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0)
    });
    let mut source = EventSource::get(url);
    while let Some(update) = source.next().await {
        println!("{}", told(update)?);
    }
    Ok(())
}

fn told(update: Update) -> Result<Value> {
    Ok(match update {
        Update::Open(_) => json!({ "open": true }),
        Update::Event(event) => {
            json!({ "id": event.id, "event": event.event, "data": event.data })
        }
        Update::Closed(closed) => bail!(closed),
        other => json!({ "note": format!("{other:?}") }),
    })
}
