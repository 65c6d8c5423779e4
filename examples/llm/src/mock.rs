//! A server that answers as `OpenAI`'s does, with the same answer to every question.

use std::{future::Future, time::Duration};

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode, header::AUTHORIZATION},
    response::{IntoResponse, Response},
    routing::post,
};
use serde_json::{Value, json};
use sse_axum::{
    Message, Sse, SseBody,
    sse_core::channel::{Disconnected, Sender},
};
use tokio::time;

/// The key that it requires.
pub const KEY: &str = "mock";

/// The answer to every question.
pub const ANSWER: &str = "An event stream is a response that does not end: for each event \
    the server writes a few lines of text and an empty one, and the client reads them as they \
    come. You are reading one.";

/// A token after another, as a model would produce them.
pub async fn pace() {
    // pace: slow enough to be seen
    time::sleep(Duration::from_millis(60)).await;
}

/// The server; it waits for a `pace` before each token.
pub fn app<P, F>(pace: P) -> Router
where
    P: Fn() -> F + Clone + Send + Sync + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    Router::new()
        .route("/chat/completions", post(complete::<P, F>))
        .with_state(pace)
}

async fn complete<P, F>(
    State(pace): State<P>,
    headers: HeaderMap,
    Json(question): Json<Value>,
) -> Response
where
    P: Fn() -> F + Send + Sync + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let authorization = headers.get(AUTHORIZATION);
    if authorization.is_none_or(|value| value != format!("Bearer {KEY}").as_str()) {
        return refuse(StatusCode::UNAUTHORIZED, "the key is not that of the mock");
    }
    let Some(prompt) = question["messages"][0]["content"].as_str() else {
        return refuse(StatusCode::BAD_REQUEST, "there is no message to answer");
    };
    let answer = format!("{prompt}\n\n{ANSWER}");
    let (sender, body) = SseBody::channel(1);
    // An error says that nobody reads on.
    tokio::spawn(async move { speak(&sender, &answer, pace).await });
    Sse(body).into_response()
}

async fn speak<F: Future>(
    sender: &Sender,
    answer: &str,
    pace: impl Fn() -> F,
) -> Result<(), Disconnected> {
    // What a server sends that has to think first, so that nobody takes it for dead.
    sender.send(Message::default().comment("thinking")).await?;
    let role = json!({ "role": "assistant", "content": null });
    sender.send(chunk(&role, None)).await?;
    for token in answer.split_inclusive(' ') {
        pace().await;
        let delta = json!({ "content": token });
        sender.send(chunk(&delta, None)).await?;
    }
    sender.send(chunk(&json!({}), Some("stop"))).await?;
    let cost = json!({ "choices": [], "usage": { "total_tokens": 42 } });
    sender.send(Message::data(cost.to_string())).await?;
    sender.send(Message::data("[DONE]")).await
}

fn chunk(delta: &Value, finish_reason: Option<&str>) -> Message {
    let choice = json!({ "index": 0, "delta": delta, "finish_reason": finish_reason });
    let chunk = json!({ "object": "chat.completion.chunk", "choices": [choice] });
    Message::data(chunk.to_string())
}

fn refuse(status: StatusCode, message: &str) -> Response {
    let error = json!({ "error": { "message": message, "type": "invalid_request_error" } });
    (status, Json(error)).into_response()
}
