//! The setting for clients that cannot live with an event that has no data.

use std::{ops::ControlFlow, time::Duration};

use anyhow::{Context as _, Result};
use e2e::{App, DEADLINE, HubServer, Link, Proxy, eventually};
use sse_core::{FiniteReplayer, Hub, Joe, Message};
use tokio::time::sleep;

use crate::{
    client::{CLIENTS, Opening},
    driver::{Driver, Heard},
};

const TOPIC: &str = "opening";

#[tokio::test]
async fn without_the_opening_no_client_dispatches_it_and_missed_messages_are_lost() -> Result<()> {
    let joe = Joe::builder().replayer(FiniteReplayer::new(100)).build();
    let hub = Hub::builder(joe).opening_id(false).build();
    let server = HubServer::start(App::Axum, hub.clone()).await?;
    let proxy = Proxy::start(server.address()).await?;
    let mut drivers = Vec::new();
    for client in CLIENTS {
        if client.opening == Opening::Dispatched {
            let driver = Driver::start(client.program, proxy.address(), TOPIC).await?;
            drivers.push((client.title, driver));
        }
    }
    assert!(!drivers.is_empty(), "then nobody needs the setting");
    has_heard(&drivers, "connects", |heard| heard.opens == 1).await?;
    // pace: the first bytes come right after the head
    sleep(Duration::from_millis(500)).await;

    proxy.set(Link::Cut).await?;
    hub.publish(Message::data("missed"), TOPIC).await?;
    proxy.set(Link::Up).await?;
    has_heard(&drivers, "connects again", |heard| heard.opens == 2).await?;
    hub.publish(Message::data("live"), TOPIC).await?;
    let only_live = |heard: &Heard| {
        let data: Vec<_> = heard.events.iter().map(|event| &event.data[..]).collect();
        data == ["live"]
    };
    has_heard(
        &drivers,
        "gets the live message, and nothing else",
        only_live,
    )
    .await
}

async fn has_heard(
    drivers: &[(&str, Driver)],
    what: &str,
    is_so: impl Fn(&Heard) -> bool,
) -> Result<()> {
    for (title, driver) in drivers {
        let look = async || {
            let heard = driver.heard().await?;
            Ok(if is_so(&heard) {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(format!("{heard:?}"))
            })
        };
        let seen = eventually(what, DEADLINE, look).await;
        seen.with_context(|| (*title).to_owned())?;
    }
    Ok(())
}
