//! The guard of a browser, and the actions of a test in its tabs.

use std::{
    io::{Read as _, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    ops::ControlFlow,
    process::Stdio,
};

use anyhow::{Context as _, Result, ensure};
use fantoccini::{Client, ClientBuilder, Locator, elements::Element, wd::WindowHandle};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::{DEADLINE, Folder, eventually, process::Process, request};

/// The arguments of the browser: no screen, no graphics card, no more shared memory than containers
/// have, no traffic of the browser itself.
const ARGUMENTS: &[&str] = &[
    "--headless=new",
    "--window-size=1280,800",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
];

/// A script that returns the state of the page, for the message of a failed wait.
const SNAPSHOT: &str = r#"
    const text = (id) => document.getElementById(id)?.textContent;
    const row = (row) => [row.dataset.type, row.dataset.id, row.querySelector(".data").textContent];
    return {
        address: location.href, state: text("state"), reconnects: text("reconnects"), received: text("received"),
        "last id": text("last-id"), answer: text("answer"), clock: text("clock"),
        alone: typeof seen === "undefined" ? undefined : { opens, errors, seen, state: source.readyState },
        "newest events": [...document.querySelectorAll(".event")].slice(0, 10).map(row),
    };
"#;

/// Headless Chromium with its own profile. Dropping it ends the browser and deletes the profile.
#[derive(Debug)]
pub struct Browser {
    client: Client,
    unused: Option<WindowHandle>,
    // In this order: the profile is deleted when nobody writes to it any more.
    driver: Driver,
    _profile: Folder,
}

impl Browser {
    /// Starts the browser and a driver for it.
    ///
    /// # Errors
    /// If one of the two is not installed or does not start.
    pub async fn start() -> Result<Self> {
        let profile = Folder::create()?;
        let driver = Driver::start().await?;
        let mut args = vec![format!("--user-data-dir={}", profile.path().display())];
        args.extend(ARGUMENTS.iter().copied().map(str::to_owned));
        let capabilities =
            json!({ "goog:chromeOptions": { "binary": "/usr/bin/chromium", "args": args } });
        let Value::Object(capabilities) = capabilities else {
            unreachable!("the line above makes an object")
        };
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&format!("http://{}", driver.address))
            .await
            .context("the driver does not start a browser")?;
        let unused = Some(client.window().await?);
        Ok(Self {
            client,
            unused,
            driver,
            _profile: profile,
        })
    }

    /// Opens `path` of the server, or proxy, at `address` in a new tab.
    ///
    /// # Errors
    /// If the page does not load.
    pub async fn open(&mut self, address: SocketAddr, path: &str) -> Result<Tab> {
        let window = match self.unused.take() {
            Some(window) => window,
            None => self.client.new_window(true).await?.handle,
        };
        let tab = Tab {
            client: self.client.clone(),
            window,
            driver_address: self.driver.address,
        };
        tab.go(&format!("http://{address}{path}")).await?;
        Ok(tab)
    }
}

/// One tab of a [`Browser`], which is gone when the browser is dropped.
#[derive(Debug)]
pub struct Tab {
    client: Client,
    window: WindowHandle,
    driver_address: SocketAddr,
}

impl Tab {
    /// Goes to another address in the same tab.
    ///
    /// # Errors
    /// If the page does not load.
    pub async fn go(&self, url: &str) -> Result<()> {
        self.focus().await?;
        self.client
            .goto(url)
            .await
            .with_context(|| format!("{url} does not load"))
    }

    /// Goes back in the tab's history.
    ///
    /// # Errors
    /// If the page does not load.
    pub async fn back(&self) -> Result<()> {
        self.focus().await?;
        Ok(self.client.back().await?)
    }

    /// Runs the body of an `async` function in the page and returns its result.
    ///
    /// # Errors
    /// If it throws.
    pub async fn run(&self, body: &str) -> Result<Value> {
        self.focus().await?;
        let script = format!("return (async () => {{ {body} }})();");
        self.client
            .execute(&script, Vec::new())
            .await
            .with_context(|| format!("in the page: {body}"))
    }

