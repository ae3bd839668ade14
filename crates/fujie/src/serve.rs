//! `fujie serve`: wires configuration, data folder, simulator and server together and runs until it is told to stop.

use std::{
    io::{IsTerminal as _, Write as _},
    sync::Arc,
};

use anyhow::{Context as _, Result};
use fujie_channel::serve::{Limits, Listener};
use fujie_core::{
    policy::Policy,
    random::SystemRandom,
    secret::{Digest, Kind, Secret},
    time::Lifetime,
};
use fujie_server::{ChannelSettings, Line, Server, Settings, clock::Clock};
use fujie_store::{Options, SetupLinkPut, Store};
use tokio::net::TcpListener;

use crate::{
    config::{Config, LineConfig},
    connection::{self, Simulator},
    data::DataFolder,
};

/// How long the first administrator's link works.
const SETUP_LINK_LIFETIME: Lifetime = Lifetime::from_seconds(3600);

/// Runs the server until SIGTERM or SIGINT.
pub async fn run(mut config: Config) -> Result<()> {
    let folder = DataFolder::open(&config.data_dir)?;
    let _lock = folder.lock()?;
    let listener = TcpListener::bind(config.listen).await.with_context(|| {
        format!("cannot listen on {}; is another program there? choose one with --listen", config.listen)
    })?;
    config.listening_on(listener.local_addr()?);
    let options = Options { storage_max: config.channel.storage_max, ..Options::default() };
    let store = folder.store_with(options)?;
    let master = folder.master_key(&store).await?;
    let (connections, simulators) = connection::connect(&config.connections).await?;
    let settings = Settings {
        issuer: config.issuer.clone(),
        name: config.name.clone(),
        is_demo: false,
        policy: policy(&config),
        connections,
        password_enabled: config.sign_in.password,
        channel: channel(&config)?,
        master,
        clock: Clock::default(),
    };
    let line = settings.channel.line.as_ref().map(|line| line.endpoint.clone());
    let server = Server::start(store.clone(), settings).await?;
    let stopped = stop_signal();
    announce(&server, &folder, &config, &simulators, line.as_deref()).await?;
    fujie_server::serve(Arc::clone(&server), listener, stopped).await;
    store.close().await;
    for simulator in simulators {
        simulator.running.shutdown().await?;
    }
    Ok(())
}

/// The channel, with its listener bound.
fn channel(config: &Config) -> Result<ChannelSettings> {
    let own = &config.channel;
    let bind = |line: &LineConfig| -> Result<Line> {
        let listener = Listener::bind(line.listen)
            .with_context(|| format!("cannot listen on {} (channel.listen); is another program there?", line.listen))?
            .with_limits(Limits::of_this_process());
        let endpoint = line.endpoint(&config.issuer, listener.local_addr()?);
        let listener = match &line.tls {
            Some(tls) => listener.with_tls(Arc::clone(tls)),
            None => listener,
        };
        Ok(Line { listener, endpoint })
    };
    Ok(ChannelSettings {
        line: own.line.as_ref().map(bind).transpose()?,
        keep: own.keep,
        overflow: own.overflow,
        simulators: own.simulators.clone(),
        push_contact: own.push_contact.clone(),
        ..ChannelSettings::default()
    })
}

fn policy(config: &Config) -> Policy {
    Policy {
        access_token: config.lifetime.access_token,
        access_token_jwt: config.lifetime.access_token_jwt,
        refresh_idle: config.lifetime.refresh_idle,
        refresh_total: config.lifetime.refresh_total,
        session: config.lifetime.session,
        ..Policy::default()
    }
}

/// The issuer on stdout, alone on its line; everything for people on stderr.
async fn announce(
    server: &Server,
    folder: &DataFolder,
    config: &Config,
    simulators: &[Simulator],
    line: Option<&str>,
) -> Result<()> {
    let mut out = std::io::stdout();
    writeln!(out, "{}", config.issuer)?;
    out.flush()?;
    let mut err = std::io::stderr();
    writeln!(err, "fujie serves {} from {}", config.issuer, folder.path().display())?;
    if let Some(line) = line {
        writeln!(err, "events: fujie listen TOPIC, or lines at {line}")?;
    }
    for simulator in simulators {
        writeln!(err, "simulated {}: {}/phone is the phone", simulator.title, simulator.running.base_url())?;
    }
    if let Some(link) = setup_link(server.store(), server).await? {
        let path = folder.write_setup_link(&link)?;
        if err.is_terminal() {
            writeln!(err, "first administrator (one hour, once): {link}")?;
        } else {
            writeln!(err, "first administrator: open the link in {}", path.display())?;
        }
    }
    writeln!(err, "next: fujie client add NAME --redirect-uri URI")?;
    Ok(())
}

/// A link that makes the first administrator; `None` once there was one.
pub async fn setup_link(store: &Store, server: &Server) -> Result<Option<String>> {
    let token = Secret::random(Kind::SetupLink, &mut SystemRandom);
    let digest = Digest::of(Kind::SetupLink, token.expose());
    let expires_at = server.clock().now() + SETUP_LINK_LIFETIME;
    Ok(match store.put_setup_link(digest, expires_at).await? {
        SetupLinkPut::Waiting => Some(format!("{}/setup?token={}", server.issuer(), token.expose())),
        SetupLinkPut::Refused => None,
    })
}

/// Resolves at SIGTERM or SIGINT; a second one ends the process at once. They are heard from this call on, so it is made
/// before anybody is told that the program is there.
pub fn stop_signal() -> impl Future<Output = ()> + Send + 'static {
    use tokio::signal::unix::{SignalKind, signal};
    let heard = signal(SignalKind::terminate()).and_then(|terminate| Ok((terminate, signal(SignalKind::interrupt())?)));
    async move {
        let Ok((mut terminate, mut interrupt)) = heard else {
            return std::future::pending().await;
        };
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tokio::spawn(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            std::process::exit(130);
        });
    }
}
