//! Tools with which the tests in `tests/` start, watch and stop real clients and the example apps.
//!
//! They need Chromium and its driver (Debian: `chromium`, `chromium-driver`) and the apps (`cargo
//! build -p example-axum`, and so on). `EXAMPLE_AXUM` names another executable to test instead. The
//! clients that `tests/clients` starts are installed by `cargo xtask test-all --step clients`.
//!
//! [`Server`], [`Browser`] and [`Folder`] are guards, which leave neither a process nor a file
//! behind when they are dropped. [`Proxy`] is the network between the first two, which tests can
//! cut. [`HubServer`] is a server in the test's own process, for settings that the apps do not
//! have. Every wait is an [`eventually`] with a deadline.

mod app;
mod browser;
mod eventually;
mod folder;
mod http;
mod hub_server;
pub mod page;
mod process;
mod proxy;
mod server;

pub use app::{App, profile_dir};
pub use browser::{Browser, Tab};
pub use eventually::{DEADLINE, eventually};
pub use folder::Folder;
pub use http::{Response, request};
pub use hub_server::HubServer;
pub use proxy::{Link, Proxy};
pub use server::{Server, publish, publish_until_it_fails};
