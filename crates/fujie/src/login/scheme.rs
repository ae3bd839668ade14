//! A private-use URI scheme as the way back (RFC 8252 §7.1): which redirect URI it makes, and whether it is ours.

use fujie_receiver::uri_scheme::{self, Place, SchemeName, Status, handover::Waiting};

use super::failure::Failure;

/// Reads `com.example.app`, or a whole redirect URI such as `com.example.app:/callback`.
pub fn parse(text: &str) -> Result<(SchemeName, String), Failure> {
    let (name, redirect_uri) = match text.split_once(':') {
        Some((name, _)) => (name, text.to_owned()),
        None => (text, format!("{text}:/callback")),
    };
    match SchemeName::parse(name) {
        Ok(name) if name.is_reverse_domain() => Ok((name, redirect_uri)),
        Ok(name) => Err(Failure::usage(
            format!("{name}: sign-ins take a scheme that is a domain in reverse, such as com.example.{name}"),
            format!("{name}：登录只接受倒写域名形式的 scheme，例如 com.example.{name}"),
        )),
        Err(refusal) => Err(Failure::usage(
            format!("--scheme {name}: {refusal}"),
            format!("--scheme {name} 不能用作 URI scheme，应形如 com.example.app"),
        )),
    }
}

/// Waits for a URI of this scheme with this `state`, if the scheme is ours.
pub fn open(name: &SchemeName, state: &str) -> Result<Waiting, Failure> {
    let failed = |error: &dyn std::error::Error| Failure::new(error.to_string(), format!("无法使用 {name}：{error}"));
    let place = Place::of_user().map_err(|error| failed(&error))?;
    match uri_scheme::status(name, &place).map_err(|error| failed(&error))? {
        Status::Ours { .. } => Waiting::open(name, Some(state), &place).map_err(|error| failed(&error)),
        Status::Absent => Err(Failure::new(
            format!("{name} is not registered. First, once: fujie scheme register {name}"),
            format!("{name} 尚未注册，请先执行一次：fujie scheme register {name}"),
        )),
        Status::Foreign { by } => Err(Failure::new(
            format!("{name} belongs to another program: {by}"),
            format!("{name} 已被其他程序注册：{by}"),
        )),
    }
}