    /// Waits until a JavaScript expression is truthy, and returns its value. An error counts as
    /// "not yet".
    ///
    /// # Errors
    /// If it is not so within [`DEADLINE`]. The message has the state of the page.
    pub async fn eventually(&self, what: &str, expression: &str) -> Result<Value> {
        eventually(what, DEADLINE, async || {
            Ok(
                match self.run(&format!("return ({expression}) || null;")).await {
                    Ok(Value::Null) => ControlFlow::Continue(self.run(SNAPSHOT).await?.to_string()),
                    Ok(value) => ControlFlow::Break(value),
                    Err(error) => ControlFlow::Continue(format!("{error:#}")),
                },
            )
        })
        .await
    }

    /// Types into the element that `css` selects, as a person does.
    ///
    /// # Errors
    /// If there is none that can be typed into.
    pub async fn type_into(&self, css: &str, keys: &str) -> Result<()> {
        Ok(self.find(css).await?.send_keys(keys).await?)
    }

    /// Clicks the element that `css` selects.
    ///
    /// # Errors
    /// If there is none that can be clicked.
    pub async fn click(&self, css: &str) -> Result<()> {
        Ok(self.find(css).await?.click().await?)
    }

    /// Takes a picture of the page as PNG, on a screen of this size with two pixels to the CSS
    /// pixel. The tab keeps the size.
    ///
    /// # Errors
    /// If the browser cannot do it.
    pub async fn picture(&self, width: u32, height: u32) -> Result<Vec<u8>> {
        self.focus().await?;
        // WebDriver has windows only, which are no narrower than 500 pixels.
        let session = self
            .client
            .session_id()
            .await?
            .context("the browser has gone")?;
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 2, "mobile": width < 500 });
        let command =
            json!({ "cmd": "Emulation.setDeviceMetricsOverride", "params": metrics }).to_string();
        let target = format!("/session/{session}/goog/cdp/execute");
        let answer = request(self.driver_address, "POST", &target, &command).await?;
        ensure!(answer.status == 200, "the screen cannot be set: {answer:?}");
        self.run("scrollTo(0, 0)").await?;
        // A page that overflows makes the screen of a phone wider, in its own eyes.
        let still = format!("innerWidth === {width} && document.getAnimations().length === 0");
        self.eventually("the page fits and nothing moves", &still)
            .await?;
        Ok(self.client.screenshot().await?)
    }

    async fn find(&self, css: &str) -> Result<Element> {
        self.focus().await?;
        self.client
            .find(Locator::Css(css))
            .await
            .with_context(|| format!("the page has no {css}"))
    }

    async fn focus(&self) -> Result<()> {
        Ok(self.client.switch_to_window(self.window.clone()).await?)
    }
}

/// The program that a WebDriver client talks to and that starts the browser.
#[derive(Debug)]
struct Driver {
    address: SocketAddr,
    _process: Process,
}

impl Driver {
    async fn start() -> Result<Self> {
        let mut command = Command::new("chromedriver");
        command.arg("--port=0").stderr(Stdio::null());
        let started = Process::start(command, printed_port).await;
        let (process, port) =
            started.context("no browser: install the packages chromium and chromium-driver")?;
        Ok(Self {
            address: (Ipv4Addr::LOCALHOST, port).into(),
            _process: process,
        })
    }

    /// Ends the browser, which would outlive a driver that is merely killed. Blocks for a tenth of
    /// a second.
    fn quit(&self) -> std::io::Result<()> {
        let mut stream = TcpStream::connect(self.address)?;
        stream.set_read_timeout(Some(DEADLINE))?;
        write!(
            stream,
            "GET /shutdown HTTP/1.1\r\nhost: {}\r\n\r\n",
            self.address
        )?;
        stream.read_exact(&mut [0]) // it answers when the browser has ended
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        if let Err(error) = self.quit() {
            eprintln!("a browser may be left behind: {error}");
        }
    }
}

/// Returns the port in `ChromeDriver was started successfully on port 40123.`
fn printed_port(line: &str) -> Option<u16> {
    let (_, port) = line.split_once("started successfully on port ")?;
    port.trim_end_matches('.').parse().ok()
}
