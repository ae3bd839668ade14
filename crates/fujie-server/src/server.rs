//! The house as a whole: what every endpoint is given.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicI64, AtomicU32, Ordering},
};

use arc_swap::{ArcSwap, Guard};
use fujie_channel::session::Exchange;
use fujie_core::{
    grant::Setting,
    id::Id,
    policy::Policy,
    random::SystemRandom,
    secret::Secret,
    time::{Lifetime, Timestamp},
    token::{
        at_rest::AtRest,
        seal::{MasterKey, Realm, SealError},
    },
};
use fujie_store::{Retention, Store, StoreError};
use tokio::sync::{Semaphore, watch};

use crate::{
    broker::Connection,
    channel::{self, ChannelSettings, Unserved, gate::ServerGate},
    clock::Clock,
    cookie::Cookies,
    endpoint::hooks,
    limit::Limit,
    page::{PageError, Pages},
    password::Passwords,
    place::Places,
    read,
    share::Shares,
    snapshot::{self, Snapshot, SnapshotError},
};

/// What a server is made of.
pub struct Settings {
    /// The issuer: scheme and authority, without a path and without a slash at the end.
    pub issuer: String,
    /// What the operator calls this server.
    pub name: String,
    /// Every page says that this is a demonstration.
    pub is_demo: bool,
    /// Lifetimes.
    pub policy: Policy,
    /// Providers to sign in with, in the order they are offered.
    pub connections: Vec<Connection>,
    /// Names and passwords are offered on the sign-in page.
    pub password_enabled: bool,
    /// The channel.
    pub channel: ChannelSettings,
    /// The key that stored keys are sealed under.
    pub master: MasterKey,
    /// The clock.
    pub clock: Clock,
}

/// The server. Shared by all requests.
pub struct Server {
    pub(crate) store: Store,
    pub(crate) settings: Settings,
    pub(crate) pages: Pages,
    pub(crate) cookies: Cookies,
    /// Failures before anyone is authenticated.
    pub(crate) limit: Limit,
    /// What members and integrations do. They may do much more in a minute than anybody may fail at signing in, so what
    /// they do is counted apart: no bucket is shared.
    pub(crate) channel_limit: Limit,
    pub(crate) passwords: Passwords,
    pub(crate) authority: String,
    /// What conversations of the channel share.
    pub(crate) exchange: Arc<Exchange<ServerGate>>,
    pub(crate) line: Unserved,
    line_endpoint: Option<String>,
    snapshot: ArcSwap<Snapshot>,
    /// One renewal at a time: what was read earlier must not replace what was read later.
    renewing: tokio::sync::Mutex<()>,
    realm: Realm,
    /// When the snapshot was read or last found unchanged, in milliseconds.
    confirmed_at: AtomicI64,
    /// When rows were last swept, in milliseconds.
    swept_at: AtomicI64,
    /// Sweeps to leave out after the clock jumped.
    sweeps_stopped: AtomicU32,
    stopping: watch::Sender<bool>,
    /// Memory for large bodies.
    pub(crate) memory: Arc<Semaphore>,
    /// What deliveries to the integrations of each account may have of it, in KiB.
    pub(crate) delivery_memory: Shares<Option<Id>>,
    /// Memory for large answers: who takes them slowly keeps no delivery out.
    pub(crate) answers: Arc<Semaphore>,
    /// Places for answers that go on and on.
    pub(crate) places: Arc<Places>,
}

/// Why a server cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Clients or keys.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// Pages.
    #[error(transparent)]
    Page(#[from] PageError),
    /// The database belongs to another issuer.
    #[error(
        "this database belongs to the issuer {found}, and this server is to be {wanted}; start it with the issuer it was made for, or give this server a data folder of its own"
    )]
    Issuer {
        /// Of the database.
        found: String,
        /// Of the settings.
        wanted: String,
    },
}

/// A snapshot older than this is not trusted for issuing.
const SNAPSHOT_AGE_MAX: Lifetime = Lifetime::from_seconds(5);

impl Server {
    /// Makes a server over `store`; at the first start, its instance and keys.
    pub async fn start(store: Store, mut settings: Settings) -> Result<Arc<Self>, StartError> {
        let now = settings.clock.now();
        let instance = match store.instance().await? {
            Some(instance) => instance,
            None => {
                let id = Id::new(now, &mut fujie_core::random::SystemRandom);
                let issuer = settings.issuer.clone();
                store.create_instance(fujie_store::Instance { id, issuer, epoch: 0 }).await?
            }
        };
        if instance.issuer != settings.issuer {
            return Err(StartError::Issuer { found: instance.issuer, wanted: settings.issuer });
        }
        let realm = Realm { issuer: instance.issuer, instance: instance.id, epoch: instance.epoch };
        let (line, line_endpoint) = settings.channel.line.take().map(|line| (line.listener, line.endpoint)).unzip();
        let snapshot = snapshot::load(&store, &settings.master, &realm, line_endpoint.as_deref(), now).await?;
        let authority = settings.issuer.split_once("://").map_or("", |(_, authority)| authority).to_owned();
        let pages = Pages::new()?;
        let (hub, places) = (channel::hub(&store, &settings.issuer), Arc::new(Places::new(settings.channel.readers)));
        Ok(Arc::new_cyclic(|own| Self {
            exchange: channel::exchange(&hub, &settings.channel, own.clone(), Arc::clone(&places)),
            line: Mutex::new(line),
            line_endpoint,
            cookies: Cookies::new(&settings.issuer, &instance.id.to_string()),
            pages,
            limit: Limit::default(),
            channel_limit: Limit::default(),
            passwords: Passwords::default(),
            snapshot: ArcSwap::from_pointee(snapshot),
            renewing: tokio::sync::Mutex::default(),
            confirmed_at: AtomicI64::new(now.millis()),
            swept_at: AtomicI64::new(0),
            sweeps_stopped: AtomicU32::new(0),
            stopping: watch::Sender::new(false),
            memory: read::memory(),
            delivery_memory: Shares::new(hooks::MEMORY_MAX),
            answers: read::memory(),
            places,
            store,
            settings,
            authority,
            realm,
        }))
    }

