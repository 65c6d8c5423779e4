//! Answers as they come: from the mock, from servers that fail, and by the program itself.

use std::{
    future::ready,
    io::{self, Write},
    process::{Output, Stdio},
    sync::Arc,
};

use axum::{
    Router,
    http::StatusCode,
    routing::{MethodRouter, post},
};
use example_llm::{AskError, Chat, mock};
use sse_axum::{Message, Sse, SseBody};
use sse_conformance::in_time;
use tokio::{
    io::AsyncWriteExt as _,
    net::TcpListener,
    process::Command,
    sync::{
        Semaphore,
        mpsc::{self, UnboundedSender},
    },
};

const TOKEN: &str = r#"{"choices":[{"index":0,"delta":{"content":"Well"},"finish_reason":null}]}"#;
const LAST: &str = r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#;
const DONE: &str = "[DONE]";

/// Serves on a free port; returns how to ask there.
async fn serve(app: Router) -> Chat {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(axum::serve(listener, app).into_future());
    Chat {
        base_url,
        key: Some(mock::KEY.to_owned()),
        model: "mock".to_owned(),
    }
}

/// Starts a server whose answer is these events. It leaves the stream open until the client has
/// left, and reports that.
async fn serve_events(events: &'static [&str]) -> (Chat, mpsc::UnboundedReceiver<()>) {
    let (left, has_left) = mpsc::unbounded_channel();
    let answer = post(async move || {
        let (sender, body) = SseBody::channel(events.len());
        tokio::spawn(async move {
            for data in events {
                sender.send(Message::data(*data)).await.unwrap();
            }
            sender.closed().await;
            let _ = left.send(());
        });
        Sse(body)
    });
    (serve(completions(answer)).await, has_left)
}

/// A server whose answer is these events, and then nothing more.
async fn serve_short(events: &'static [&str]) -> Chat {
    let answer = post(async move || {
        let (sender, body) = SseBody::channel(events.len());
        for data in events {
            sender.send(Message::data(*data)).await.unwrap();
        }
        Sse(body)
    });
    serve(completions(answer)).await
}

fn completions(answer: MethodRouter) -> Router {
    Router::new().route("/chat/completions", answer)
}

/// Returns the text that is written, and the result.
async fn ask(chat: &Chat, prompt: &str) -> (String, Result<(), AskError>) {
    let mut output = Vec::new();
    let end = in_time("an answer", chat.ask(prompt, &mut output)).await;
    (String::from_utf8(output).unwrap(), end)
}

/// Reports the bytes that were written at each flush.
struct Flushed {
    text: String,
    texts: UnboundedSender<String>,
}

impl Write for Flushed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.text.push_str(str::from_utf8(bytes).unwrap());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if !self.text.is_empty() {
            let _ = self.texts.send(std::mem::take(&mut self.text));
        }
        Ok(())
    }
}

#[tokio::test]
async fn the_answer_arrives_whole_and_the_question_unharmed() {
    let chat = serve(mock::app(|| ready(()))).await;
    let prompt = "Is this \"JSON\"?\n\\ \u{1f980} data: [DONE]";
    let (text, end) = ask(&chat, prompt).await;
    end.unwrap();
    assert_eq!(text, format!("{prompt}\n\n{}", mock::ANSWER));
}

#[tokio::test]
async fn a_token_is_printed_before_the_next_one_is_sent() {
    let gate = Arc::new(Semaphore::new(0));
    let wait = Arc::clone(&gate);
    let chat = serve(mock::app(move || {
        let wait = Arc::clone(&wait);
        async move { wait.acquire().await.unwrap().forget() }
    }))
    .await;
    let (texts, mut flushed) = mpsc::unbounded_channel();
    let answer = tokio::spawn(async move {
        let text = String::new();
        chat.ask("Why?", &mut Flushed { text, texts }).await
    });
    let whole = format!("Why?\n\n{}", mock::ANSWER);
    for token in whole.split_inclusive(' ') {
        gate.add_permits(1);
        let text = in_time("a token", flushed.recv()).await;
        assert_eq!(text.as_deref(), Some(token));
    }
    in_time("the end", answer).await.unwrap().unwrap();
    assert_eq!(flushed.recv().await, None);
    assert_eq!(gate.available_permits(), 0, "each token has waited");
}

