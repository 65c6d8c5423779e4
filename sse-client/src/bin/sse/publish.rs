//! `sse publish`: one event, through an app that has the endpoint of the examples.

use std::{
    io::{self, Read as _, Write as _},
    time::Duration,
};

use serde_json::Value;
use sse_client::reqwest::{self, RequestBuilder, Response, StatusCode, header::LOCATION};
use url::Url;

use crate::{
    args::Publish,
    client,
    escape::Escaped,
    exit::{Exit, Failure},
    stdout::unwritten,
};

/// The time limit for the answer.
const ANSWER: Duration = Duration::from_secs(60);

/// The most bytes of an answer that are read; an id is much shorter.
const MOST: usize = 64 << 10;

/// Publishes and prints the id.
pub(crate) async fn run(args: Publish) -> Result<Exit, Failure> {
    let data = match args.data {
        Some(data) if data != "-" => data,
        _ => read_stdin()?,
    };
    let client = client::build(&args.url, || client::builder().timeout(ANSWER))?;
    let url = endpoint(
        args.url,
        &args.topic,
        args.event.as_deref(),
        args.id.as_deref(),
    );
    let request = client.post(url).headers(args.headers.to_map());
    let Some(id) = publish(request, data).await? else {
        return Ok(Exit::Done);
    };
    match writeln!(io::stdout(), "{}", Escaped(&id)) {
        Ok(()) => Ok(Exit::Done),
        Err(error) => unwritten(&error),
    }
}

/// Returns the publish endpoint with the topics, the type and the id in its query.
pub(crate) fn endpoint(
    mut url: Url,
    topics: &[String],
    event: Option<&str>,
    id: Option<&str>,
) -> Url {
    let topics = topics.iter().map(|topic| ("topic", topic.as_str()));
    let event = event.map(|event| ("event", event));
    let id = id.map(|id| ("id", id));
    let fields: Vec<_> = topics.chain(event).chain(id).collect();
    if !fields.is_empty() {
        url.query_pairs_mut().extend_pairs(fields);
    }
    url
}

/// Sends the data and returns the id that the server gave it, if any.
pub(crate) async fn publish(
    request: RequestBuilder,
    data: String,
) -> Result<Option<String>, Failure> {
    let response = request
        .body(data)
        .send()
        .await
        .map_err(|error| lost(&error))?;
    let status = response.status();
    let location = response.headers().get(LOCATION).cloned();
    let answer = beginning(response).await?;
    let json: Option<Value> = serde_json::from_slice(&answer).ok();
    if status.is_redirection() {
        let location = location.unwrap_or_else(|| http::HeaderValue::from_static("nowhere"));
        let location = String::from_utf8_lossy(location.as_bytes()).into_owned();
        let text = format!("the server answered {status}: publish to {location}");
        return Err(Exit::Refused.because(text));
    }
    if !status.is_success() {
        return Err(refused(status, json.as_ref(), &answer));
    }
    match json.as_ref().and_then(|json| json.get("id")) {
        Some(Value::String(id)) => Ok(Some(id.clone())),
        // The server does not keep the message.
        Some(Value::Null) => Ok(None),
        _ => {
            let text = format!(
                "the server answered {status} without an id: is this its publish endpoint?"
            );
            Err(Exit::Refused.because(text))
        }
    }
}

fn read_stdin() -> Result<String, Failure> {
    let mut data = String::new();
    io::stdin().read_to_string(&mut data).map_err(|error| {
        Exit::Usage.because(format!("cannot read the data from stdin: {error}"))
    })?;
    // `echo` adds a line break that is not part of the data.
    if data.ends_with('\n') {
        data.pop();
        if data.ends_with('\r') {
            data.pop();
        }
    }
    Ok(data)
}

async fn beginning(mut response: Response) -> Result<Vec<u8>, Failure> {
    let mut answer = Vec::new();
    while answer.len() < MOST {
        let Some(chunk) = response.chunk().await.map_err(|error| lost(&error))? else {
            break;
        };
        answer.extend_from_slice(&chunk);
    }
    Ok(answer)
}

/// Returns a failure with the explanation of the server: JSON as the examples send it, or the first
/// line.
fn refused(status: StatusCode, json: Option<&Value>, answer: &[u8]) -> Failure {
    let text = String::from_utf8_lossy(answer);
    let said = json
        .and_then(|json| json.get("error")?.as_str())
        .or_else(|| text.lines().next())
        .unwrap_or_default();
    let colon = if said.is_empty() { "" } else { ": " };
    Exit::Refused.because(format!("the server answered {status}{colon}{said}"))
}

fn lost(error: &reqwest::Error) -> Failure {
    Exit::Lost.because_of(error)
}
