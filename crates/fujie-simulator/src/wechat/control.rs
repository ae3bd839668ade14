//! A QR code's sign-in in the control API: how it is told, and what can be done with it.
//!
//! Everything that is done goes through the same acts as the phone.

use super::confirm::app_name;
use super::picture::confirm_url;
use super::sign_in::{Obstacle, Progress, SignIn, Status};
use super::simulation::{ConfirmError, Simulation, World};
use crate::clock::Timestamp;
use crate::control::Refusal;
use crate::sign_in::Listed;
use serde::Serialize;

/// The phone that scans on behalf of the control API.
const PHONE: &str = "control";

impl From<Obstacle> for Refusal {
    fn from(obstacle: Obstacle) -> Self {
        match obstacle {
            Obstacle::Unknown => Self::NO_SIGN_IN,
            Obstacle::Expired => Self::Conflict("expired"),
            Obstacle::ScannedElsewhere => Self::Conflict("scanned by another phone"),
            Obstacle::NotScanned => Self::Conflict("not scanned"),
            Obstacle::AlreadyConfirmed => Self::Conflict("already confirmed"),
        }
    }
}

impl From<ConfirmError> for Refusal {
    fn from(error: ConfirmError) -> Self {
        match error {
            ConfirmError::Obstacle(obstacle) => obstacle.into(),
            ConfirmError::UnknownPerson => Self::BadRequest("no such person".to_owned()),
            ConfirmError::NoRandomness => Self::NoRandomness,
        }
    }
}

/// A sign-in as the control API tells it.
#[derive(Serialize)]
struct View<'a> {
    id: &'a str,
    uuid: &'a str,
    appid: &'a str,
    status: &'static str,
    wx_errcode: u16,
    redirect_uri: &'a str,
    state: &'a str,
    expires_in_seconds: u64,
    confirm_url: String,
    /// Who confirmed.
    person: Option<&'a str>,
    /// Where the page goes, or would go, now.
    redirect_url: Option<String>,
}

/// A QR code's sign-in as the control API and the phone list it.
pub(crate) fn listed(world: &World, sign_in: &SignIn, base_url: &str, now: Timestamp) -> Listed {
    let status = sign_in.status(now);
    let expires_in_seconds = now.until(sign_in.expires_at).as_secs();
    let view = View {
        id: &sign_in.uuid,
        uuid: &sign_in.uuid,
        appid: &sign_in.appid,
        status: status.word(),
        wx_errcode: status.wx_errcode(),
        redirect_uri: &sign_in.redirect_uri,
        state: &sign_in.state,
        expires_in_seconds,
        confirm_url: confirm_url(base_url, &sign_in.uuid),
        person: match &sign_in.progress {
            Progress::Confirmed { person, .. } => Some(person),
            _ => None,
        },
        redirect_url: sign_in.redirect_url(now, world.config.switches.denial_redirects),
    };
    Listed {
        id: sign_in.uuid.clone(),
        app_name: app_name(world, &sign_in.appid),
        said: match status {
            Status::Scanned => ("已扫描", "Scanned"),
            Status::Refused => ("已拒绝", "Refused"),
            _ => ("等待扫描", "Not scanned yet"),
        },
        is_open: matches!(status, Status::Waiting | Status::Scanned | Status::Refused),
        begun_at: sign_in.begun_at,
        expires_in_seconds,
        // Numbers, texts and absences only: there is nothing that JSON could not say.
        view: serde_json::to_value(view).unwrap_or_default(),
    }
}

/// One act of a person, as the phone that holds the sign-in.
pub(crate) fn perform(simulation: &Simulation, uuid: &str, act: &str, person: Option<&str>) -> Result<(), Refusal> {
    match act {
        "scan" => scan(simulation, uuid).map(drop).map_err(Refusal::from),
        "confirm" => {
            let phone = scan(simulation, uuid)?;
            let first = || Some(simulation.world().scene.people.first()?.name.clone());
            let person = person.map(str::to_owned).or_else(first).unwrap_or_default();
            Ok(simulation.confirm(uuid, &phone, &person)?)
        }
        "refuse" => {
            let phone = scan(simulation, uuid)?;
            Ok(simulation.refuse(uuid, &phone)?)
        }
        "expire" => Ok(simulation.act(uuid, |sign_in, now| {
            if sign_in.status(now) == Status::Confirmed {
                return Err(Obstacle::AlreadyConfirmed);
            }
            sign_in.expires_at = sign_in.expires_at.min(now);
            Ok(())
        })?),
        other => Err(Refusal::BadRequest(format!("no such act: {other}"))),
    }
}

/// Scans unless a phone has; says which phone holds the sign-in now.
fn scan(simulation: &Simulation, uuid: &str) -> Result<String, Obstacle> {
    simulation.act(uuid, |sign_in, now| {
        let holder = match &sign_in.progress {
            Progress::Scanned { phone } => phone.clone(),
            _ => PHONE.to_owned(),
        };
        sign_in.scan(&holder, now)?;
        Ok(holder)
    })
}
