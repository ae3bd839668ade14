//! OpenID providers: a plain one after the standards, and Google, Microsoft, Apple and GitLab with
//! their own paths and manners. Every lie that a client must refuse can be ordered.
//!
//! Owns the routes and the start. Standards: OpenID Connect Core and Discovery 1.0, RFC 6749,
//! RFC 7009, RFC 7523, RFC 7636, RFC 8628, RFC 9126, RFC 9207, RFC 9449. Not here: encrypted tokens, request objects,
//! implicit flow, front- and back-channel logout, dynamic registration.

mod answer;
mod ask;
mod authorize;
mod client_auth;
mod config;
mod device;
mod discovery;
mod dpop;
mod end;
mod failure;
mod form_post;
mod house;
mod id_token;
mod key_ring;
mod pushed;
mod token;
mod userinfo;
mod world;

pub use crate::jws::Algorithm;
pub use config::{
    AuthMethod, CallbackIss, Client, DEFAULT_CLIENT_ID, DEFAULT_PASSWORD, DEFAULT_SECRET, DEFAULT_TEAM_ID, House,
    IdTokenFault, OidcConfig, Switches,
};

use crate::server::{self, Running};
use axum::Router;
use axum::routing::{MethodRouter, get, post};
use house::{Apple, Gitlab, Google, Manners, Microsoft, Plain, Routes};
use std::io;
use tokio::net::{TcpListener, ToSocketAddrs};
use world::World;

/// A simulated OpenID provider.
#[derive(Debug)]
pub struct Oidc;

impl Oidc {
    /// Listens on `address` (port 0 for a free one) and serves in the background of the current
    /// Tokio runtime.
    ///
    /// # Errors
    /// The address cannot be bound, the configuration contradicts itself
    /// (`io::ErrorKind::InvalidInput`), or no key could be made.
    pub async fn start(address: impl ToSocketAddrs, config: OidcConfig) -> io::Result<Running> {
        Self::on(TcpListener::bind(address).await?, config)
    }

    /// Serves on a listener the caller has bound.
    ///
    /// # Errors
    /// As [`Oidc::start`].
    pub fn on(listener: TcpListener, config: OidcConfig) -> io::Result<Running> {
        match config.house {
            House::Plain => run::<Plain>(listener, config),
            House::Google => run::<Google>(listener, config),
            House::Microsoft => run::<Microsoft>(listener, config),
            House::Apple => run::<Apple>(listener, config),
            House::Gitlab => run::<Gitlab>(listener, config),
        }
    }
}

fn run<M: Manners>(listener: TcpListener, config: OidcConfig) -> io::Result<Running> {
    server::run(listener, config.base_url.clone(), |base_url| World::<M>::new(config, base_url), routes::<M>())
}

fn routes<M: Manners>() -> Routes<M> {
    let paths = M::PATHS;
    let mut routes = Router::new()
        .route(paths.discovery, get(discovery::document::<M>))
        .route(paths.jwks, get(discovery::jwks::<M>))
        .route(paths.authorize, get(authorize::authorize::<M>).post(authorize::authorize::<M>))
        .route(paths.token, post(token::token::<M>))
        .route(&format!("{}/{{id}}", form_post::PATH), get(form_post::look::<M>))
        .route("/_simulate/assets/form_post.js", get(|| server::script(form_post::SCRIPT)))
        .route("/_simulate/keys", post(discovery::rotate::<M>));
    let mut optional = |path: Option<&str>, answer: MethodRouter<_>| {
        if let Some(path) = path {
            routes = std::mem::take(&mut routes).route(path, answer);
        }
    };
    optional(paths.userinfo, get(userinfo::userinfo::<M>).post(userinfo::userinfo::<M>));
    optional(paths.revoke, post(end::revoke::<M>));
    optional(paths.pushed_authorization_request, post(pushed::push::<M>));
    optional(paths.end_session, get(end::end_session::<M>).post(end::end_session::<M>));
    optional(paths.device_authorization, post(device::authorize::<M>));
    optional(paths.device_authorization.map(|_path| device::PAGE), get(device::page::<M>).post(device::page::<M>));
    M::routes(routes)
}
