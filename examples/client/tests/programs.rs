//! The programs, started for real.

use std::process::{ExitStatus, Stdio};

use sse_client::reqwest;
use sse_conformance::in_time;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader, Lines},
    process::{Child, ChildStdout, Command},
};

/// A process, killed on drop, and the lines it prints.
struct Program {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Program {
    fn start(path: &str, address: &str, arguments: &[&str]) -> Self {
        let mut child = Command::new(path)
            .args(arguments)
            .env("ADDR", address)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// A server on a free port, and where it listens.
    async fn serve(path: &str) -> (Self, String) {
        let mut server = Self::start(path, "127.0.0.1:0", &[]);
        let line = server.line().await.expect("a line");
        let address = line
            .strip_prefix("listening on http://")
            .expect("an address");
        (server, address.to_owned())
    }

    async fn line(&mut self) -> Option<String> {
        in_time("a line", self.lines.next_line()).await.unwrap()
    }

    /// Waits for a line that begins so, however many others come.
    async fn prints(&mut self, start: &str) {
        let looking = async {
            let mut seen = Vec::new();
            while let Some(line) = self.line().await {
                if line.starts_with(start) {
                    return;
                }
                seen.push(line);
            }
            panic!("no line begins with {start:?}: {seen:?}");
        };
        in_time(start, looking).await;
    }

    async fn end(mut self) -> ExitStatus {
        in_time("the end", self.child.wait()).await.unwrap()
    }
}

#[tokio::test]
async fn hello_is_said_and_heard() {
    let (_server, address) = Program::serve(env!("CARGO_BIN_EXE_hello-server")).await;
    let url = format!("http://{address}/events");
    let mut client = Program::start(env!("CARGO_BIN_EXE_hello-client"), "", &[&url]);
    for _ in 0..2 {
        assert_eq!(client.line().await.as_deref(), Some("Hello world"));
    }
}

#[tokio::test]
async fn a_client_follows_until_the_server_is_stopped_and_both_end_well() {
    let (server, address) = Program::serve(env!("CARGO_BIN_EXE_complex-server")).await;
    let client = env!("CARGO_BIN_EXE_complex-client");
    let mut metrics = Program::start(client, &address, &["--sub", "metrics"]);
    let mut numbers = Program::start(client, &address, &["--sub", "numbers"]);
    let mut all = Program::start(client, &address, &[]);
    metrics.prints("Metric cycles: ").await;
    numbers.prints("Sum of random numbers: ").await;
    all.prints("Metric ops: ").await;

    let stop = reqwest::Client::new().post(format!("http://{address}/stop"));
    let response = in_time("a response", stop.send()).await.unwrap();
    assert_eq!(response.text().await.unwrap(), "stopping\n");
    for mut client in [metrics, numbers, all] {
        client.prints("Server closed!").await;
        assert!(client.end().await.success());
    }
    assert!(server.end().await.success());
}

#[cfg(unix)]
#[tokio::test]
async fn a_server_that_is_terminated_says_goodbye_too() {
    let (server, address) = Program::serve(env!("CARGO_BIN_EXE_complex-server")).await;
    let mut client = Program::start(env!("CARGO_BIN_EXE_complex-client"), &address, &[]);
    client.prints("Metric cycles: ").await;
    let process = server.child.id().expect("it runs").to_string();
    let kill = Command::new("kill").arg(&process).status();
    assert!(in_time("a signal", kill).await.unwrap().success());
    client.prints("Server closed!").await;
    assert!(client.end().await.success());
    assert!(server.end().await.success());
}

#[tokio::test]
async fn what_the_client_does_not_know_it_says() {
    let client = Program::start(env!("CARGO_BIN_EXE_complex-client"), "", &["--sub", "news"]);
    assert!(!client.end().await.success());
}
