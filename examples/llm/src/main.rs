//! Asks an LLM and prints its answer as it comes.
//!
//! ```text
//! cargo run -p example-llm -- "What is an event stream?"
//! OPENAI_API_KEY=sk-.. cargo run -p example-llm -- "What is an event stream?"
//! OPENAI_BASE_URL=http://127.0.0.1:11434/v1 OPENAI_MODEL=llama3.2 cargo run -p example-llm
//! ```
//!
//! The first has neither a key nor a server and asks a mock in the same process; the last asks a
//! server that wants no key. Without arguments the question is a line of standard input. Ctrl-C
//! ends the answer.

use std::{
    env,
    error::Error,
    io::{self, IsTerminal as _},
    process::ExitCode,
};

use axum::serve::ListenerExt;
use example_llm::{Chat, mock};
use sse_client::Report;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("{}", Report::new(&*error));
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<ExitCode, Box<dyn Error>> {
    let prompt = prompt()?;
    let chat = chat().await?;
    let mut output = io::stdout();
    let code = tokio::select! {
        answer = chat.ask(&prompt, &mut output) => answer.map(|()| ExitCode::SUCCESS),
        // This drops the request, too, and the server notices.
        _ = tokio::signal::ctrl_c() => Ok(ExitCode::from(130)),
    };
    println!();
    Ok(code?)
}

/// Returns the arguments, or else a line of standard input.
fn prompt() -> Result<String, Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let mut prompt = arguments.join(" ");
    if prompt.is_empty() {
        if io::stdin().is_terminal() {
            eprint!("your question: ");
        }
        io::stdin().read_line(&mut prompt)?;
    }
    let prompt = prompt.trim();
    if prompt.is_empty() {
        return Err("usage: example-llm QUESTION, or a line of standard input".into());
    }
    Ok(prompt.to_owned())
}

/// Returns the server that the environment names, or else the mock.
async fn chat() -> Result<Chat, Box<dyn Error>> {
    let key = variable("OPENAI_API_KEY");
    let base_url = variable("OPENAI_BASE_URL");
    let model = variable("OPENAI_MODEL");
    if key.is_none() && base_url.is_none() {
        return mocked().await;
    }
    Ok(Chat {
        base_url: base_url.unwrap_or_else(|| "https://api.openai.com/v1".to_owned()),
        key,
        model: model.unwrap_or_else(|| "gpt-4o-mini".to_owned()),
    })
}

async fn mocked() -> Result<Chat, Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    eprintln!("no OPENAI_API_KEY and no OPENAI_BASE_URL: this is the mock, at {address}");
    // Otherwise a small message waits until the client has acknowledged the one before.
    let listener = listener.tap_io(|tcp| _ = tcp.set_nodelay(true));
    tokio::spawn(axum::serve(listener, mock::app(mock::pace)).into_future());
    Ok(Chat {
        base_url: format!("http://{address}"),
        key: Some(mock::KEY.to_owned()),
        model: "mock".to_owned(),
    })
}

/// Returns a variable, unless it is empty.
fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}
