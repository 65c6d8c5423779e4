//! A question, and its answer as it comes.

use std::io::{self, Write};

use serde::Deserialize;
use serde_json::json;
use sse_client::{JsonError, TransportError};

/// A server with a model to ask.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "the key is a secret")]
pub struct Chat {
    /// The URL to which `/chat/completions` is appended.
    pub base_url: String,
    /// The key. Local servers often want none.
    pub key: Option<String>,
    /// The name of the model.
    pub model: String,
}

/// The reason why there is no answer, or only a part of it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AskError {
    /// There is no response.
    #[error("cannot ask")]
    Request(#[from] TransportError),
    /// The server answered with an error, not with an event stream: the key is wrong, perhaps.
    #[error("the server refuses with {status}: {message}")]
    Refused {
        /// The status.
        status: reqwest::StatusCode,
        /// The explanation of the server.
        message: String,
    },
    /// The server reported an error within its answer.
    #[error("the server broke its answer off: {0}")]
    Failed(String),
    /// The stream broke off, or is not as expected.
    #[error(transparent)]
    Read(JsonError),
    /// The output failed.
    #[error("cannot write the answer")]
    Write(#[from] io::Error),
}

impl Chat {
    /// Asks, and writes the answer token by token as it comes.
    ///
    /// Dropping the future ends the request, and the server stops.
    pub async fn ask(&self, prompt: &str, output: &mut impl Write) -> Result<(), AskError> {
        let response = self.request(prompt).send().await;
        let response = response.map_err(TransportError::new)?;
        let mut chunks = sse_client::read(response).until_done().json::<Chunk>();
        while let Some(chunk) = chunks.next().await {
            output.write_all(chunk?.token()?.as_bytes())?;
            output.flush()?;
        }
        Ok(())
    }

    fn request(&self, prompt: &str) -> reqwest::RequestBuilder {
        let url = format!("{}/chat/completions", self.base_url.trim_end_matches('/'));
        let request = reqwest::Client::new().post(url).json(&json!({
            "model": self.model,
            "messages": [{ "role": "user", "content": prompt }],
            "stream": true,
        }));
        match &self.key {
            Some(key) => request.bearer_auth(key),
            None => request,
        }
    }
}

/// A piece of an answer. Not every one has a choice: one may report the cost of the answer, or an
/// error.
#[derive(Deserialize)]
struct Chunk {
    #[serde(default)]
    choices: Vec<Choice>,
    error: Option<ServerError>,
}

#[derive(Deserialize)]
struct Choice {
    #[serde(default)]
    delta: Delta,
}

/// The new part. The first one only says who speaks, and the last one is empty.
#[derive(Default, Deserialize)]
struct Delta {
    content: Option<String>,
}

#[derive(Deserialize)]
struct ServerError {
    message: String,
}

impl Chunk {
    fn token(&self) -> Result<&str, AskError> {
        if let Some(error) = &self.error {
            return Err(AskError::Failed(error.message.clone()));
        }
        let choice = self.choices.first();
        Ok(choice
            .and_then(|choice| choice.delta.content.as_deref())
            .unwrap_or_default())
    }
}

impl From<JsonError> for AskError {
    fn from(error: JsonError) -> Self {
        let Some(refused) = error.refused() else {
            return Self::Read(error);
        };
        // Most servers explain a refusal as they do within a stream. A proxy in front of them may
        // answer with anything.
        let explained = serde_json::from_str::<Chunk>(&refused.text);
        let message = explained.ok().and_then(|chunk| chunk.error);
        Self::Refused {
            status: refused.status,
            message: message.map_or_else(|| refused.text.clone(), |error| error.message),
        }
    }
}
