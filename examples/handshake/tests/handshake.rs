//! Both programs, started for real.

use std::{
    error::Error,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::{Duration, Instant},
};

/// The limit for everything that should take a moment.
const DEADLINE: Duration = Duration::from_secs(20);

/// A process, killed on drop, and the lines it prints.
struct Program {
    child: Child,
    lines: Receiver<String>,
}

impl Program {
    fn start(path: &str, address: &str) -> Result<Self, Box<dyn Error>> {
        let mut child = Command::new(path)
            .env("ADDR", address)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let (sender, lines) = channel();
        let outputs: [Option<Box<dyn Read + Send>>; 2] = [
            child.stdout.take().map(|output| Box::new(output) as _),
            child.stderr.take().map(|output| Box::new(output) as _),
        ];
        for output in outputs.into_iter().flatten() {
            let sender = sender.clone();
            thread::spawn(move || {
                for line in BufReader::new(output).lines().map_while(Result::ok) {
                    let _ = sender.send(line);
                }
            });
        }
        Ok(Self { child, lines })
    }

    /// Waits for a line that ends so.
    #[track_caller]
    fn prints(&self, end: &str) {
        let deadline = Instant::now() + DEADLINE;
        let mut seen = Vec::new();
        while !seen.last().is_some_and(|line: &String| line.ends_with(end)) {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(line) = self.lines.recv_timeout(left) else {
                panic!("no line ends with {end:?}: {seen:?}");
            };
            seen.push(line);
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Requests `/`, and returns the answer.
fn request(method: &str, address: &str) -> Result<String, Box<dyn Error>> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(DEADLINE))?;
    write!(stream, "{method} / HTTP/1.0\r\nhost: {address}\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

#[cfg(unix)]
#[test]
fn a_request_that_is_never_finished_does_not_hold_up_the_end() -> Result<(), Box<dyn Error>> {
    let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string();
    let mut server = Program::start(env!("CARGO_BIN_EXE_handshake-server"), &address)?;
    server.prints(&address);
    let mut half = TcpStream::connect(&address)?;
    half.write_all(b"GET / HTTP/1.1\r\nhost: a\r\nx: ")?;
    // Answered after the other connection was accepted.
    request("GET", &address)?;

    let kill = Command::new("kill")
        .arg(server.child.id().to_string())
        .status()?;
    assert!(kill.success(), "{kill}");
    let deadline = Instant::now() + DEADLINE;
    let status = loop {
        match server.child.try_wait()? {
            Some(status) => break status,
            None if Instant::now() > deadline => panic!("it does not end"),
            // pace: looks again
            None => thread::sleep(Duration::from_millis(20)),
        }
    };
    assert!(status.success(), "{status}");
    Ok(())
}

#[test]
fn a_client_waits_for_the_server_gets_its_messages_and_comes_back() -> Result<(), Box<dyn Error>> {
    // A port that nobody listens on yet.
    let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string();
    let client = Program::start(env!("CARGO_BIN_EXE_handshake-client"), &address)?;
    client.prints("; trying again");

    for _ in 0..2 {
        let server = Program::start(env!("CARGO_BIN_EXE_handshake-server"), &address)?;
        client.prints("connected");
        for n in 1..=3 {
            let page = request("GET", &address)?;
            assert!(page.contains("<form method=post>"), "{page}");
            let answer = request("POST", &address)?;
            assert!(
                answer.ends_with(&format!("sent: hello number {n}\n")),
                "{answer}"
            );
            client.prints(&format!("hello number {n}"));
        }
        drop(server);
        client.prints("; trying again");
    }
    Ok(())
}
