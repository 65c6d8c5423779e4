//! The browser's own `EventSource` alone: cut off early, refused, and at a hub that is full.
//!
//! In the JavaScript here, `source` and so on are those of the page of a [`HubServer`].

use std::{sync::Arc, time::Duration};

use anyhow::{Result, ensure};
use e2e::{App, Browser, HubServer, Link, Proxy, Tab};
use serde_json::json;
use sse_core::{
    FiniteReplayer, Hub, Joe, Message, hub::HubBuilder, joe::JoeBuilder, provider::Provider,
};
use tokio::time::sleep;

const TOPIC: &str = "news";
const PAGE: &str = "/?topic=news";

/// In JavaScript: the stream is open. The stream of a refusal is, too, for a moment.
const OPEN: &str = "source.readyState === EventSource.OPEN";

/// In JavaScript: the page was refused by a stream that has ended, and the browser will try again.
const REFUSED: &str = "opens >= 1 && errors >= 1 && source.readyState === EventSource.CONNECTING";

fn joe() -> JoeBuilder {
    let replayer = FiniteReplayer::new(100);
    Joe::builder().replayer(replayer)
}

/// Returns a hub that sends nothing by itself, and so does not notice clients that have left.
fn hub(joe: impl Provider) -> HubBuilder {
    Hub::builder(joe).keep_alive(Duration::from_secs(600))
}

async fn publish(hub: &Hub, data: &str) -> Result<()> {
    // The browser's own time is 3 s.
    let message = Message::data(data).retry(Duration::from_millis(100));
    hub.publish(message, TOPIC).await?;
    Ok(())
}

/// Waits until exactly this data has arrived.
async fn has_seen(tab: &Tab, data: &[&str]) -> Result<()> {
    let seen = format!("JSON.stringify(seen) === {:?}", json!(data).to_string());
    let what = format!("exactly {data:?} arrives");
    tab.eventually(&what, &seen).await?;
    Ok(())
}

/// Leaves the page. It closes its stream, which the browser would keep with the page for a minute,
/// in case the user goes back.
async fn leave(tab: &Tab) -> Result<()> {
    tab.run("addEventListener('pagehide', () => source.close())")
        .await?;
    tab.go("about:blank").await
}

/// Returns a tab that was cut off before its first message, while one was published, and has
/// received one that was published later.
async fn cut_off_before_the_first_message(hub: Hub) -> Result<(Browser, Tab)> {
    let server = HubServer::start(App::Axum, hub.clone()).await?;
    let proxy = Proxy::start(server.address()).await?;
    let mut browser = Browser::start().await?;
    let tab = browser.open(proxy.address(), PAGE).await?;
    tab.eventually("the stream is open", OPEN).await?;
    // pace: the first bytes come right after the head, which is all that the page is told of
    sleep(Duration::from_millis(500)).await;

    proxy.set(Link::Cut).await?;
    tab.eventually("the page sees the cut", "errors >= 1")
        .await?;
    publish(&hub, "missed").await?;
    proxy.set(Link::Up).await?;
    tab.eventually(
        "the stream is open again",
        &format!("{OPEN} && opens === 2"),
    )
    .await?;
    publish(&hub, "live").await?;
    tab.eventually("the live message arrives", "seen.includes('live')")
        .await?;
    Ok((browser, tab))
}

#[tokio::test]
async fn a_page_cut_off_before_its_first_message_misses_nothing() -> Result<()> {
    let (_browser, tab) = cut_off_before_the_first_message(hub(joe().build()).build()).await?;
    has_seen(&tab, &["missed", "live"]).await
}

#[tokio::test]
async fn without_the_opening_id_a_page_cut_off_early_counts_as_new() -> Result<()> {
    let hub = hub(joe().build()).opening_id(false).build();
    let (_browser, tab) = cut_off_before_the_first_message(hub).await?;
    has_seen(&tab, &["live"]).await
}

#[tokio::test]
async fn a_page_refused_by_a_full_hub_comes_back_when_there_is_room() -> Result<()> {
    let joe = Arc::new(joe().max_subscribers(1).build());
    let hub = hub(Arc::clone(&joe)).build();
    let server = HubServer::start(App::Axum, hub.clone()).await?;
    let mut browser = Browser::start().await?;
    let first = browser.open(server.address(), PAGE).await?;
    first.eventually("the stream is open", OPEN).await?;
    let second = browser.open(server.address(), PAGE).await?;
    second.eventually("it is refused", REFUSED).await?;

    leave(&first).await?;
    second
        .eventually("it is open", &format!("{OPEN} && opens === 2"))
        .await?;
    publish(&hub, "welcome").await?;
    has_seen(&second, &["welcome"]).await
}

