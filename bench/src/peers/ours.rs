//! What our five peers share: the hub.

use std::sync::Arc;

use anyhow::Result;
use sse_core::{FiniteReplayer, Hub, Joe, Message};
use sse_store::Store;

use crate::server::{Fanout, Settings};

/// A hub on Joe.
#[derive(Clone, Debug)]
pub(crate) struct OurHub {
    pub(crate) hub: Hub,
    joe: Arc<Joe>,
}

/// Joe with his defaults, but for what the settings say.
pub(crate) fn hub(settings: &Settings) -> Result<OurHub> {
    let mut builder = Joe::builder();
    if let Some([messages, bytes]) = settings.queue.as_deref() {
        builder = builder.queue_messages(*messages).queue_bytes(*bytes);
    }
    if let Some(messages) = settings.history {
        builder = match &settings.store {
            Some(directory) => {
                let options = Store::at(directory).max_messages(u64::try_from(messages)?);
                builder.replayer(options.open()?)
            }
            None => builder.replayer(FiniteReplayer::new(messages)?),
        };
    }
    let joe = Arc::new(builder.build());
    let hub = Hub::new(Arc::clone(&joe));
    Ok(OurHub { hub, joe })
}

impl Fanout for OurHub {
    async fn publish(&self, data: String) -> Option<String> {
        let published = self.hub.publish(Message::data(data), ()).await;
        // Refused only after a shutdown; what was not published is missed by the readers.
        published.ok()?.id.map(String::from)
    }

    fn subscribers(&self) -> usize {
        self.joe.subscribers()
    }
}
