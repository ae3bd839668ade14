//! Cookies: ours are HttpOnly, `SameSite=Lax`, and `__Host-` on https. On loopback, where cookies ignore ports, the
//! instance is part of the name.

use fujie_core::time::Lifetime;
use http::header;

use crate::http::{Request, Response, with_header};

/// Longest value of one cookie, in bytes; a longer one is carried in several.
const CHUNK: usize = 3600;

/// What a cookie is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Name<'a> {
    /// The browser session.
    Session,
    /// Binds forms to this browser.
    Browser,
    /// The identity that waits to be bound.
    BindTicket,
    /// The language somebody chose.
    Lang,
    /// A sign-in with a provider, by its state.
    Flow(&'a str),
}

/// How this server names its cookies.
#[derive(Clone, Debug)]
pub struct Cookies {
    prefix: String,
    is_secure: bool,
}

impl Cookies {
    /// For an issuer; `instance` keeps several servers on one loopback host apart.
    pub fn new(issuer: &str, instance: &str) -> Self {
        let is_secure = issuer.starts_with("https://");
        let tail: String = instance.chars().rev().take(6).collect();
        let prefix = if is_secure { "__Host-fujie_".to_owned() } else { format!("fujie_{tail}_") };
        Self { prefix, is_secure }
    }

    fn name(&self, name: &Name<'_>) -> String {
        let word = match name {
            Name::Session => "session",
            Name::Browser => "browser",
            Name::BindTicket => "bind",
            Name::Lang => "lang",
            Name::Flow(state) => {
                // Enough of the state to tell flows of one browser apart.
                let head: String = state.chars().filter(char::is_ascii_alphanumeric).take(24).collect();
                return format!("{}flow_{head}", self.prefix);
            }
        };
        format!("{}{word}", self.prefix)
    }

    /// The value of a cookie, whole.
    pub fn read(&self, request: &Request, name: &Name<'_>) -> Option<String> {
        let own = self.name(name);
        let mut value = find(request, &own)?.to_owned();
        for part in 1..4 {
            match find(request, &format!("{own}-{part}")) {
                Some(next) => value.push_str(next),
                None => break,
            }
        }
        Some(value)
    }

    /// The answer that sets a cookie for `life`.
    pub fn set(&self, mut response: Response, name: &Name<'_>, value: &str, life: Lifetime) -> Response {
        let own = self.name(name);
        let chunks = value.as_bytes().chunks(CHUNK);
        for (part, chunk) in chunks.enumerate() {
            let name = if part == 0 { own.clone() } else { format!("{own}-{part}") };
            let chunk = String::from_utf8_lossy(chunk);
            response = self.write(response, &name, &chunk, life.seconds());
        }
        response
    }

    /// The answer that deletes a cookie.
    pub fn clear(&self, request: &Request, mut response: Response, name: &Name<'_>) -> Response {
        let own = self.name(name);
        for part in 0..4 {
            let name = if part == 0 { own.clone() } else { format!("{own}-{part}") };
            if find(request, &name).is_some() {
                response = self.write(response, &name, "", 0);
            }
        }
        response
    }

    /// The answer that deletes flows of this browser, when all of them together are too much to carry.
    pub fn shed_flows(&self, request: &Request, mut response: Response) -> Response {
        let head = format!("{}flow_", self.prefix);
        let flows: Vec<_> = pairs(request).filter(|(name, _)| name.starts_with(&head)).collect();
        let carried: usize = flows.iter().map(|(name, value)| name.len() + value.len()).sum();
        if carried > FLOWS_MAX {
            for (name, _) in flows {
                response = self.write(response, name, "", 0);
            }
        }
        response
    }

    fn write(&self, response: Response, name: &str, value: &str, max_age: u64) -> Response {
        let secure = if self.is_secure { "; Secure" } else { "" };
        let cookie = format!("{name}={value}; Path=/; Max-Age={max_age}; HttpOnly; SameSite=Lax{secure}");
        with_header(response, header::SET_COOKIE, &cookie)
    }
}

/// All flows of a browser together, in bytes: beyond it the earlier ones are dropped.
const FLOWS_MAX: usize = 6000;

fn find<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    pairs(request).find(|(own, _)| *own == name).map(|(_, value)| value)
}

fn pairs(request: &Request) -> impl Iterator<Item = (&str, &str)> {
    request
        .headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
}
