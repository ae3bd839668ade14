//! The application in whose name a person signs in: which provider, which client id, and where its secret is.
//!
//! Owns how it is described on the command line and kept between two runs. A secret itself is neither: only the file or
//! the variable that holds it. Signing in is not here.

use std::{collections::BTreeMap, env, fs::File, io::Read as _, path::PathBuf};

use fujie_client::{
    Client, Credential, Provider, ProviderError, RecordError, Registration, ReqwestTransport, Secret, provider,
    session::{Renew, Renewing, TokenPlacement},
};
use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;
use url::{Origin, Url};
use zeroize::Zeroizing;

use super::failure::{self, Failure};

/// A preset's name or an OpenID provider's issuer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// A preset of the client, and the host that stands in for its own.
    Preset {
        /// The preset.
        name: String,
        /// Another host.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at: Option<String>,
    },
    /// An OpenID provider that describes itself.
    Issuer(String),
}

/// An application at a provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Application {
    /// Where.
    pub place: Place,
    /// Its id there.
    pub client_id: String,
    /// Where its secret is, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<SecretPlace>,
    /// What it asks for, when that is not what the record says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scope: Vec<String>,
    /// The variables that changed the record at the sign-in, such as `GITHUB__BASE_URL`. They hold no secret, and what
    /// the environment says later does not count: the token must not go to another origin.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub variables: BTreeMap<String, String>,
}

/// Where a client secret is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecretPlace {
    /// In a file, alone.
    File(PathBuf),
    /// In a variable of the environment.
    Variable(String),
}

impl Place {
    /// Reads PROVIDER or ISSUER.
    pub fn parse(text: &str, at: Option<String>) -> Result<Self, Failure> {
        if provider::names().any(|name| name == text) {
            return Ok(Self::Preset { name: text.to_owned(), at });
        }
        if text.contains("://") {
            if at.is_some() {
                return Err(Failure::usage(
                    "--at is for a preset: an issuer's address is its own",
                    "--at 只用于内置平台；签发者的地址就是它自己",
                ));
            }
            return Ok(Self::Issuer(text.to_owned()));
        }
        let known = provider::names().collect::<Vec<_>>().join(", ");
        Err(Failure::usage(
            format!("{text}: neither an issuer such as https://id.example nor one of {known}"),
            format!("{text}：既不是 https://id.example 这样的签发者地址，也不在支持的平台之列：{known}"),
        ))
    }

    /// As a person names it.
    pub fn name(&self) -> &str {
        match self {
            Self::Preset { name, .. } => name,
            Self::Issuer(issuer) => issuer,
        }
    }

    /// Another host than the provider's own.
    pub fn at(&self) -> Option<&str> {
        match self {
            Self::Preset { at, .. } => at.as_deref(),
            Self::Issuer(_) => None,
        }
    }

    /// What the variables of its preset begin with.
    fn prefix(&self) -> Option<String> {
        match self {
            Self::Preset { name, .. } => Some(name.to_ascii_uppercase()),
            Self::Issuer(_) => None,
        }
    }

    fn variable(&self, name: &str) -> Option<String> {
        Some(format!("{}_{name}", self.prefix()?))
    }
}

impl Application {
    /// The application that the arguments describe; for a preset, `GITHUB_CLIENT_ID` and its like fill in.
    pub fn new(
        name: &str,
        at: Option<String>,
        client_id: Option<String>,
        secret_file: Option<PathBuf>,
        scope: &[String],
    ) -> Result<Self, Failure> {
        let place = Place::parse(name, at)?;
        let value = |name: &str| env::var(place.variable(name)?).ok().filter(|value| !value.is_empty());
        let at = place.at().map(str::to_owned).or_else(|| value("AT"));
        let client_id = client_id.or_else(|| value("CLIENT_ID")).ok_or_else(|| no_client_id(&place))?;
        let secret = match secret_file {
            Some(path) => {
                let absolute = std::path::absolute(&path).map_err(|error| failure::of_file(&path, &error))?;
                Some(SecretPlace::File(absolute))
            }
            None => value("CLIENT_SECRET").and_then(|_| place.variable("CLIENT_SECRET")).map(SecretPlace::Variable),
        };
        let variables = place.prefix().map(|prefix| variables(&format!("{prefix}__"))).unwrap_or_default();
        let place = match place {
            Place::Preset { name, .. } => Place::Preset { name, at },
            Place::Issuer(issuer) => Place::Issuer(issuer),
        };
        let scope = scope.iter().flat_map(|scope| scope.split([' ', ','])).filter(|scope| !scope.is_empty());
        Ok(Self { place, client_id, secret, scope: scope.map(str::to_owned).collect(), variables })
    }

