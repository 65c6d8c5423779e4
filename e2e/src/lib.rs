//! A real browser against the example app: what the tests in `tests/` need to start, watch and stop both.
//!
//! It takes Chromium and its driver (Debian: `chromium`, `chromium-driver`) and the app
//! (`cargo build -p example-axum`). `EXAMPLE_AXUM` names another executable to test instead.
//!
//! [`Server`] and [`Browser`] are guards: dropped, they leave neither a process nor a file behind. [`Proxy`] is the
//! network between the two, for the tests to cut. Every wait is an [`eventually`] with a deadline.

mod browser;
mod eventually;
mod http;
mod process;
mod proxy;
mod server;

pub use browser::{Browser, Tab};
pub use eventually::{DEADLINE, eventually};
pub use http::{Response, request};
pub use proxy::{Link, Proxy};
pub use server::{Server, profile_dir};