#[tokio::test]
async fn done_ends_the_answer_although_the_stream_stays_open() {
    let (chat, mut has_left) = serve_events(&[TOKEN, LAST, DONE, TOKEN]).await;
    let (text, end) = ask(&chat, "Why?").await;
    end.unwrap();
    assert_eq!(text, "Well");
    in_time("the end of the request", has_left.recv()).await;
}

#[tokio::test]
async fn an_answer_that_ends_early_is_not_taken_for_whole() {
    let (text, end) = ask(&serve_short(&[TOKEN, LAST]).await, "Why?").await;
    assert_eq!(text, "Well");
    let error = end.unwrap_err();
    assert!(error.to_string().contains("not complete"), "{error}");
}

#[tokio::test]
async fn an_error_within_the_stream_is_told_in_the_words_of_the_server() {
    let error = r#"{"error":{"message":"overloaded","type":"server_error"}}"#;
    let both = concat!(
        r#"{"error":{"code":502,"message":"overloaded"},"#,
        r#""choices":[{"delta":{"content":""},"finish_reason":"error"}]}"#
    );
    for events in [vec![TOKEN, error, DONE], vec![TOKEN, both]] {
        let chat = serve_short(events.leak()).await;
        let (text, end) = ask(&chat, "Why?").await;
        assert_eq!(text, "Well");
        let error = end.unwrap_err().to_string();
        assert_eq!(error, "the server broke its answer off: overloaded");
    }
}

#[tokio::test]
async fn what_is_no_chunk_is_shown() {
    let (_, end) = ask(&serve_short(&["Internal error"]).await, "Why?").await;
    let error = end.unwrap_err().to_string();
    assert!(error.ends_with("it begins: Internal error"), "{error}");
}

#[tokio::test]
async fn a_wrong_key_is_told_in_the_words_of_the_server() {
    let mut chat = serve(mock::app(|| ready(()))).await;
    for key in [None, Some("wrong".to_owned())] {
        chat.key = key;
        let (text, end) = ask(&chat, "Why?").await;
        assert_eq!(text, "");
        assert_eq!(
            end.unwrap_err().to_string(),
            "the server refuses with 401 Unauthorized: the key is not that of the mock"
        );
    }
}

#[tokio::test]
async fn a_refusal_that_is_not_json_is_told_as_it_is() {
    let answer = post(|| async { (StatusCode::BAD_GATEWAY, "no server behind this one") });
    let (_, end) = ask(&serve(completions(answer)).await, "Why?").await;
    assert_eq!(
        end.unwrap_err().to_string(),
        "the server refuses with 502 Bad Gateway: no server behind this one"
    );
}

#[tokio::test]
async fn a_reader_that_stops_listening_ends_the_request() {
    let (chat, mut has_left) = serve_events(&[TOKEN]).await;
    let (texts, mut flushed) = mpsc::unbounded_channel();
    let mut output = Flushed {
        text: String::new(),
        texts,
    };
    tokio::select! {
        end = chat.ask("Why?", &mut output) => panic!("{end:?}"),
        token = in_time("a token", flushed.recv()) => assert_eq!(token.as_deref(), Some("Well")),
    }
    in_time("the end of the request", has_left.recv()).await;
}

/// Runs the program without any setting.
async fn run(arguments: &[&str], input: &str) -> Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_example-llm"))
        .args(arguments)
        .env_remove("OPENAI_API_KEY")
        .env_remove("OPENAI_BASE_URL")
        .env_remove("OPENAI_MODEL")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut stdin = program.stdin.take().unwrap();
    // A program that does not read has ended, perhaps.
    let _ = stdin.write_all(input.as_bytes()).await;
    drop(stdin);
    let output = in_time("the program", program.wait_with_output()).await;
    output.unwrap()
}

#[tokio::test]
async fn without_a_key_the_program_asks_its_mock_and_says_so() {
    for (arguments, input) in [(&["Why", "so?"][..], ""), (&[], "Why so?\nnot this\n")] {
        let output = run(arguments, input).await;
        assert!(output.status.success());
        let answer = format!("Why so?\n\n{}\n", mock::ANSWER);
        assert_eq!(String::from_utf8_lossy(&output.stdout), answer);
        let notes = String::from_utf8_lossy(&output.stderr);
        assert!(notes.contains("this is the mock"), "{notes}");
    }
}

#[tokio::test]
async fn without_a_question_the_program_says_how_to_ask() {
    let output = run(&[], "").await;
    assert!(!output.status.success());
    let notes = String::from_utf8_lossy(&output.stderr);
    assert!(notes.starts_with("usage: "), "{notes}");
}