#[tokio::test]
async fn a_page_refused_at_a_shutdown_finds_the_next_server() -> Result<()> {
    let old = hub(joe().build()).build();
    let server = HubServer::start(App::Axum, old.clone()).await?;
    let address = server.address();
    let mut browser = Browser::start().await?;
    let tab = browser.open(address, PAGE).await?;
    tab.eventually("the stream is open", OPEN).await?;
    publish(&old, "before").await?;
    has_seen(&tab, &["before"]).await?;

    // The server still answers.
    old.shutdown().await?;
    tab.eventually("it is refused", &format!("{REFUSED} && opens === 2"))
        .await?;
    server.stop().await?;
    let new = hub(joe().build()).build();
    let _server = HubServer::start_at(App::Axum, address, new.clone()).await?;
    tab.eventually("it is open", &format!("{OPEN} && opens === 3"))
        .await?;
    publish(&new, "after").await?;
    // The history has gone with the old server.
    has_seen(&tab, &["before", "gap", "after"]).await
}

/// Checks that the page is told each time, until it has loaded the current state and begins again.
#[tokio::test]
async fn a_page_refused_for_a_gap_is_told_and_comes_back() -> Result<()> {
    let old = hub(joe().build()).build();
    let server = HubServer::start(App::Axum, old.clone()).await?;
    let address = server.address();
    let mut browser = Browser::start().await?;
    let path = format!("{PAGE}&on_gap=refuse");
    let tab = browser.open(address, &path).await?;
    tab.eventually("the stream is open", OPEN).await?;
    publish(&old, "before").await?;
    has_seen(&tab, &["before"]).await?;

    server.stop().await?;
    let new = hub(joe().build()).build();
    let _server = HubServer::start_at(App::Axum, address, new.clone()).await?;
    has_seen(&tab, &["before", "gap"]).await?;
    tab.eventually("it is refused", REFUSED).await?;
    publish(&new, "not for it").await?;
    has_seen(&tab, &["before", "gap", "gap"]).await?;
    tab.go(&format!("http://{address}{path}")).await?;
    tab.eventually("the stream is open", OPEN).await?;
    publish(&new, "after").await?;
    has_seen(&tab, &["after"]).await
}

#[tokio::test]
async fn a_reload_at_a_full_hub_finds_its_own_place_in_every_framework() -> Result<()> {
    let mut browser = Browser::start().await?;
    let mut failed = Vec::new();
    for app in App::ALL {
        if let Err(error) = reload_at_a_full_hub(&mut browser, app).await {
            failed.push(format!("{app}: {error:#}"));
        }
    }
    ensure!(failed.is_empty(), "{failed:#?}");
    Ok(())
}

async fn reload_at_a_full_hub(browser: &mut Browser, app: App) -> Result<()> {
    let hub = hub(joe().max_subscribers(1).build()).build();
    let server = HubServer::start(app, hub.clone()).await?;
    let tab = browser.open(server.address(), PAGE).await?;
    tab.eventually("the stream is open", OPEN).await?;
    tab.go(&format!("http://{}{PAGE}", server.address()))
        .await?;
    tab.eventually("the stream is open", OPEN).await?;
    publish(&hub, "welcome").await?;
    has_seen(&tab, &["welcome"]).await?;
    ensure!(tab.run("return errors").await? == 0, "it was refused first");
    leave(&tab).await?;
    server.stop().await
}

#[tokio::test]
async fn a_seventh_stream_over_http_1_waits_for_one_of_six_to_end() -> Result<()> {
    let server = HubServer::start(App::Axum, hub(joe().build()).build()).await?;
    let mut browser = Browser::start().await?;
    let mut tabs = Vec::new();
    for _ in 0..6 {
        let tab = browser.open(server.address(), PAGE).await?;
        tab.eventually("the stream is open", OPEN).await?;
        tabs.push(tab);
    }
    let request = "return fetch('/', { signal: AbortSignal.timeout(1_000) })
        .then(({ status }) => status, ({ name }) => name)";
    assert_eq!(tabs[0].run(request).await?, "TimeoutError");
    leave(&tabs[5]).await?;
    assert_eq!(tabs[0].run(request).await?, 200);
    Ok(())
}
