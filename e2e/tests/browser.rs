//! The example app as people meet it: in a browser, with a network and a server that fail.
//!
//! In the JavaScript here, `events` is the page's element with that id, and so on.

use std::{fs, time::Duration};

use anyhow::{Result, ensure};
use e2e::page::{NEWEST, NOT_OPEN, OPEN, arrived, connected, positions, rows};
use e2e::{App, Browser, Folder, HubServer, Link, Proxy, Server};
use e2e::{profile_dir, publish, publish_until_it_fails};
use serde_json::json;
use sse_core::{Hub, Joe, Message};
use tokio::{sync::mpsc, time::sleep};

/// The codes of these keys in WebDriver.
const CONTROL: char = '\u{e009}';
const ENTER: char = '\u{e007}';

#[tokio::test]
async fn events_arrive() -> Result<()> {
    let server = Server::start(App::Axum).await?;
    let mut browser = Browser::start().await?;
    let tab = connected(&mut browser, server.address(), "/").await?;

    let time = "/\\d/.test(clock.textContent) && clock.textContent";
    let tick = tab.eventually("the clock shows a time", time).await?;
    let later = format!("clock.textContent !== {tick}");
    tab.eventually("the clock goes on", &later).await?;
    ensure!(rows(&tab).await?.is_empty(), "ticks flood the list");

    tab.click("#ticks").await?;
    let row = "events.querySelector('[data-type=clock]')";
    tab.eventually("ticks are listed on request", row).await?;
    Ok(())
}

#[tokio::test]
async fn a_message_published_in_one_tab_reaches_another() -> Result<()> {
    const TEXT: &str =
        "Grüße, 世界 ✓\n\n  <b>bold</b><script>document.title = 'hacked'</script>\nlast line";
    let server = Server::start(App::Axum).await?;
    let mut browser = Browser::start().await?;
    let reader = connected(&mut browser, server.address(), "/").await?;
    let writer = connected(&mut browser, server.address(), "/?topic=other").await?;

    writer.type_into("#topic", "news").await?;
    writer.type_into("#data", TEXT).await?;
    writer.click("#publish button").await?;
    reader.eventually("the message arrives", NEWEST).await?;
    assert_eq!(rows(&reader).await?, [TEXT]);
    let elements = "return events.querySelectorAll('b, script').length";
    assert_eq!(reader.run(elements).await?, 0);

    let id = reader
        .run("return events.firstElementChild.dataset.id")
        .await?;
    let shown = format!("answer.textContent.includes({id})");
    writer.eventually("the answer shows the id", &shown).await?;
    assert_eq!(
        writer.run("return data.value").await?,
        "",
        "cleared once published"
    );
    ensure!(
        rows(&writer).await?.is_empty(),
        "it has not subscribed to that topic"
    );
    Ok(())
}

#[tokio::test]
async fn a_message_of_any_type_is_shown_once_it_is_listened_to() -> Result<()> {
    let server = Server::start(App::Axum).await?;
    let mut browser = Browser::start().await?;
    let tab = connected(&mut browser, server.address(), "/?topic=news").await?;

    tab.type_into("#new-type", "order").await?;
    tab.click("#add-type button").await?;
    server.publish("topic=news&event=unheard", "0").await?;
    server.publish("topic=news&event=order", "1").await?;
    // These are the names of EventSource's own events, too.
    for (name, data) in [("error", "2"), ("open", "3")] {
        tab.run("topic.value = 'news'; type.value = ''").await?;
        tab.type_into("#type", name).await?;
        tab.type_into("#data", &format!("{data}{CONTROL}{ENTER}"))
            .await?;
        let arrived = format!("{NEWEST} === '{data}'");
        tab.eventually("the message from the keyboard arrives", &arrived)
            .await?;
    }
    assert_eq!(rows(&tab).await?, ["1", "2", "3"]);
    assert_eq!(
        tab.run("return [state.textContent, reconnects.textContent]")
            .await?,
        json!(["open", "0"])
    );
    Ok(())
}

