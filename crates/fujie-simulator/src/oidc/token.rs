//! The token endpoint (RFC 6749 §3.2): one function per grant type.
//!
//! Reads the form alone; a query counts for nothing.

use super::answer;
use super::ask;
use super::config::{Client, DEFAULT_PASSWORD};
use super::device;
use super::dpop;
use super::failure::Failure;
use super::house::Manners;
use super::id_token::Beside;
use super::world::{Object, World};
use crate::call::Call;
use crate::clock::Timestamp;
use crate::fields::Fields;
use crate::ledger::{Grant, GrantId, Redemption};
use crate::people::Person;
use crate::simulation::Simulation;
use axum::extract::State;
use axum::response::Response;
use serde_json::{Value, json};
use std::sync::Arc;

pub(crate) async fn token<M: Manners>(State(simulation): State<Arc<Simulation<World<M>>>>, call: Call) -> Response {
    let now = simulation.now();
    let exchanged = exchange(&mut simulation.world(), &call, now);
    match exchanged {
        Ok(object) => answer::json(&Value::Object(object)),
        Err(failure) => answer::failure::<M>(&failure, call.path(), &call.head.headers, now),
    }
}

fn exchange<M: Manners>(world: &mut World<M>, call: &Call, now: Timestamp) -> Result<Object, Failure> {
    let form = if M::READS_QUERY { call.fields.clone() } else { call.form() };
    let client = world.client(&call.head.headers, &form, M::PATHS.tenant_in(call.path()), now)?;
    let key = dpop::proof(world, call, None, now)?;
    let desk = Exchange { client: &client, form: &form, tenant: M::PATHS.tenant_in(call.path()), key, now };
    match form.filled("grant_type") {
        Some("authorization_code") => desk.authorization_code(world),
        Some("refresh_token") => desk.refresh_token(world),
        Some("client_credentials") => desk.client_credentials(world),
        Some("password") if world.switches.password_grant => desk.password(world),
        Some(device::GRANT_TYPE) if M::PATHS.device_authorization.is_some() => desk.device_code(world),
        Some(_) => Err(Failure::of("unsupported_grant_type", "this grant_type is not supported")),
        None => Err(Failure::of("invalid_request", "grant_type is missing")),
    }
}

/// An authenticated request.
struct Exchange<'a> {
    client: &'a Client,
    form: &'a Fields,
    tenant: &'a str,
    /// The thumbprint of the key that was proven.
    key: Option<String>,
    now: Timestamp,
}