    /// The store.
    pub const fn store(&self) -> &Store {
        &self.store
    }

    /// The clock.
    pub const fn clock(&self) -> &Clock {
        &self.settings.clock
    }

    /// The issuer.
    pub fn issuer(&self) -> &str {
        &self.settings.issuer
    }

    /// Now.
    pub(crate) fn now(&self) -> Timestamp {
        self.settings.clock.now()
    }

    /// Seals `secret` for the row named by `row`, to be kept in the database.
    pub fn seal_secret(&self, kind: AtRest, row: &str, secret: &Secret) -> Result<Vec<u8>, SealError> {
        self.settings.master.seal_secret(kind, row, secret, &mut SystemRandom)
    }

    /// Opens what [`Self::seal_secret`] sealed as this kind for this row.
    pub fn open_secret(&self, kind: AtRest, row: &str, sealed: &[u8]) -> Result<Secret, SealError> {
        self.settings.master.open_secret(kind, row, sealed)
    }

    /// Clients and keys.
    pub fn snapshot(&self) -> Guard<Arc<Snapshot>> {
        self.snapshot.load()
    }

    /// What decisions may know, at `now`.
    pub(crate) fn setting<'a>(&'a self, snapshot: &'a Snapshot, now: Timestamp) -> Setting<'a> {
        Setting { registry: &snapshot.registry, policy: &self.settings.policy, issuer: self.issuer(), now }
    }

    /// The connection with this id.
    pub(crate) fn connection(&self, id: &str) -> Option<&Connection> {
        self.settings.connections.iter().find(|connection| connection.id == id)
    }

    /// May anything be issued? Not when clients and keys could not be confirmed lately.
    pub(crate) fn is_current(&self, now: Timestamp) -> bool {
        now.millis() - self.confirmed_at.load(Ordering::Relaxed) <= SNAPSHOT_AGE_MAX.millis()
    }

    /// Is the server about to stop?
    pub fn is_stopping(&self) -> bool {
        *self.stopping.borrow()
    }

    /// Says that the server is about to stop: it is not ready any more, and what goes on and on ends.
    pub fn stop(&self) {
        self.stopping.send_replace(true);
    }

    /// Resolves when the server is about to stop.
    pub(crate) async fn stopped(&self) {
        // The sender lives as long as this server.
        drop(self.stopping.subscribe().wait_for(|stopping| *stopping).await);
    }

    /// Reads clients and keys again if they changed, or if `keys_are_due`.
    pub async fn renew(&self, keys_are_due: bool) -> Result<(), SnapshotError> {
        let _turn = self.renewing.lock().await;
        let now = self.now();
        let current = self.snapshot.load_full();
        if self.store.revision().await? != current.revision || keys_are_due {
            let next =
                snapshot::load(&self.store, &self.settings.master, &self.realm, self.line_endpoint.as_deref(), now)
                    .await?;
            self.snapshot.store(Arc::new(next));
        }
        self.confirmed_at.store(now.millis(), Ordering::Relaxed);
        Ok(())
    }
}

/// Rows swept in one transaction.
const SWEEP_MAX: u32 = 500;

/// Transactions of one sweep at most; between them others are served.
const SWEEPS_MAX: usize = 40;

/// A clock that jumps by more than this between two sweeps stops them: what looks over may not be.
const JUMP_MAX: Lifetime = Lifetime::from_seconds(3600);

/// How many sweeps a jump stops: an hour of them.
const SWEEPS_STOPPED: u32 = 360;

impl Server {
    /// Deletes rows that are over, a few at a time. Expiry itself is judged at each use; this only frees space.
    pub(crate) async fn sweep(&self) {
        let now = self.now();
        let before = self.swept_at.swap(now.millis(), Ordering::Relaxed);
        if before != 0 && (now.millis() - before).abs() > JUMP_MAX.millis() {
            tracing::warn!("the clock jumped by more than an hour; nothing is swept for an hour");
            self.sweeps_stopped.store(SWEEPS_STOPPED, Ordering::Relaxed);
        }
        if self.sweeps_stopped.load(Ordering::Relaxed) > 0 {
            self.sweeps_stopped.fetch_sub(1, Ordering::Relaxed);
            return;
        }
        for _ in 0..SWEEPS_MAX {
            match self.store.sweep(now, Retention { events: self.settings.channel.keep }, SWEEP_MAX).await {
                Ok(swept) if swept < SWEEP_MAX => return,
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(%error, "rows that are over could not be swept");
                    return;
                }
            }
        }
    }
}
