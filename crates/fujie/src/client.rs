//! `fujie client`: applications that may ask this server.

use std::io::Write as _;

use anyhow::{Result, bail};
use clap::{Args, Subcommand, ValueEnum};
use fujie_core::{
    client::{Api, Client, GrantType, PkcePolicy, TokenForm},
    jose::jws::Algorithm,
    random::{self, Random as _, SystemRandom},
    request::{redirect_uri::RegisteredUri, scope::Scope},
    secret::{Digest, Kind, Secret, hex},
    time::Lifetime,
};
use fujie_server::clock::Clock;
use fujie_store::{ClientAdded, ClientChanged, Store};

/// What to do with clients.
#[derive(Debug, Subcommand)]
pub enum ClientCommand {
    /// Register an application and print its id and secret; the secret is shown once.
    Add(Box<AddClient>),
    /// List the registered applications.
    List(Print),
    /// Refuse an application everywhere and end all that it was granted.
    Disable(Named),
    /// Let a disabled application in again; what it was granted before stays ended.
    Enable(Named),
}

/// An application by its id.
#[derive(Debug, Args)]
pub struct Named {
    /// Its client_id.
    id: String,
}

/// How to print.
#[derive(Debug, Args)]
pub struct Print {
    /// Form of the result.
    #[arg(long, value_enum, default_value = "text")]
    output: Output,
}

impl Print {
    /// The form that is wanted.
    pub const fn output(&self) -> Output {
        self.output
    }
}

/// Form of a result on stdout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// A registration.
#[derive(Debug, Args)]
pub struct AddClient {
    /// The name that people see.
    name: String,
    /// Where authorization responses may go; repeat for several. On http://127.0.0.1 and http://[::1] any port is let
    /// through.
    #[arg(long = "redirect-uri", value_name = "URI")]
    redirect_uris: Vec<String>,
    /// Where a sign-out may lead back to; repeat for several.
    #[arg(long = "post-logout-redirect-uri", value_name = "URI")]
    post_logout_redirect_uris: Vec<String>,
    /// An application without a secret: on a desktop, a phone, or in a browser.
    #[arg(long)]
    public: bool,
    /// Grant types to switch on; repeat for several. Default: authorization_code and refresh_token. Legacy, off unless
    /// named: implicit, password.
    #[arg(long = "grant", value_name = "GRANT_TYPE")]
    grants: Vec<String>,
    /// What it may ask for, separated by spaces; may be repeated. Default: "openid profile offline_access".
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<String>,
    /// PKCE: required (S256), optional (for confidential clients that cannot), or plain (required, S256 or plain).
    #[arg(long, default_value = "required")]
    pkce: String,
    /// Algorithm of its ID tokens: ES256, EdDSA or RS256.
    #[arg(long = "id-token-alg", default_value = "ES256")]
    id_token_alg: String,
    /// Rotate refresh tokens at each use, or not. Default: public clients rotate.
    #[arg(long)]
    rotate: Option<bool>,
    /// Seconds in which a repeated refresh token gives the same successor, 0 to 60.
    #[arg(long = "refresh-window", value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u32).range(0..=60))]
    refresh_window: u32,
    /// Lifetime of its access tokens in seconds, when it wants another than the server's.
    #[arg(long = "access-token-lifetime", value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(10..=86400))]
    access_token_lifetime: Option<u32>,
    /// This client is an API: the audience of its tokens, an absolute URI.
    #[arg(long, value_name = "RESOURCE")]
    api: Option<String>,
    /// Scope tokens that the API owns, separated by spaces; asking for one asks for its audience.
    #[arg(long = "api-scope", value_name = "SCOPE", requires = "api")]
    api_scope: Option<String>,
    /// Form of the API's access tokens: ES256, EdDSA or RS256 (JWT), or opaque.
    #[arg(long = "api-token", value_name = "FORM", default_value = "ES256")]
    api_token: String,
    /// Form of the result.
    #[arg(long, value_enum, default_value = "text")]
    output: Output,
}

/// Carries the command out on the store.
pub async fn run(command: ClientCommand, store: &Store) -> Result<()> {
    let now = Clock::default().now();
    match command {
        ClientCommand::Add(add) => {
            let output = add.output;
            let (client, secret) = build(*add)?;
            if store.add_client(&client, now).await? == ClientAdded::Taken {
                bail!("an API with this resource is registered already");
            }
            print(&client, secret.as_ref(), output)
        }
        ClientCommand::List(print) => list(store, print.output()).await,
        ClientCommand::Disable(named) => changed(store.disable_client(&named.id, now).await?, &named.id),
        ClientCommand::Enable(named) => changed(store.enable_client(&named.id, now).await?, &named.id),
    }
}

fn changed(outcome: ClientChanged, id: &str) -> Result<()> {
    match outcome {
        ClientChanged::Changed => Ok(()),
        ClientChanged::Unchanged => bail!("there is no client {id}, or it is so already; see fujie client list"),
    }
}

/// A new `client_id`: 20 characters, never the shape of an account's `sub`.
pub fn new_client_id() -> String {
    let mut bytes = random::bytes::<10>(&mut SystemRandom);
    SystemRandom.fill(&mut bytes);
    format!("app-{}", hex(&bytes))
}

