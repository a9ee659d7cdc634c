//! Keeps health, metrics and the status page served while the daemon lives. An address that cannot be had stops no runs: it
//! is said in the log and in `status`, and tried again.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::clock::Clock;
use crate::run::{Attention, in_one_line};
use crate::store::{DaemonLock, StateStore, StoreError};
use crate::web::{self, Access, BoundAddress, Health};
use rosterd_core::failure::FailureOwner;

/// The fact under which a daemon keeps since when it serves nothing, and why.
const NOT_SERVED: &str = "http.not_served";

/// The pause before the address is tried again.
const AGAIN: Duration = Duration::from_secs(5);

/// The server of a daemon, there or still to come.
pub(super) struct StatusServer {
    stop: CancellationToken,
    task: Option<JoinHandle<()>>,
}

struct Parts {
    listen: SocketAddr,
    health: Health,
    access: Access,
    clock: Clock,
    state: StateStore,
    stop: CancellationToken,
}

impl StatusServer {
    /// Serves where the settings say so; where that cannot be had now, goes on trying.
    pub(super) async fn start(app: &App, health: &Health, access: &Access) -> Self {
        let stop = CancellationToken::new();
        // What a daemon left that was killed.
        forget(&app.state).await;
        let task = match app.settings.http.listen {
            None => None,
            Some(listen) => {
                let (health, clock, stop) = (health.clone(), app.clock.clone(), stop.clone());
                let access = access.clone();
                let parts = Parts { listen, health, access, clock, state: app.state.clone(), stop };
                let bound = parts.bind().await;
                Some(tokio::spawn(parts.serve(bound)))
            }
        };
        Self { stop, task }
    }

    /// Ends it, once the last answers are out.
    pub(super) async fn finish(self, state: &StateStore) {
        let Self { stop, task } = self;
        stop.cancel();
        if let Some(task) = task {
            let _ended = task.await;
        }
        forget(state).await;
    }
}

impl Parts {
    async fn serve(self, mut bound: Option<BoundAddress>) {
        loop {
            if let Some(bound) = bound {
                self.stop.cancelled().await;
                return bound.finished().await;
            }
            tokio::select! {
                () = self.stop.cancelled() => return,
                () = tokio::time::sleep(AGAIN) => bound = self.bind().await,
            }
        }
    }

    /// The server, where the address can be had; else it is noted why not, once.
    async fn bind(&self) -> Option<BoundAddress> {
        let Self { listen, health, access, clock, state, stop } = self;
        match web::serve(*listen, health.clone(), access.clone(), clock.clone(), stop.clone()).await {
            Ok(bound) => {
                forget(state).await;
                tracing::info!("health and metrics on http://{}", bound.address());
                Some(bound)
            }
            Err(error) => {
                if state.fact(NOT_SERVED).await.is_ok_and(|fact| fact.is_none()) {
                    let what = format!(
                        "{}, so there is no status page and there are no metrics: end the program that has the port, or enter \
                         another address as http.listen (\"\" switches it off) and restart; it is tried again by itself",
                        in_one_line(&error)
                    );
                    tracing::error!("{what}");
                    let noted = state.remember(NOT_SERVED, Some(&format!("{} {what}", clock.now_ms()))).await;
                    if let Err(error) = noted {
                        tracing::debug!("that was not noted: {}", in_one_line(&error));
                    }
                }
                None
            }
        }
    }
}

/// Where it stays, the daemon that wrote it is gone, and nobody is told of it.
async fn forget(state: &StateStore) {
    if let Err(error) = state.remember(NOT_SERVED, None).await {
        tracing::debug!("a fact was not removed: {}", in_one_line(&error));
    }
}

/// What a daemon that lives cannot serve, and since when.
///
/// # Errors
/// When our own database cannot be read.
pub(super) async fn not_served(state: &StateStore, database: &Path) -> Result<Option<Attention>, StoreError> {
    let fact = state.fact(NOT_SERVED).await?.filter(|_| DaemonLock::is_held(database));
    Ok(fact.and_then(|fact| {
        let (since_ms, what) = fact.split_once(' ')?;
        Some(Attention::new(1, since_ms.parse().ok(), FailureOwner::It, what.to_owned()))
    }))
}
