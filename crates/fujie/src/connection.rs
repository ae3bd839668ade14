//! From configured connections to those of the server, with a simulator for each that asks for one.
//!
//! What a section of the configuration means is `config`'s; who signs in is the server's.

use std::sync::Arc;

use anyhow::{Context as _, Result, anyhow};
use fujie_client::{
    Client, Credential, Provider, RecordError, Registration, ReqwestTransport, Rsa2Key, Secret, Transport,
    openid::signing_key,
};
use fujie_server::broker::{Connection, Discovered, Upstream};
use fujie_simulator::Running;
use serde_json::Value;

use crate::{
    config::{ConnectionConfig, Record},
    simulate,
};

/// The place of providers that run inside this process.
pub const SIMULATOR: &str = "simulator";

/// A simulator that runs for a connection.
pub struct Simulator {
    /// The name that people read.
    pub title: &'static str,
    /// It.
    pub running: Running,
}

/// The connections of the configuration, and the simulators that run for them.
pub async fn connect(configured: &[ConnectionConfig]) -> Result<(Vec<Connection>, Vec<Simulator>)> {
    let (mut connections, mut simulators) = (Vec::new(), Vec::new());
    let transport: Arc<dyn Transport> = Arc::new(ReqwestTransport::new()?);
    for own in configured {
        let context = || format!("connection {}", own.id);
        let (upstream, place) = if own.is_simulated {
            let (upstream, simulator) = simulated(own, &transport).await.with_context(context)?;
            simulators.push(simulator);
            (upstream, Some(SIMULATOR.to_owned()))
        } else {
            (real(own, &transport).with_context(context)?, own.at.as_deref().map(place))
        };
        connections.push(Connection {
            id: own.id.clone(),
            label: own.label.clone(),
            upstream,
            place,
            group: own.group.clone(),
            embedding: own.embedding,
        });
    }
    Ok((connections, simulators))
}

/// An address without its scheme: identities of two places are kept apart by it.
fn place(at: &str) -> String {
    at.split_once("://").map_or(at, |(_, rest)| rest).to_owned()
}

fn real(own: &ConnectionConfig, transport: &Arc<dyn Transport>) -> Result<Upstream> {
    match &own.record {
        Record::Known(record) => {
            let record = match &own.at {
                Some(base) => record.at_host(base)?,
                None => Provider::clone(record),
            };
            let credential = own.proof.credential().map_err(|what| anyhow!("private_key {what}"))?;
            known(record, &own.client_id, credential, transport)
        }
        Record::Issuer(issuer, changes) => {
            let (client_id, changes, proof) = (own.client_id.clone(), changes.clone(), Arc::clone(&own.proof));
            let over = Arc::clone(transport);
            let make = move |record: Provider| {
                let credential = proof.credential().map_err(RecordError::Text)?;
                let registration = Registration::new(changes.apply(record), client_id.clone(), credential)?;
                Client::over(Arc::clone(&over), registration)
            };
            Ok(Upstream::Discovered(Discovered::new(issuer, Arc::clone(transport), Box::new(make))))
        }
    }
}

fn known(record: Provider, id: &str, credential: Credential, transport: &Arc<dyn Transport>) -> Result<Upstream> {
    let registration = Registration::new(record, id, credential)?;
    Ok(Upstream::Known(Arc::new(Client::over(Arc::clone(transport), registration)?)))
}

/// The provider played on this machine, with the application that every simulator knows.
async fn simulated(own: &ConnectionConfig, transport: &Arc<dyn Transport>) -> Result<(Upstream, Simulator)> {
    let started = simulate::start(own.provider).await;
    let started = started.with_context(|| format!("there is no simulator for {}", own.provider))??;
    let base = started.running.base_url().to_owned();
    let (client_id, secret) = started.app.clone().context("the simulator knows no application")?;
    let secret = Secret::new(secret.unwrap_or_default());
    let upstream = match &own.record {
        Record::Known(record) => {
            let moved = record.at_simulator(&base)?;
            let credential = match own.provider {
                "alipay" => Credential::Rsa2(Rsa2Key::from_pkcs8(&private_key(&base).await?)?),
                "apple" => {
                    let key = signing_key::read(&private_key(&base).await?, TEAM_ID)?;
                    Credential::Apple { team_id: TEAM_ID.to_owned(), key }
                }
                _ => Credential::Secret(secret),
            };
            known(moved, &client_id, credential, transport)?
        }
        Record::Issuer(_, changes) => {
            let (changes, over) = (changes.clone(), Arc::clone(transport));
            let make = move |record: Provider| {
                let secret = Secret::new(secret.expose());
                let registration = Registration::new(changes.apply(record), client_id.clone(), secret)?;
                Client::over(Arc::clone(&over), registration)
            };
            Upstream::Discovered(Discovered::new(&base, Arc::clone(transport), Box::new(make)))
        }
    };
    Ok((upstream, Simulator { title: started.title(), running: started.running }))
}

/// The key that the simulator made for its application, as a console would let it be downloaded.
async fn private_key(base: &str) -> Result<String> {
    let client = reqwest::Client::builder().no_proxy().build()?;
    let told = client.get(format!("{base}/_simulate")).send().await?.error_for_status()?.bytes().await?;
    let told: Value = serde_json::from_slice(&told)?;
    let key = told.pointer("/apps/0/private_key").and_then(Value::as_str);
    Ok(key.context("the simulator made no key")?.to_owned())
}

/// The simulated Apple's one team, which is also the name of its key.
const TEAM_ID: &str = fujie_simulator::oidc::DEFAULT_TEAM_ID;
