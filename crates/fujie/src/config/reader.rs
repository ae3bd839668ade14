//! From layers to typed values, and the rules that hold between several values.
//!
//! Every value is read even when another is at fault, so that all faults are told at once.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use super::{
    Config, Lifetimes, Log, Setting, SignIn,
    connection::ConnectionConfig,
    fault::{Fault, echo},
    layer::{Given, Layers, Origin, variable_name},
    schema::{self, Form},
    value::{self, Issuer, Read},
};

/// Reads values and keeps what is to be told of them.
pub(super) struct Reader {
    /// Relative paths are taken below it.
    pub(super) base: PathBuf,
    layers: Layers,
    settings: Vec<Setting>,
    faults: Vec<Fault>,
}

impl Reader {
    pub(super) fn new(base: &Path, mut layers: Layers) -> Self {
        let faults = std::mem::take(&mut layers.faults);
        Self { base: base.to_owned(), layers, settings: Vec::new(), faults }
    }

    /// What was read, and what is wrong with it.
    pub(super) fn finish(self) -> (Vec<Setting>, Vec<Fault>) {
        (self.settings, self.faults)
    }

    /// Everything; `None` when a value is missing or at fault.
    pub(super) fn config(&mut self) -> Option<Config> {
        let insecure_http_issuer = self.read("insecure_http_issuer", value::switch);
        let listen = self.read("listen", value::address);
        let issuer_follows_listen = !self.layers.given.contains_key("issuer");
        let issuer = self.issuer(listen, insecure_http_issuer);
        let data_dir = self.read("data_dir", value::path);
        let name = self.read("name", value::words);
        let password = self.read("sign_in.password", value::switch);
        let lifetime = self.lifetimes();
        let level = self.read("log.level", value::level);
        let format = self.read("log.format", value::format);
        let channel = self.channel(issuer.as_ref());
        let connections = self.connections(issuer.as_ref());
        Some(Config {
            issuer: issuer?.text,
            listen: listen?,
            data_dir: data_dir?,
            name: name?,
            sign_in: SignIn { password: password? },
            lifetime: lifetime?,
            log: Log { level: level?, format: format? },
            channel: channel?,
            connections: connections?,
            issuer_follows_listen,
            settings: Vec::new(),
        })
    }

    /// The value of `key` as given, or its default.
    pub(super) fn read<T>(&mut self, key: &str, parse: impl FnOnce(&str) -> Read<T>) -> Option<T> {
        let default = schema::key_at(key).and_then(|key| key.default).map(str::to_owned);
        self.read_or(key, default.map(|text| Given { text: Some(text), origin: Origin::Default }), parse)
    }

    pub(super) fn read_or<T>(
        &mut self,
        key: &str,
        default: Option<Given>,
        parse: impl FnOnce(&str) -> Read<T>,
    ) -> Option<T> {
        let form = schema::key_at(key)?.form;
        let Some(given) = self.layers.given.get(key).or(default.as_ref()) else {
            self.settings.push(Setting { key: key.to_owned(), shown: None, origin: Origin::Default });
            return None;
        };
        let text = given.text.as_deref()?;
        let shown = match form {
            Form::Text => format!("{text:?}"),
            Form::Secret => "[redacted]".to_owned(),
            Form::Integer | Form::Switch => text.to_owned(),
        };
        self.settings.push(Setting { key: key.to_owned(), shown: Some(shown), origin: given.origin.clone() });
        let subject = if form == Form::Secret { "the value".to_owned() } else { echo(text) };
        match parse(text) {
            Ok(value) => Some(value),
            Err(what) => {
                self.faults.push(Fault::at(key, &given.origin, format!("{subject} {what}")));
                None
            }
        }
    }

    /// A key that has no default.
    pub(super) fn require<T>(&mut self, key: &str, what: &str, parse: impl FnOnce(&str) -> Read<T>) -> Option<T> {
        self.missing(key, what);
        self.read(key, parse)
    }

    /// A fault if nobody gave this key; of one that was given badly it is told already.
    pub(super) fn missing(&mut self, key: &str, what: &str) {
        if self.is_given(key) {
            return;
        }
        let path: Vec<String> = key.split('.').map(str::to_owned).collect();
        self.faults.push(Fault::missing(key, format!("{what}; set it in the file or as {}", variable_name(&path))));
    }

    /// Did somebody give this key?
    pub(super) fn is_given(&self, key: &str) -> bool {
        self.layers.given.contains_key(key)
    }

