//! What it takes to reach subscribers that listen to several topics each.

use std::sync::Arc;

use anyhow::Result;
use fastrand::Rng;
use sse_core::{Hub, Joe, Message, Subscription, Topics, provider::Provider as _};

use super::{
    cases::{Case, fill},
    crowd::{Crowd, runtime},
    deliveries::{SIZE, deliver},
    measure::grouped,
};
use crate::{report::Table, scenarios::Bench};

/// Who listens to what.
#[derive(Clone, Copy, Debug)]
struct Pattern {
    subscribers: usize,
    /// How many topics each subscriber has.
    own: usize,
    /// Out of how many.
    topics: usize,
    messages: usize,
}

/// Everybody on one topic and on one of their own.
#[derive(Clone, Copy, Debug)]
struct Everyone {
    users: usize,
    messages: usize,
    to: Aim,
}

#[derive(Clone, Copy, Debug)]
enum Aim {
    Global,
    User,
}

pub(super) fn run(bench: &Bench) -> Vec<Table> {
    vec![random_choices(bench), global_and_user(bench)]
}

/// So many different numbers below a bound.
pub(super) fn distinct(count: usize, below: usize, random: &mut Rng) -> Vec<usize> {
    let mut chosen = Vec::with_capacity(count);
    while chosen.len() < count.min(below) {
        let number = random.usize(..below);
        if !chosen.contains(&number) {
            chosen.push(number);
        }
    }
    chosen
}

fn random_choices(bench: &Bench) -> Table {
    let scale = bench.size(1, 10);
    let many = Pattern {
        subscribers: 10_000 / scale,
        own: 100 / scale,
        topics: 1_000 / scale,
        messages: bench.size(200, 10),
    };
    // As many subscribers for each message as above.
    let one = Pattern {
        subscribers: many.subscribers * many.own / many.topics,
        own: 1,
        topics: 1,
        messages: many.messages,
    };
    let row = |pattern: Pattern| match pattern.own {
        1 => format!("{} subscribers of one topic", grouped(pattern.subscribers)),
        own => format!(
            "{} subscribers of {own} topics each, out of {}",
            grouped(pattern.subscribers),
            grouped(pattern.topics)
        ),
    };
    let mut table = Table::new(
        "many-topics",
        "Many topics per subscriber",
        format!(
            "Each subscriber has its own random choice of topics and is a task on the runtime of one thread that also publishes. \
             Messages with {SIZE} bytes of data go to a random topic each; the next one is published when all who listen to it have \
             read it. Beside it, as many matching subscribers that have no other topic. Every delivery is accounted for."
        ),
    )
    .column("publish returns", "ns")
    .column("each delivery", "ns")
    .column("each delivery, CPU", "ns")
    .ratio(2, &row(one));
    "subscribers".clone_into(&mut table.subject);
    let cases = [one, many].map(|pattern| Case::new(row(pattern), move || choices(pattern)));
    fill(bench, table, cases)
}

fn choices(pattern: Pattern) -> Result<Vec<f64>> {
    runtime()?.block_on(async {
        let joe = Arc::new(Joe::new());
        let hub = Hub::new(Arc::clone(&joe));
        let crowd = Crowd::default();
        let mut random = Rng::with_seed(1);
        let mut matching = vec![0; pattern.topics];
        for _ in 0..pattern.subscribers {
            let own = distinct(pattern.own, pattern.topics, &mut random);
            for topic in &own {
                matching[*topic] += 1;
            }
            let topics: Topics = own.into_iter().map(topic).collect();
            crowd.follow(joe.subscribe(Subscription::to(topics)).await?);
        }
        crowd.gather(pattern.subscribers).await;
        let targets = (0..=pattern.messages).map(|_| {
            let number = random.usize(..pattern.topics);
            (topic(number).into(), matching[number])
        });
        deliver(&crowd, targets, async |message, topics| {
            publish(&hub, message, topics).await
        })
        .await
    })
}

fn global_and_user(bench: &Bench) -> Table {
    let users = bench.size(100_000, 1_000);
    let row = |to: Aim| match to {
        Aim::Global => format!("`global`, to {}", grouped(users)),
        Aim::User => format!("`user:N`, to one of {}", grouped(users)),
    };
    let mut table = Table::new(
        "global-and-user",
        "Everyone on a common topic and on one of their own",
        format!(
            "{} subscribers, each on `global` and on a topic of its own, `user:N`, each a task on the runtime of one thread that \
             also publishes. Messages with {SIZE} bytes of data go to `global` or to a random user; the next one is published when all who \
             listen to it have read it. Every delivery is accounted for.",
            grouped(users)
        ),
    )
    .column("publish returns", "ns")
    .column("each delivery", "ns")
    .column("each delivery, CPU", "ns");
    "published to".clone_into(&mut table.subject);
    let aims = [
        (Aim::Global, bench.size(10, 5)),
        (Aim::User, bench.size(20_000, 100)),
    ];
    let cases = aims.map(|(to, messages)| {
        let everyone = Everyone {
            users,
            messages,
            to,
        };
        Case::new(row(to), move || reach(everyone))
    });
    fill(bench, table, cases)
}

fn reach(everyone: Everyone) -> Result<Vec<f64>> {
    runtime()?.block_on(async {
        let joe = Arc::new(Joe::new());
        let hub = Hub::new(Arc::clone(&joe));
        let crowd = Crowd::default();
        for number in 0..everyone.users {
            let topics = ["global".to_owned(), user(number)];
            crowd.follow(joe.subscribe(Subscription::to(topics)).await?);
        }
        crowd.gather(everyone.users).await;
        let mut random = Rng::with_seed(1);
        let targets = (0..=everyone.messages).map(|_| match everyone.to {
            Aim::Global => (Topics::from("global"), everyone.users),
            Aim::User => (user(random.usize(..everyone.users)).into(), 1),
        });
        deliver(&crowd, targets, async |message, topics| {
            publish(&hub, message, topics).await
        })
        .await
    })
}

async fn publish(hub: &Hub, message: Message, topics: Topics) -> Result<()> {
    hub.publish(message, topics).await?;
    Ok(())
}

fn topic(number: usize) -> String {
    format!("topic-{number}")
}

fn user(number: usize) -> String {
    format!("user:{number}")
}
