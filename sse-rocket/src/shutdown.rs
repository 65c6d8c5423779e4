//! `HubFairing`, which ties a hub to Rocket's shutdown.

use rocket::{
    Build, Orbit, Rocket,
    fairing::{self, Fairing, Info, Kind},
};
use sse_core::Hub;

/// Puts a hub into Rocket's managed state, and shuts it down when Rocket shuts down: every stream
/// ends cleanly.
///
/// Handlers ask for `&State<Hub>`. Rocket stops on Ctrl-C and SIGTERM by itself; it then waits its
/// whole `shutdown.grace`, by default 2 s, for connections that were open, even if their streams
/// end at once.
///
/// One for each Rocket: managed state holds one value of a type.
///
/// ```
/// use sse_rocket::{Hub, HubFairing, Joe};
///
/// let app = rocket::build().attach(HubFairing(Hub::new(Joe::new())));
/// ```
#[derive(Clone, Debug)]
pub struct HubFairing(pub Hub);

#[rocket::async_trait]
impl Fairing for HubFairing {
    fn info(&self) -> Info {
        Info {
            name: "hub of event streams",
            kind: Kind::Ignite | Kind::Shutdown,
        }
    }

    async fn on_ignite(&self, rocket: Rocket<Build>) -> fairing::Result {
        Ok(rocket.manage(self.0.clone()))
    }

    async fn on_shutdown(&self, _rocket: &Rocket<Orbit>) {
        // Somebody else may have been first; the streams end either way.
        let _ = self.0.shutdown().await;
    }
}
