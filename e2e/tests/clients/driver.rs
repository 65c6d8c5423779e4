//! A running client, and its reports so far.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use anyhow::{Context as _, Result, anyhow, ensure};
use e2e::{Browser, Tab};
use serde_json::{Value, from_value, json};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, BufReader},
    process::{Child, Command},
};

use crate::{
    client::Program,
    events::{Event, TYPES},
};

/// A running client. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct Driver {
    process: Running,
    heard: Arc<Mutex<Heard>>,
}

#[derive(Debug)]
enum Running {
    Process(#[expect(dead_code, reason = "dropped, it ends")] Box<Child>),
    // In this order: the tab belongs to the browser.
    Page(
        Tab,
        #[expect(dead_code, reason = "dropped, it ends")] Box<Browser>,
    ),
}

/// The reports of a client so far.
#[derive(Debug, Clone, Default)]
pub(crate) struct Heard {
    /// The number of times that it connected.
    pub(crate) opens: usize,
    pub(crate) events: Vec<Event>,
    /// Everything else, for the reader of a failure.
    pub(crate) notes: Vec<String>,
}

impl Driver {
    /// Starts a client on the stream of a topic.
    pub(crate) async fn start(program: Program, address: SocketAddr, topic: &str) -> Result<Self> {
        let path = format!("/events?topic={topic}");
        let url = format!("http://{address}{path}");
        let heard = Arc::default();
        let process = match program {
            Program::Node(script) => start_process("node", &[script, &url], &heard)?,
            Program::Python(script) => {
                let python = installed()?.join("venv/bin/python");
                start_process(python, &[script, &url], &heard)?
            }
            Program::Rust(program) => start_process(program, &[&url], &heard)?,
            Program::Chromium => start_page(address, &path).await?,
        };
        Ok(Self { process, heard })
    }

    /// Returns the reports of the client so far.
    pub(crate) async fn heard(&self) -> Result<Heard> {
        if let Running::Page(tab, _) = &self.process {
            let lines = tab.run("return lines.splice(0)").await?;
            for line in from_value::<Vec<Value>>(lines)? {
                hear(&self.heard, &line)?;
            }
        }
        Ok(lock(&self.heard).clone())
    }
}

fn start_process(
    program: impl AsRef<Path>,
    arguments: &[&str],
    heard: &Arc<Mutex<Heard>>,
) -> Result<Running> {
    let program = program.as_ref();
    let mut child = Command::new(program)
        .current_dir(installed()?)
        .args(arguments)
        .args(TYPES.map(|(kind, _)| kind))
        .kill_on_drop(true)
        // Drivers end with their standard input, even if nothing is dropped.
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("{} does not start", program.display()))?;
    let stdout = child.stdout.take().context("standard output is piped")?;
    let stderr = child.stderr.take().context("standard error is piped")?;
    listen(stdout, heard, |heard, line| {
        let told = serde_json::from_str(&line).map_err(|_| anyhow!("not JSON: {line}"));
        if let Err(error) = told.and_then(|line| hear(heard, &line)) {
            lock(heard).notes.push(format!("{error:#}"));
        }
    });
    listen(stderr, heard, |heard, line| lock(heard).notes.push(line));
    Ok(Running::Process(Box::new(child)))
}

/// Calls `take` with each line, until there are no more.
fn listen(
    output: impl AsyncRead + Send + Unpin + 'static,
    heard: &Arc<Mutex<Heard>>,
    take: fn(&Mutex<Heard>, String),
) {
    let heard = Arc::clone(heard);
    tokio::spawn(async move {
        let mut lines = BufReader::new(output).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            take(&heard, line);
        }
        let note = "an output of the driver has ended".to_owned();
        lock(&heard).notes.push(note);
    });
}

async fn start_page(address: SocketAddr, path: &str) -> Result<Running> {
    let mut browser = Browser::start().await?;
    // Any page of the server will do, for its origin.
    let tab = browser.open(address, "/").await?;
    let types = json!(TYPES.map(|(kind, _)| kind));
    let script = include_str!("../../clients/chromium.js");
    tab.run(&format!("const url = '{path}', types = {types};\n{script}"))
        .await?;
    Ok(Running::Page(tab, Box::new(browser)))
}

fn hear(heard: &Mutex<Heard>, line: &Value) -> Result<()> {
    let event = match (&line["open"], &line["note"]) {
        (Value::Bool(true), _) => {
            lock(heard).opens += 1;
            return Ok(());
        }
        (_, Value::String(note)) => {
            lock(heard).notes.push(note.clone());
            return Ok(());
        }
        _ => Event::reported(line)?,
    };
    lock(heard).events.push(event);
    Ok(())
}

fn lock(heard: &Mutex<Heard>) -> std::sync::MutexGuard<'_, Heard> {
    heard.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns the folder of the clients' packages. The drivers are copied into it, where their imports
/// find the packages.
pub(crate) fn installed() -> Result<&'static Path> {
    static FOLDER: OnceLock<Result<PathBuf>> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let e2e = Path::new(env!("CARGO_MANIFEST_DIR"));
        let folder = e2e.with_file_name("target").join("clients");
        for part in ["node_modules", "venv/bin/python"] {
            ensure!(
                folder.join(part).exists(),
                "the clients are not installed: run `cargo xtask test-all --step clients`"
            );
        }
        for entry in fs::read_dir(e2e.join("clients"))? {
            let driver = entry?.path();
            let is_driver = driver
                .extension()
                .is_some_and(|it| it == "mjs" || it == "py");
            if let Some(name) = driver.file_name().filter(|_| is_driver) {
                fs::copy(&driver, folder.join(name))?;
            }
        }
        Ok(folder)
    });
    match folder {
        Ok(folder) => Ok(folder),
        Err(error) => Err(anyhow!("{error:#}")),
    }
}