    /// A fault of a value that is valid by itself.
    pub(super) fn refuse(&mut self, key: &str, what: impl Into<String>) {
        self.faults.push(match self.layers.given.get(key) {
            Some(given) => Fault::at(key, &given.origin, what),
            None => Fault::missing(key, what),
        });
    }

    fn issuer(&mut self, listen: Option<SocketAddr>, insecure_http_issuer: Option<bool>) -> Option<Issuer> {
        if !self.layers.given.contains_key("issuer") && listen.is_some_and(|listen| !listen.ip().is_loopback()) {
            self.refuse("issuer", NO_ISSUER);
            return None;
        }
        let derived =
            listen.map(|listen| Given { text: Some(value::issuer_of(listen)), origin: Origin::Derived("listen") });
        let issuer = self.read_or("issuer", derived, value::issuer)?;
        // Shown first, because it is what a server is known by.
        if let Some(shown) = self.settings.pop() {
            self.settings.insert(0, shown);
        }
        if !issuer.is_https && insecure_http_issuer == Some(false) {
            if !issuer.is_loopback {
                self.refuse("issuer", HTTP_ISSUER);
            } else if listen.is_some_and(|listen| !listen.ip().is_loopback()) {
                self.refuse("listen", OPEN_LISTEN);
            }
        }
        Some(issuer)
    }

    fn lifetimes(&mut self) -> Option<Lifetimes> {
        let access_token = self.read("lifetime.access_token", value::seconds(60..=DAY));
        let access_token_jwt = self.read("lifetime.access_token_jwt", value::seconds(60..=DAY));
        let refresh_idle = self.read("lifetime.refresh_idle", value::seconds(HOUR..=YEAR));
        let refresh_total = self.read("lifetime.refresh_total", value::seconds(HOUR..=YEAR));
        let session = self.read("lifetime.session", value::seconds(HOUR..=YEAR));
        if let (Some(idle), Some(total)) = (refresh_idle, refresh_total)
            && idle > total
        {
            let is_idle_given = self.layers.given.contains_key("lifetime.refresh_idle");
            let key = if is_idle_given { "lifetime.refresh_idle" } else { "lifetime.refresh_total" };
            let (idle, total) = (idle.seconds(), total.seconds());
            self.refuse(
                key,
                format!("refresh_idle ({idle}) must not be more than refresh_total ({total}); change one"),
            );
        }
        Some(Lifetimes {
            access_token: access_token?,
            access_token_jwt: access_token_jwt?,
            refresh_idle: refresh_idle?,
            refresh_total: refresh_total?,
            session: session?,
        })
    }

    fn connections(&mut self, issuer: Option<&Issuer>) -> Option<Vec<ConnectionConfig>> {
        let ids = self.layers.connections.clone();
        let read: Vec<_> = ids.iter().map(|id| self.connection(id, issuer)).collect();
        let connections: Vec<_> = read.into_iter().collect::<Option<_>>()?;
        self.groups(&connections);
        Some(connections)
    }

    /// People of a simulator must never be taken for people of the provider: they share no group.
    fn groups(&mut self, connections: &[ConnectionConfig]) {
        let place = |own: &ConnectionConfig| (own.is_simulated, own.at.clone());
        for (index, own) in connections.iter().enumerate() {
            let shares = |other: &&ConnectionConfig| {
                own.group.is_some() && own.record_id() == other.record_id() && own.group == other.group
            };
            let first = connections.iter().take(index).find(shares);
            if let Some(first) = first.filter(|first| place(first) != place(own)) {
                let other = &first.id;
                let what =
                    format!("is also the group of connection {other}, which is at another address; choose another");
                self.refuse(&format!("connection.{}.group", own.id), what);
            }
        }
    }
}

const NO_ISSUER: &str = "must be given when listen is not a loopback address; write the address that people see, such \
                         as https://id.example.com, and let a proxy in front speak https";
const HTTP_ISSUER: &str = "must be https, because tokens and passwords travel there; let a proxy in front speak https \
                           (or set insecure_http_issuer = true where nobody can listen)";
const OPEN_LISTEN: &str = "others can reach this address, and the issuer is http; behind a proxy set an https issuer, \
                           otherwise listen on 127.0.0.1 (or set insecure_http_issuer = true where nobody can listen)";
const HOUR: u32 = 60 * 60;
const DAY: u32 = 24 * HOUR;
const YEAR: u32 = 365 * DAY;