#[tokio::test]
async fn topics_are_chosen_in_the_page_and_kept_in_its_address() -> Result<()> {
    let server = Server::start(App::Axum).await?;
    let mut browser = Browser::start().await?;
    let tab = connected(&mut browser, server.address(), "/?topic=news&topic=sport").await?;

    tab.click("#topics [data-value=sport] button").await?;
    tab.type_into("#new-topic", &format!("weather{ENTER}"))
        .await?;
    tab.eventually("the page is connected again", OPEN).await?;
    assert_eq!(
        tab.run("return location.search").await?,
        "?topic=news&topic=weather"
    );
    for topic in ["sport", "weather", "news"] {
        server.publish(&format!("topic={topic}"), topic).await?;
    }
    tab.eventually(
        "messages of the chosen topics arrive",
        &format!("{NEWEST} === 'news'"),
    )
    .await?;
    assert_eq!(rows(&tab).await?, ["weather", "news"]);
    assert_eq!(
        tab.run("return reconnects.textContent").await?,
        "0",
        "it was the user's wish"
    );
    Ok(())
}

#[tokio::test]
async fn bad_input_is_refused_with_the_reason() -> Result<()> {
    let server = Server::start(App::Axum).await?;
    let mut browser = Browser::start().await?;
    let tab = connected(&mut browser, server.address(), "/").await?;

    for (query, body) in [
        ("topic=news&id=a%0Ab", "'bad'"),
        ("topic=news&id=a%0Db", "'bad'"),
        ("topic=news&id=a%00b", "'bad'"),
        ("topic=news&event=a%0Ab", "'bad'"),
        ("topic=news&event=a%0D%0Ab", "'bad'"),
        ("topic=news", "new Uint8Array([0xff])"),
    ] {
        let fetch = format!("fetch('publish?{query}', {{ method: 'POST', body: {body} }})");
        let fetch =
            format!("const answer = await {fetch}; return [answer.status, await answer.text()]");
        let answer = tab.run(&fetch).await?;
        assert_eq!(answer[0], 400, "{query} {body}: {answer}");
        assert!(
            answer[1].as_str().is_some_and(|reason| !reason.is_empty()),
            "{answer}"
        );
    }

    // A text field takes no line break, but it does take a NUL.
    tab.run("id.value = 'a\\0b'; data.value = 'kept'; publish.requestSubmit()")
        .await?;
    let reason = "answer.dataset.outcome === 'refused' && answer.textContent.length > 'Not published: '.length";
    tab.eventually("the reason is shown", reason).await?;
    assert_eq!(tab.run("return data.value").await?, "kept");

    server.publish("topic=news", "good").await?;
    tab.eventually("the good message arrives", NEWEST).await?;
    assert_eq!(rows(&tab).await?, ["good"]);
    Ok(())
}

#[tokio::test]
async fn a_restarted_server_is_survived() -> Result<()> {
    let server = Server::start(App::Axum).await?;
    let address = server.address();
    let mut browser = Browser::start().await?;
    let tab = connected(&mut browser, address, "/?topic=news").await?;
    let id = server.publish("topic=news", "before").await?;
    let has_id = format!("document.querySelector('#last-id').textContent === '{id}'");
    tab.eventually("the page has the id", &has_id).await?;

    server.kill().await?;
    tab.eventually("the page sees that the server has gone", NOT_OPEN)
        .await?;
    let server = Server::start_at(App::Axum, address).await?;
    tab.eventually("the page is connected again", OPEN).await?;
    assert_ne!(tab.run("return reconnects.textContent").await?, "0");

    // The history has gone with the old server. The new one can only know of a gap if it was sent
    // the id.
    let gap = format!("{NEWEST}.startsWith('Some events may be missing: ')");
    tab.eventually("the gap is shown", &gap).await?;
    server.publish("topic=news", "after").await?;
    tab.eventually("new messages arrive", &format!("{NEWEST} === 'after'"))
        .await?;
    assert_eq!(rows(&tab).await?.len(), 3);
    Ok(())
}

