//! The life of a simulator's server: how it starts, its handle, its end; and the layers and routes
//! that every provider has.
//!
//! Knows no provider: each gives its routes and its state.

use crate::gate::{self, Gate};
use crate::simulation::{Provider, Simulation, check_ids, invalid};
use crate::{base_url, control, fault, overview, phone, picture, sign_in, tally};
use axum::Router;
use axum::extract::{DefaultBodyLimit, Path};
use axum::http::header;
use axum::middleware;
use axum::response::{IntoResponse, Redirect};
use axum::routing::{get, post};
use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How long a graceful end waits for answers that are under way.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(2);
/// Nobody sends more than this.
const BODY_BYTES_MAX: usize = 64 * 1024;
/// The side of the avatars on the simulator's own pages, in pixels.
const AVATAR_SIDE: usize = 96;

/// A running simulator. Dropping it stops it; [`Running::shutdown`] also waits for the end.
#[must_use = "the simulator stops when its handle is dropped"]
pub struct Running {
    base_url: String,
    address: SocketAddr,
    stop: watch::Sender<bool>,
    close: Box<dyn Fn() + Send + Sync>,
    server: JoinHandle<io::Result<()>>,
}

impl fmt::Debug for Running {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Running").field("base_url", &self.base_url).finish_non_exhaustive()
    }
}

impl Running {
    /// The address to use in place of the provider's hosts, without a slash at its end.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers what is under way, for at most two seconds, then ends.
    ///
    /// # Errors
    /// The server had ended before with an error of its socket.
    pub async fn shutdown(mut self) -> io::Result<()> {
        self.end();
        match tokio::time::timeout(SHUTDOWN_GRACE, &mut self.server).await {
            Ok(Ok(served)) => served,
            Ok(Err(join_error)) => Err(io::Error::other(join_error)),
            // Somebody keeps a connection half open; dropping the handle cuts the server off.
            Err(_elapsed) => Ok(()),
        }
    }

    fn end(&self) {
        self.stop.send_replace(true);
        (self.close)();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end();
        self.server.abort();
    }
}

/// Serves a provider on `listener`, in the background of the current Tokio runtime. `base_url` is
/// the configured one, if any; `world` makes the provider's state and is told the one in use;
/// `routes` are the provider's own.
///
/// # Errors
/// The listener has no address, the base URL is not `http` or `https` with a host and perhaps a port
/// (`io::ErrorKind::InvalidInput`), or what `world` says.
pub(crate) fn run<P: Provider>(
    listener: TcpListener,
    base_url: Option<String>,
    world: impl FnOnce(&str) -> io::Result<P>,
    routes: Router<Arc<Simulation<P>>>,
) -> io::Result<Running> {
    let address = listener.local_addr()?;
    let own = base_url::parse(&base_url.unwrap_or_else(|| listening_at(address))).map_err(|fault| invalid(&fault))?;
    let base_url = own.ascii_serialization();
    let mut world = world(&base_url)?;
    check_ids::<P>(world.apps())?;
    let simulation = Arc::new(Simulation::new(base_url.clone(), world));
    let (stop, mut stopped) = watch::channel(false);
    let router = router(routes, Arc::clone(&simulation), Gate { own, port: address.port() });
    let server = axum::serve(listener, router).with_graceful_shutdown(async move {
        // An error means that the handle is gone, which is a wish to stop as well.
        let _stopped = stopped.wait_for(|stop| *stop).await;
    });
    Ok(Running {
        base_url,
        address,
        stop,
        close: Box::new(move || simulation.close()),
        server: tokio::spawn(async move { server.await }),
    })
}

/// An address nobody can connect to, such as `0.0.0.0`, is told as loopback.
fn listening_at(mut address: SocketAddr) -> String {
    if address.ip().is_unspecified() {
        address.set_ip(match address.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    format!("http://{address}")
}

/// The provider's routes, then what is the simulator's own.
fn router<P: Provider>(routes: Router<Arc<Simulation<P>>>, simulation: Arc<Simulation<P>>, gate: Gate) -> Router {
    let front = || get(|| async { Redirect::to("/phone") });
    let routes = if P::HAS_ROOT { routes } else { routes.route("/", front()) };
    let phone = get(overview::page::<P>);
    let routes = if P::HAS_PHONE { routes } else { routes.route("/phone", phone) };
    routes
        // the phone in the browser
        .route("/phone/{id}", post(overview::act::<P>))
        // pages that wait for a person
        .route("/_simulate/page/{id}", get(sign_in::look::<P>).post(sign_in::decide::<P>))
        // control
        .route("/_simulate", get(control::index::<P>))
        .route("/_simulate/sign-ins", get(control::sign_ins::<P>))
        .route("/_simulate/sign-ins/{id}", get(control::sign_in::<P>))
        .route("/_simulate/sign-ins/{id}/{act}", post(control::act::<P>))
        .route("/_simulate/calls", get(control::calls::<P>))
        .route("/_simulate/clock", post(control::clock::<P>))
        .route("/_simulate/switches", get(control::switches::<P>).post(control::set_switches::<P>))
        .route("/_simulate/apps", post(control::add_app::<P>))
        .route("/_simulate/people", post(control::add_person::<P>))
        .route("/_simulate/faults", post(control::add_fault::<P>).delete(control::clear_faults::<P>))
        .route(
            "/_simulate/avatar/{key}",
            get(|Path(key): Path<String>| async move { picture::avatar(&key, AVATAR_SIDE) }),
        )
        .route("/_simulate/assets/phone.js", get(|| script(phone::SCRIPT)))
        .route("/_simulate/assets/phone.css", get(|| style(phone::STYLE)))
        .route("/_simulate/assets/sign_in.js", get(|| script(sign_in::SCRIPT)))
        .layer(middleware::from_fn_with_state(Arc::new(gate), gate::guard))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(middleware::from_fn_with_state(Arc::clone(&simulation), fault::strike::<P>))
        .layer(middleware::from_fn_with_state(Arc::clone(&simulation), tally::count::<P>))
        .with_state(simulation)
}

/// Answers with a script.
pub(crate) async fn script(text: &'static str) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], text)
}

/// Answers with a style sheet.
pub(crate) async fn style(text: &'static str) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], text)
}