    /// We, as this application. For an issuer its description is fetched.
    pub async fn client(&self) -> Result<Client, Failure> {
        let credential = self.credential()?;
        let transport = ReqwestTransport::new().map_err(|error| Failure::new(error.to_string(), error.to_string()))?;
        let registration = match (&self.place, self.record()?) {
            (_, Some(record)) => Registration::new(record, self.client_id.as_str(), credential).map_err(unusable)?,
            (place, None) => {
                Registration::discover(&transport, place.name(), self.client_id.as_str(), credential).await?
            }
        };
        let client = Client::over(std::sync::Arc::new(transport), registration).map_err(unusable)?;
        let scope: Vec<&str> = match (&self.place, self.scope.is_empty()) {
            (_, false) => self.scope.iter().map(String::as_str).collect(),
            (Place::Issuer(_), true) => ISSUER_SCOPE.to_vec(),
            (Place::Preset { .. }, true) => return Ok(client),
        };
        Ok(client.with_scope(&scope))
    }

    /// The record of a preset, changed by its variables; an issuer's must be asked for.
    fn record(&self) -> Result<Option<Provider>, Failure> {
        let Place::Preset { name, at } = &self.place else { return Ok(None) };
        let mut record = provider::named(name).ok_or_else(|| Failure::sign_in_needed(name))?;
        if let Some(base) = at {
            // Over plain http it can only be a simulator, which signs in its own name.
            let is_simulator = base.starts_with("http://");
            record = if is_simulator { record.at_simulator(base) } else { record.at_host(base) }.map_err(unusable)?;
        }
        let prefix = format!("{}__", self.place.prefix().unwrap_or_default());
        record.with_variables(&prefix, self.variables.clone()).map(Some).map_err(unusable)
    }

    /// Where this provider's API begins, which other origins are its own, and how they take the token. Nobody is asked.
    pub fn api(&self) -> Result<Api, Failure> {
        let (base_url, placement, user) = match self.record()? {
            Some(record) => {
                let user = record.user.map(|call| call.endpoint);
                (record.base_url, record.token_placement, user)
            }
            None => (self.place.name().to_owned(), TokenPlacement::Bearer, None),
        };
        let origins = [Some(base_url.clone()), user].into_iter().flatten();
        let origins = origins.filter_map(|address| Some(Url::parse(&address).ok()?.origin())).collect();
        Ok(Api { base_url, placement, origins })
    }

    /// Proof of who we are, from where it lies.
    pub fn credential(&self) -> Result<Credential, Failure> {
        match &self.secret {
            None => Ok(Credential::None),
            Some(SecretPlace::Variable(name)) => match env::var(name) {
                Ok(value) => Ok(Secret::new(value).into()),
                Err(_) => Err(Failure::new(
                    format!("The variable {name} is not set; it holds the client secret."),
                    format!("没有设置环境变量 {name}，其中应是应用的密钥。"),
                )),
            },
            Some(SecretPlace::File(path)) => {
                let mut text = Zeroizing::new(String::new());
                let read = File::open(path).and_then(|file| file.take(SECRET_LENGTH_MAX).read_to_string(&mut text));
                read.map_err(|error| {
                    let path = path.display();
                    Failure::new(
                        format!("{path}: the client secret cannot be read: {error}"),
                        format!("{path}：读不到应用的密钥：{error}"),
                    )
                })?;
                Ok(Secret::new(text.trim_end_matches(['\n', '\r'])).into())
            }
        }
    }
}

/// An API that takes a person's token.
pub struct Api {
    /// Where it begins.
    pub base_url: String,
    /// How it takes the token.
    pub placement: TokenPlacement,
    /// The provider's own origins.
    pub origins: Vec<Origin>,
}

/// The application as one that refreshes tokens: it is made a client only when that is due.
impl Renew for Application {
    fn refresh<'a>(&'a self, tokens: &'a fujie_client::Tokens) -> Renewing<'a> {
        Box::pin(async move {
            let (own, runtime) = (self.clone(), Handle::current());
            // The secret's file may keep its reader waiting: not on a thread that everything else needs.
            match tokio::task::spawn_blocking(move || runtime.block_on(own.client())).await {
                Ok(Ok(client)) => client.refresh(tokens).await,
                Ok(Err(failure)) => Err(ProviderError::Discovery(failure.english)),
                Err(error) => Err(ProviderError::Discovery(error.to_string())),
            }
        })
    }
}

/// The variables of the environment that begin so, as far as they are text.
fn variables(prefix: &str) -> BTreeMap<String, String> {
    let all = env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    all.filter(|(name, _)| name.starts_with(prefix)).collect()
}

fn unusable(error: RecordError) -> Failure {
    Failure::new(error.to_string(), format!("平台的设置无法使用：{error}"))
}

fn no_client_id(place: &Place) -> Failure {
    let (english, chinese) = match place.variable("CLIENT_ID") {
        Some(name) => (format!(" or set {name}"), format!("，或设置环境变量 {name}")),
        None => (String::new(), String::new()),
    };
    Failure::usage(
        format!("Which application? Say --client-id ID{english}."),
        format!("缺少应用的 client_id：请用 --client-id 给出{chinese}。"),
    )
}

/// What an issuer is asked for unless told otherwise: who it is, and to stay signed in.
const ISSUER_SCOPE: [&str; 3] = ["openid", "profile", "offline_access"];
/// Bytes of a file with a client secret, at most.
const SECRET_LENGTH_MAX: u64 = 4096;
