//! The rows of the report: what is driven, what its tokens are, and what it ought to reach.

use crate::{
    script::Script,
    seed::{Seeded, WEB_JWT_SCOPE, WEB_OPAQUE_SCOPE},
};

/// One row.
#[derive(Clone, Debug)]
pub struct Row {
    /// What is done.
    pub name: &'static str,
    /// The form of the token it is about.
    pub token: &'static str,
    /// Algorithms that make or check it.
    pub algorithm: &'static str,
    /// How it is done.
    pub script: Script,
    /// What it ought to reach.
    pub goal: Goal,
}

/// What a row ought to reach at 64 connections.
#[derive(Clone, Copy, Debug)]
pub enum Goal {
    /// This share of the bare server's requests per second of processor time; better still, the second.
    Share(f64, f64),
    /// At most so many microseconds of processor time for a unit.
    CpuMicros(f64),
}

/// All rows, for the server at `host`.
pub fn rows(host: &str, seeded: &Seeded) -> Vec<Row> {
    let cookies = || seeded.cookies.clone();
    vec![
        Row {
            name: "discovery",
            token: "none",
            algorithm: "none",
            script: Script::document(host, "/.well-known/openid-configuration"),
            goal: Goal::Share(0.85, 0.95),
        },
        Row {
            name: "JWKS",
            token: "none",
            algorithm: "none",
            script: Script::document(host, "/jwks"),
            goal: Goal::Share(0.85, 0.95),
        },
        Row {
            name: "client_credentials",
            token: "opaque, sealed",
            algorithm: "AES-256-GCM-SIV",
            script: Script::client_credentials(host, &seeded.machine_opaque, "notes"),
            goal: Goal::Share(0.60, 0.75),
        },
        Row {
            name: "client_credentials",
            token: "JWT",
            algorithm: "EdDSA",
            script: Script::client_credentials(host, &seeded.machine_jwt, "files"),
            goal: Goal::Share(0.32, 0.42),
        },
        introspection(host, seeded),
        refresh(host, seeded),
        Row {
            name: "code flow (3 requests)",
            token: "opaque, sealed; ID token",
            algorithm: "AES-256-GCM-SIV; EdDSA",
            script: Script::code_flow(host, &seeded.web_opaque, WEB_OPAQUE_SCOPE, cookies()),
            goal: Goal::CpuMicros(100.0),
        },
        Row {
            name: "code flow (3 requests)",
            token: "JWT; ID token",
            algorithm: "ES256; ES256",
            script: Script::code_flow(host, &seeded.web_jwt, WEB_JWT_SCOPE, cookies()),
            goal: Goal::CpuMicros(150.0),
        },
    ]
}

/// Introspection of a grant's token by the API it is for.
pub fn introspection(host: &str, seeded: &Seeded) -> Row {
    Row {
        name: "introspection",
        token: "opaque, sealed",
        algorithm: "AES-256-GCM-SIV",
        script: Script::introspect(host, &seeded.api, seeded.access_tokens.clone()),
        goal: Goal::Share(0.45, 0.58),
    }
}

/// Refresh of a public client that rotates: durable, opaque, no ID token.
pub fn refresh(host: &str, seeded: &Seeded) -> Row {
    Row {
        name: "refresh, rotating, durable",
        token: "opaque, sealed; refresh token",
        algorithm: "AES-256-GCM-SIV; HMAC-SHA-256",
        script: Script::refresh(host, &seeded.app, seeded.refresh_tokens.clone()),
        goal: Goal::Share(0.33, 0.45),
    }
}