impl Exchange<'_> {
    fn require(&self, name: &str, missing: &'static str) -> Result<&str, Failure> {
        self.form.filled(name).ok_or(Failure::of("invalid_request", missing))
    }

    /// RFC 6749 §4.1.3: the redirect URI was in the request, so it comes again.
    fn authorization_code<M: Manners>(&self, world: &mut World<M>) -> Result<Object, Failure> {
        let code = self.require("code", "code is missing")?;
        self.hold_key_of(world, code)?;
        let redemption = Redemption {
            client_id: &self.client.client_id,
            code,
            redirect_uri: Some(self.require("redirect_uri", "redirect_uri is missing")?),
            verifier: self.form.filled("code_verifier"),
        };
        let id = world.ledger.redeem(redemption, self.now)?;
        self.tokens(world, &id)
    }

    /// What is bound to a key is of use with that key alone (RFC 9449 §5, §10).
    fn hold_key_of<M: Manners>(&self, world: &World<M>, value: &str) -> Result<(), Failure> {
        match world.bound.get(value) {
            Some(key) if self.key.as_ref() != Some(key) => Err(Failure::INVALID_DPOP_PROOF),
            _ => Ok(()),
        }
    }

    /// RFC 6749 §6. The answer's id_token has no nonce (OpenID Connect Core §12.2).
    fn refresh_token<M: Manners>(&self, world: &mut World<M>) -> Result<Object, Failure> {
        let refresh_token = self.require("refresh_token", "refresh_token is missing")?;
        self.hold_key_of(world, refresh_token)?;
        let scope = self.form.filled("scope");
        let granted = world.ledger.behind(refresh_token).map(|grant| grant.scope.as_str()).unwrap_or_default();
        let is_wider = |scope: &str| scope.split(' ').any(|name| !ask::has_scope(granted, name));
        if !granted.is_empty() && scope.is_some_and(is_wider) {
            return Err(Failure::of("invalid_scope", "scope is wider than what was granted"));
        }
        world.settle_rotation();
        let refreshed = world.ledger.refresh(Some(&self.client.client_id), refresh_token, self.now)?;
        let mut grant = Grant { nonce: None, ..refreshed.grant };
        if let Some(scope) = scope {
            grant.scope = scope.to_owned();
        }
        self.answer(world, &grant, &refreshed.access_token, Some(&refreshed.refresh_token))
    }

    /// RFC 6749 §4.4: confidential clients, no refresh token.
    fn client_credentials<M: Manners>(&self, world: &mut World<M>) -> Result<Object, Failure> {
        if self.client.is_public() {
            return Err(Failure::of("unauthorized_client", "a public client has no credentials"));
        }
        let grant = Grant { is_refreshable: false, ..self.grant(None) };
        let id = world.ledger.grant(grant)?;
        self.tokens(world, &id)
    }

    /// RFC 6749 §4.3. The user name is a person's name, login or e-mail address.
    fn password<M: Manners>(&self, world: &mut World<M>) -> Result<Object, Failure> {
        let username = self.require("username", "username is missing")?;
        let password = self.require("password", "password is missing")?;
        let is_known = |person: &&Person| person.is_called(username) && password == DEFAULT_PASSWORD;
        let person = world.scene.people.iter().find(is_known);
        let person = person.ok_or(Failure::of("invalid_grant", "user name or password is wrong"))?.name.clone();
        let mut grant = self.grant(Some(person));
        grant.is_refreshable = M::is_refreshable(&grant.scope, self.form, true, &world.switches);
        let id = world.ledger.grant(grant)?;
        self.tokens(world, &id)
    }

    /// RFC 8628 §3.4.
    fn device_code<M: Manners>(&self, world: &mut World<M>) -> Result<Object, Failure> {
        let device_code = self.require("device_code", "device_code is missing")?;
        let (person, scope) = device::poll(world, &self.client.client_id, device_code, self.now)?;
        let is_refreshable = M::is_refreshable(&scope, self.form, true, &world.switches);
        let id = world.ledger.grant(Grant { scope, is_refreshable, ..self.grant(Some(person)) })?;
        self.tokens(world, &id)
    }

    fn grant(&self, person: Option<String>) -> Grant {
        Grant {
            client_id: self.client.client_id.clone(),
            person,
            scope: self.form.filled("scope").unwrap_or_default().to_owned(),
            nonce: None,
            authenticated_at: self.now,
            is_refreshable: false,
        }
    }

    fn tokens<M: Manners>(&self, world: &mut World<M>, id: &GrantId) -> Result<Object, Failure> {
        let access_token = world.ledger.issue_access_token(id, self.now)?;
        let grant = world.ledger.granted(id)?.clone();
        let refresh_token = match grant.is_refreshable {
            true => Some(world.ledger.issue_refresh_token(id, self.now)?),
            false => None,
        };
        self.answer(world, &grant, &access_token, refresh_token.as_deref())
    }

    /// RFC 6749 §5.1 and OpenID Connect Core §3.1.3.3.
    fn answer<M: Manners>(
        &self,
        world: &mut World<M>,
        grant: &Grant,
        access_token: &str,
        refresh_token: Option<&str>,
    ) -> Result<Object, Failure> {
        let mut object = Object::new();
        object.insert("access_token".to_owned(), json!(access_token));
        object.insert("token_type".to_owned(), json!(if self.key.is_some() { "DPoP" } else { "Bearer" }));
        if let Some(key) = &self.key {
            world.bound.insert(access_token.to_owned(), key.clone());
            // A confidential client proves itself by other means (RFC 9449 §5).
            if let Some(refresh_token) = refresh_token.filter(|_| self.client.is_public()) {
                world.bound.insert(refresh_token.to_owned(), key.clone());
            }
        }
        object.insert("expires_in".to_owned(), json!(M::TERMS.access_token_lifetime.as_secs()));
        object.insert("scope".to_owned(), json!(grant.scope));
        if let Some(refresh_token) = refresh_token {
            object.insert("refresh_token".to_owned(), json!(refresh_token));
        }
        let Some(name) = &grant.person else {
            return Ok(object);
        };
        let gone = Failure::of("invalid_grant", "the person is gone");
        let person = world.scene.person(name).ok_or(gone)?;
        let id_token = world.id_token(grant, person, self.tenant, Beside::AccessToken(access_token), self.now)?;
        if let Some(id_token) = id_token {
            object.insert("id_token".to_owned(), json!(id_token));
        }
        M::tokens(&world.facts(grant, person, self.now), &mut object);
        Ok(object)
    }
}