#[tokio::test]
async fn a_server_with_a_store_is_killed_again_and_again_and_nothing_is_lost() -> Result<()> {
    let folder = Folder::create()?;
    let start = async |address| Server::start_with(App::Axum, address, folder.as_store()).await;
    let mut server = start(([127, 0, 0, 1], 0).into()).await?;
    let address = server.address();
    let mut browser = Browser::start().await?;
    let tab = connected(&mut browser, address, "/?topic=news").await?;
    server.publish("topic=news", "0").await?;
    tab.eventually("the first message arrives", NEWEST).await?;

    let mut next = 1;
    let mut published_while_away = 0;
    // The page sees the first of several kills in a row, and is back after the last.
    for kills in [1, 3] {
        for _ in 0..kills {
            server.kill().await?;
            tab.eventually("the page sees that the server has gone", NOT_OPEN)
                .await?;
            ensure!(publish(address, "topic=news", "to nobody").await.is_err());
            server = start(address).await?;
            server.publish("topic=news", &next.to_string()).await?;
            next += 1;
            published_while_away +=
                usize::from(tab.run(&format!("return {NOT_OPEN}")).await? == true);
        }
        tab.eventually("the page is connected again", OPEN).await?;
        arrived(&tab, &(next - 1).to_string()).await?;
    }
    ensure!(published_while_away > 0, "the page was always back at once");

    // The last comes in the middle of a stream of publishes, by eight clients at once.
    let (acknowledged, mut acknowledgements) = mpsc::unbounded_channel();
    let streams = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map(|name| {
        let stream = publish_until_it_fails(address, name, acknowledged.clone());
        (name, tokio::spawn(stream))
    });
    for _ in 0..50 {
        acknowledgements.recv().await;
    }
    server.kill().await?;
    let mut counts = Vec::new();
    for (name, stream) in streams {
        counts.push((name, stream.await?));
    }
    server = start(address).await?;
    for n in next..next + 20 {
        server.publish("topic=news", &n.to_string()).await?;
    }
    arrived(&tab, &(next + 19).to_string()).await?;

    let mut rows = rows(&tab).await?;
    for (name, acknowledged) in counts {
        // The one after them may have been stored, and only its answer lost.
        let stored = acknowledged + usize::from(rows.contains(&format!("{name}{acknowledged}")));
        let expected: Vec<_> = (0..stored).map(|n| format!("{name}{n}")).collect();
        let found: Vec<_> = rows.extract_if(.., |row| row.starts_with(name)).collect();
        assert_eq!(found, expected, "each once and in order");
    }
    let expected: Vec<_> = (0..next + 20).map(|n| n.to_string()).collect();
    assert_eq!(rows, expected, "each once, in order, and no gap");
    let positions = positions(&tab).await?;
    assert!(positions.is_sorted_by(|a, b| a < b), "{positions:?}");
    server.kill().await
}

#[tokio::test]
async fn an_interrupted_network_loses_nothing() -> Result<()> {
    let server = Server::start(App::Axum).await?;
    let proxy = Proxy::start(server.address()).await?;
    let mut browser = Browser::start().await?;
    let tab = connected(&mut browser, proxy.address(), "/").await?;
    server.publish("topic=news", "0").await?;
    tab.eventually("the first message arrives", NEWEST).await?;

    // After a 503 the browser gives up for good, and the page has to try again by itself.
    for (link, state, missed) in [
        (Link::Cut, "connecting", ["1", "2", "3"]),
        (Link::Unavailable, "closed", ["4", "5", "6"]),
    ] {
        proxy.set(link).await?;
        let seen = format!("state.dataset.state === '{state}'");
        tab.eventually("the page sees the interruption", &seen)
            .await?;
        for data in missed {
            server.publish("topic=news", data).await?;
        }
        proxy.set(Link::Up).await?;
        tab.eventually("the page is connected again", OPEN).await?;
        let caught_up = format!("{NEWEST} === '{}'", missed[2]);
        tab.eventually("the missed messages arrive", &caught_up)
            .await?;
    }
    // Each once, in order, and no gap.
    assert_eq!(rows(&tab).await?, ["0", "1", "2", "3", "4", "5", "6"]);
    assert_eq!(tab.run("return reconnects.textContent").await?, "2");
    Ok(())
}

#[tokio::test]
async fn a_reloaded_tab_misses_nothing() -> Result<()> {
    let server = Server::start(App::Axum).await?;
    let mut browser = Browser::start().await?;
    let tab = connected(&mut browser, server.address(), "/").await?;
    server.publish("topic=news", "m1").await?;
    tab.eventually("the first message arrives", NEWEST).await?;

    tab.go("about:blank").await?;
    server.publish("topic=news", "m2").await?;
    server.publish("", "m3").await?;
    tab.go(&format!("http://{}/", server.address())).await?;
    let m3 = format!("{NEWEST} === 'm3'");
    tab.eventually("the missed messages arrive", &m3).await?;
    assert_eq!(rows(&tab).await?, ["m2", "m3"]);

    tab.go("about:blank").await?;
    server.publish("topic=news", "m4").await?;
    tab.back().await?;
    let m4 = format!("{NEWEST} === 'm4'");
    tab.eventually("the missed message arrives after going back", &m4)
        .await?;
    let mut rows = rows(&tab).await?;
    // These are still there if the browser has revived the page as it was.
    rows.retain(|row| row != "m2" && row != "m3");
    assert_eq!(rows, ["m4"]);
    Ok(())
}

