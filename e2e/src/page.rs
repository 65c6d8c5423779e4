//! The page of the example app, as tests see it.
//!
//! In the JavaScript here, `events` is the page's element with that id, and so on.

use std::net::SocketAddr;

use anyhow::Result;
use serde_json::from_value;

use crate::{Browser, Tab};

/// In JavaScript: the page is connected.
pub const OPEN: &str = "state.dataset.state === 'open'";

/// In JavaScript: the page is not connected.
pub const NOT_OPEN: &str = "state.dataset.state !== 'open'";

/// In JavaScript: the data of the newest row, or undefined.
pub const NEWEST: &str = "events.firstElementChild?.querySelector('.data').textContent";

/// Opens a tab with the page and waits until it is connected.
///
/// # Errors
/// If it is not in time.
pub async fn connected(browser: &mut Browser, address: SocketAddr, path: &str) -> Result<Tab> {
    let tab = browser.open(address, path).await?;
    tab.eventually("the page is connected", OPEN).await?;
    Ok(tab)
}

/// Waits until the newest row has this data.
///
/// # Errors
/// If it has not in time.
pub async fn arrived(tab: &Tab, data: &str) -> Result<()> {
    let is_newest = format!("{NEWEST} === '{data}'");
    tab.eventually(&format!("{data} arrives"), &is_newest)
        .await?;
    Ok(())
}

/// Returns the positions in the ids of the rows, oldest first.
///
/// # Errors
/// If the page does not answer, or an id has none.
pub async fn positions(tab: &Tab) -> Result<Vec<u64>> {
    let ids = "Array.from(events.children, (row) => Number(row.dataset.id.split('-')[1]))";
    let positions = tab.run(&format!("return {ids}.reverse()")).await?;
    Ok(from_value(positions)?)
}

/// Returns the data of the rows, oldest first.
///
/// # Errors
/// If the page does not answer.
pub async fn rows(tab: &Tab) -> Result<Vec<String>> {
    let texts = "Array.from(events.querySelectorAll('.data'), (data) => data.textContent)";
    let rows = tab.run(&format!("return {texts}.reverse()")).await?;
    Ok(from_value(rows)?)
}
