//! WeChat website sign-in: QR page, long poll, phone, token endpoints, all on one port.
//!
//! Owns the handle and the life of the server. One address stands for three hosts of the real
//! thing: `open.weixin.qq.com`, `lp.open.weixin.qq.com` and `api.weixin.qq.com`; their paths do
//! not collide. Not here: in-app authorization, mini-programs, the desktop client's fast login.

mod api;
mod config;
mod confirm;
mod control;
mod errcode;
mod js_code;
mod ledger;
mod overview;
mod picture;
mod poll;
mod qrconnect;
mod route;
mod sign_in;
mod simulation;

pub use config::{
    App, AppKind, Avatar, CallbackDomain, DEFAULT_APPID, DEFAULT_MINI_PROGRAM_APPID, DEFAULT_OFFICIAL_ACCOUNT_APPID,
    DEFAULT_SECRET, ErrmsgSuffix, Person, Switches, WechatConfig,
};

use simulation::Simulation;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, ToSocketAddrs};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How long a graceful end waits for answers that are under way.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(2);

/// A running simulator. Dropping it stops it; [`Wechat::shutdown`] also waits for the end.
#[derive(Debug)]
#[must_use = "the simulator stops when its handle is dropped"]
pub struct Wechat {
    simulation: Arc<Simulation>,
    stop: watch::Sender<bool>,
    server: JoinHandle<io::Result<()>>,
}

impl Wechat {
    /// Listens on `address` (port 0 for a free one) and serves in the background of the current
    /// Tokio runtime.
    ///
    /// # Errors
    /// The address cannot be bound, or the configuration contradicts itself
    /// (`io::ErrorKind::InvalidInput`).
    pub async fn start(address: impl ToSocketAddrs, config: WechatConfig) -> io::Result<Self> {
        Self::on(TcpListener::bind(address).await?, config)
    }

    /// Serves on a listener the caller has bound.
    ///
    /// # Errors
    /// As [`Wechat::start`].
    pub fn on(listener: TcpListener, config: WechatConfig) -> io::Result<Self> {
        let simulation = Arc::new(Simulation::new(config, base_url(&listener)?)?);
        let (stop, mut stopped) = watch::channel(false);
        let routes = route::router(Arc::clone(&simulation));
        let server = axum::serve(listener, routes).with_graceful_shutdown(async move {
            // An error means that the handle is gone, which is a wish to stop as well.
            let _stopped = stopped.wait_for(|stop| *stop).await;
        });
        Ok(Self { simulation, stop, server: tokio::spawn(async move { server.await }) })
    }

    /// The address to use in place of WeChat's hosts, without a slash at its end.
    pub fn base_url(&self) -> &str {
        self.simulation.base_url()
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
        self.simulation.close();
    }
}

impl Drop for Wechat {
    fn drop(&mut self) {
        self.end();
        self.server.abort();
    }
}

/// Serves on `listener` until the socket fails or the future is dropped.
///
/// # Errors
/// The listener has no address, the configuration contradicts itself
/// (`io::ErrorKind::InvalidInput`), or the socket fails.
pub async fn serve(listener: TcpListener, config: WechatConfig) -> io::Result<()> {
    let simulation = Simulation::new(config, base_url(&listener)?)?;
    axum::serve(listener, route::router(Arc::new(simulation))).await
}

/// An address nobody can connect to, such as `0.0.0.0`, is told as loopback.
fn base_url(listener: &TcpListener) -> io::Result<String> {
    let mut address = listener.local_addr()?;
    if address.ip().is_unspecified() {
        address.set_ip(match address.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    Ok(format!("http://{address}"))
}