#[tokio::test]
async fn a_page_that_is_refused_for_now_is_connecting_until_there_is_room() -> Result<()> {
    let joe = Joe::builder().max_subscribers(1).build();
    let hub = Hub::new(joe);
    let server = HubServer::start(App::Axum, hub.clone()).await?;
    let mut browser = Browser::start().await?;
    let first = connected(&mut browser, server.address(), "/demo?topic=news").await?;
    let second = browser.open(server.address(), "/demo?topic=news").await?;
    // pace: the stream of a refusal has opened and ended
    sleep(Duration::from_secs(1)).await;
    assert_eq!(second.run("return state.textContent").await?, "connecting");

    first.go("about:blank").await?;
    second.eventually("the page is connected", OPEN).await?;
    assert_eq!(second.run("return reconnects.textContent").await?, "0");
    hub.publish(Message::data("welcome"), "news").await?;
    arrived(&second, "welcome").await
}

#[tokio::test]
async fn the_server_ends_within_2_s_of_sigterm_while_tabs_are_connected() -> Result<()> {
    let server = Server::start(App::Axum).await?;
    let mut browser = Browser::start().await?;
    let tabs = [
        connected(&mut browser, server.address(), "/").await?,
        connected(&mut browser, server.address(), "/?topic=news").await?,
    ];

    let status = server.stop(Duration::from_secs(2)).await?;
    assert_eq!(status.code(), Some(0), "{status}");
    for tab in tabs {
        tab.eventually("the page sees that the server has gone", NOT_OPEN)
            .await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_picture_of_the_demo() -> Result<()> {
    let server = Server::start(App::Axum).await?;
    let mut browser = Browser::start().await?;
    let tab = connected(&mut browser, server.address(), "/").await?;
    for kind in ["order", "release"] {
        tab.type_into("#new-type", kind).await?;
        tab.click("#add-type button").await?;
    }
    let order = "{\n  \"order\": 4711,\n  \"items\": [\"tea\", \"two cups\"]\n}";
    let release = "Version 1.0 is out:\n  · a reconnect misses nothing\n  · no gap goes unnoticed";
    for (query, data) in [
        ("", "Hello, world"),
        ("topic=news&event=order", order),
        ("topic=news&event=release", release),
        ("topic=news", "Grüße aus Zürich, γειά σου Κόσμε"),
    ] {
        server.publish(query, data).await?;
    }
    tab.type_into("#topic", "news").await?;
    tab.type_into("#data", "Published from this page").await?;
    tab.click("#publish button").await?;
    let all = "events.childElementCount === 5 && /\\d/.test(clock.textContent)";
    tab.eventually("everything is there", all).await?;

    let dir = profile_dir()?.with_file_name("screenshots");
    fs::create_dir_all(&dir)?;
    for (name, width, height) in [("demo.png", 1280, 800), ("demo-phone.png", 390, 844)] {
        let png = tab.picture(width, height).await?;
        let size = [(width * 2).to_be_bytes(), (height * 2).to_be_bytes()].concat();
        assert_eq!(
            (&png[1..4], &png[16..24]),
            (&b"PNG"[..], &size[..]),
            "{name}"
        );
        assert!(png.len() > 40_000, "{name} is blank: {} bytes", png.len());
        let fits = "return document.documentElement.scrollWidth <= innerWidth";
        assert_eq!(tab.run(fits).await?, true, "{name} overflows");
        fs::write(dir.join(name), png)?;
    }

    let origins =
        "performance.getEntriesByType('resource').map((entry) => new URL(entry.name).origin)";
    let origins = tab.run(&format!("return [...new Set({origins})]")).await?;
    assert_eq!(
        origins,
        json!([format!("http://{}", server.address())]),
        "it loads from elsewhere"
    );
    Ok(())
}
