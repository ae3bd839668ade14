//! `fujie serve`: wires configuration, data folder, simulator and server together and runs until it is told to stop.

use std::{
    io::{IsTerminal as _, Write as _},
    sync::Arc,
};

use anyhow::{Context as _, Result};
use fujie_client::{Client, Registration, ReqwestTransport, Transport, provider};
use fujie_core::{
    policy::Policy,
    random::SystemRandom,
    secret::{Digest, Kind, Secret},
    time::Lifetime,
};
use fujie_server::{Server, Settings, broker::Connection, clock::Clock};
use fujie_simulator::{
    Running,
    wechat::{DEFAULT_APPID, DEFAULT_SECRET, Wechat, WechatConfig},
};
use fujie_store::{SetupLinkPut, Store};
use tokio::net::TcpListener;

use crate::{
    config::{Config, ConnectionConfig, Provider},
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
    let store = folder.store()?;
    let master = folder.master_key(&store).await?;
    let (connections, simulators) = connect(&config.connections).await?;
    let settings = Settings {
        issuer: config.issuer.clone(),
        name: config.name.clone(),
        is_demo: false,
        policy: policy(&config),
        connections,
        password_enabled: config.sign_in.password,
        master,
        clock: Clock::default(),
    };
    let server = Server::start(store.clone(), settings).await?;
    announce(&server, &folder, &config, &simulators).await?;
    fujie_server::serve(Arc::clone(&server), listener, stop_signal()).await;
    store.close().await;
    for simulator in simulators {
        simulator.shutdown().await?;
    }
    Ok(())
}

/// The connections of the configuration, with a simulator for each that asks for one.
async fn connect(configured: &[ConnectionConfig]) -> Result<(Vec<Connection>, Vec<Running>)> {
    let (mut connections, mut simulators) = (Vec::new(), Vec::new());
    let transport: Arc<dyn Transport> = Arc::new(ReqwestTransport::new()?);
    for own in configured {
        let mut record = match own.provider {
            Provider::Wechat => provider::wechat(),
        };
        let (client_id, secret) = if own.is_simulated {
            let simulator = Wechat::start(("127.0.0.1", 0), WechatConfig::default()).await?;
            record = record.at_host(simulator.base_url())?;
            simulators.push(simulator);
            (DEFAULT_APPID.to_owned(), DEFAULT_SECRET.to_owned())
        } else {
            (own.client_id.clone(), own.client_secret.expose().to_owned())
        };
        if let Some(base) = &own.at {
            record = record.at_host(base)?;
        }
        connections.push(Connection {
            id: own.id.clone(),
            label: own.label.clone(),
            client: Client::over(
                Arc::clone(&transport),
                Registration::new(record, client_id, fujie_client::Secret::new(secret))?,
            )?,
            is_simulated: own.is_simulated || own.at.is_some(),
            group: own.group.clone(),
        });
    }
    Ok((connections, simulators))
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
async fn announce(server: &Server, folder: &DataFolder, config: &Config, simulators: &[Running]) -> Result<()> {
    let mut out = std::io::stdout();
    writeln!(out, "{}", config.issuer)?;
    out.flush()?;
    let mut err = std::io::stderr();
    writeln!(err, "fujie serves {} from {}", config.issuer, folder.path().display())?;
    for simulator in simulators {
        writeln!(err, "simulated WeChat: {}/phone is the phone", simulator.base_url())?;
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

/// Resolves at SIGTERM or SIGINT; a second one ends the process at once.
pub async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut terminate), Ok(mut interrupt)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        std::future::pending::<()>().await;
        return;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Sources;

    async fn connection(client_id: &str, client_secret: &str) -> Connection {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("fujie.toml");
        let text = format!("[connection.wechat]\nclient_id = \"{client_id}\"\nclient_secret = \"{client_secret}\"\n");
        std::fs::write(&file, text).unwrap();
        let config = Config::load(Sources { file: Some(file), ..Sources::default() }).unwrap();
        connect(&config.connections).await.unwrap().0.remove(0)
    }

    #[tokio::test]
    async fn two_lines_lead_from_the_simulator_to_wechat() {
        let simulated = connection("simulated", "simulated").await;
        assert!(simulated.is_simulated, "its people are kept apart");
        assert!(simulated.client.provider().token.endpoint.starts_with("http://127.0.0.1:"));
        let real = connection("wxabcdef0123456789", "0123456789abcdef0123456789abcdef").await;
        assert!(!real.is_simulated);
        assert_eq!(real.client.registration().client_id(), "wxabcdef0123456789");
        assert_eq!(real.client.provider().authorization_endpoint, "https://open.weixin.qq.com/connect/qrconnect");
        assert_eq!(real.client.provider().token.endpoint, "https://api.weixin.qq.com/sns/oauth2/access_token");
    }
}