fn build(add: AddClient) -> Result<(Client, Option<Secret>)> {
    let grant_types = grants(&add)?;
    let needs_redirect = [GrantType::AuthorizationCode, GrantType::Implicit];
    if add.redirect_uris.is_empty() && grant_types.iter().any(|grant| needs_redirect.contains(grant)) {
        bail!(
            "--redirect-uri is missing: where should authorization responses go? (for machines: --grant client_credentials)"
        );
    }
    if add.public && grant_types.contains(&GrantType::ClientCredentials) {
        bail!("client_credentials needs a secret; leave --public out");
    }
    let uris = |texts: &[String]| -> Result<Vec<RegisteredUri>> {
        texts
            .iter()
            .map(|text| RegisteredUri::parse(text).map_err(|error| anyhow::anyhow!("{text}: {error}")))
            .collect()
    };
    let algorithm =
        |text: &str| Algorithm::parse(text).ok_or_else(|| anyhow::anyhow!("{text}: not one of ES256, EdDSA, RS256"));
    let pkce = PkcePolicy::parse(&add.pkce)
        .ok_or_else(|| anyhow::anyhow!("--pkce {}: not one of required, optional, plain", add.pkce))?;
    if add.public && pkce == PkcePolicy::Optional {
        bail!("a public client must use PKCE (RFC 9700 §2.1.1)");
    }
    let secret = (!add.public).then(|| Secret::random(Kind::ClientSecret, &mut SystemRandom));
    let default_scope = || "openid profile offline_access".to_owned();
    let scope = if add.scopes.is_empty() && add.api.is_none() { default_scope() } else { add.scopes.join(" ") };
    let client = Client {
        id: new_client_id(),
        name: name(&add.name)?,
        epoch: 0,
        is_disabled: false,
        is_public: add.public,
        secrets: secret.iter().map(|secret| Digest::of(Kind::ClientSecret, secret.expose())).collect(),
        redirect_uris: uris(&add.redirect_uris)?,
        post_logout_redirect_uris: uris(&add.post_logout_redirect_uris)?,
        grant_types,
        scope: Scope::parse(&scope)?,
        pkce,
        rotates: add.rotate,
        refresh_window: Lifetime::from_seconds(add.refresh_window),
        access_token_lifetime: add.access_token_lifetime.map(Lifetime::from_seconds),
        id_token_alg: algorithm(&add.id_token_alg)?,
        api: api(&add)?,
    };
    Ok((client, secret))
}

fn name(name: &str) -> Result<String> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > 100 || name.chars().any(char::is_control) {
        bail!("the name must have 1 to 100 characters and no control characters");
    }
    Ok(name.to_owned())
}

fn grants(add: &AddClient) -> Result<Vec<GrantType>> {
    if add.grants.is_empty() {
        let for_people = vec![GrantType::AuthorizationCode, GrantType::RefreshToken];
        return Ok(if add.api.is_some() && add.redirect_uris.is_empty() { Vec::new() } else { for_people });
    }
    let read = |word: &String| {
        let known = GrantType::ALL.map(GrantType::as_str).join(", ");
        GrantType::parse(word).ok_or_else(|| anyhow::anyhow!("--grant {word}: not one of {known}"))
    };
    add.grants.iter().map(read).collect()
}

fn api(add: &AddClient) -> Result<Option<Api>> {
    let Some(resource) = &add.api else { return Ok(None) };
    let is_absolute = url::Url::parse(resource).is_ok_and(|url| !url.cannot_be_a_base());
    if !is_absolute || resource.contains(['#', ' ']) {
        bail!("--api {resource}: must be an absolute URI without fragment (RFC 8707 §2)");
    }
    let token = TokenForm::parse(&add.api_token)
        .ok_or_else(|| anyhow::anyhow!("--api-token {}: not one of ES256, EdDSA, RS256, opaque", add.api_token))?;
    let scope = Scope::parse(add.api_scope.as_deref().unwrap_or_default())?;
    Ok(Some(Api { resource: resource.clone(), scope, scope_words: std::collections::BTreeMap::default(), token }))
}

fn print(client: &Client, secret: Option<&Secret>, output: Output) -> Result<()> {
    let mut out = std::io::stdout();
    match output {
        Output::Json => {
            let value = serde_json::json!({
                "client_id": client.id,
                "client_secret": secret.map(Secret::expose),
                "client_name": client.name,
                "redirect_uris": client.redirect_uris.iter().map(RegisteredUri::as_str).collect::<Vec<_>>(),
                "grant_types": client.grant_types.iter().map(|grant| grant.as_str()).collect::<Vec<_>>(),
                "scope": client.scope.as_str(),
            });
            writeln!(out, "{value}")?;
        }
        Output::Text => {
            writeln!(out, "client_id      {}", client.id)?;
            match secret {
                Some(secret) => writeln!(out, "client_secret  {}   (shown once)", secret.expose())?,
                None => writeln!(out, "client_secret  none: a public client")?,
            }
        }
    }
    Ok(())
}

async fn list(store: &Store, output: Output) -> Result<()> {
    let mut out = std::io::stdout();
    for client in store.clients().await? {
        let state = if client.is_disabled { "disabled" } else { "enabled" };
        let grants: Vec<_> = client.grant_types.iter().map(|grant| grant.as_str()).collect();
        match output {
            Output::Text => writeln!(out, "{}  {state:8}  {}  [{}]", client.id, client.name, grants.join(" "))?,
            Output::Json => writeln!(
                out,
                "{}",
                serde_json::json!({
                    "client_id": client.id, "client_name": client.name, "state": state,
                    "grant_types": grants, "scope": client.scope.as_str(),
                })
            )?,
        }
    }
    Ok(())
}
