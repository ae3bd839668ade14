//! Whole sign-ins with the smaller providers and with OpenID providers, by their presets against their simulators: who
//! it is, what refreshes, how a refusal comes back, and what is particular to each.
//!
//! The house and the stories are those of [`crate::provider`].

mod alipay;
mod apple;
mod baidu;
mod dingtalk;
mod discord;
mod douyin;
mod feishu;
mod gitee;
mod gitlab;
mod google;
mod microsoft;
mod openid;
mod openid_grant;
mod openid_lie;
mod wecom;

use fujie_client::{Provider, ProviderError};
use fujie_simulator::modest::{DEFAULT_SECRET, Kind, ModestConfig};
use fujie_simulator::oidc::{House as Whose, OidcConfig};
use fujie_simulator::{Modest, Oidc, Running};

use crate::provider::house::{BACK, House, cookie};

/// A provider of the modest kind and its preset.
async fn modest(kind: Kind, preset: &Provider) -> House {
    let running = Modest::start("127.0.0.1:0", ModestConfig::of(kind)).await.unwrap();
    House::new(running, preset, kind.default_client_id(), DEFAULT_SECRET)
}

/// A simulated OpenID provider.
async fn played(whose: Whose) -> Running {
    Oidc::start("127.0.0.1:0", OidcConfig::of(whose)).await.unwrap()
}

/// What comes of it when the person refuses; nothing may have been sent.
async fn refusal(house: &House) -> &'static str {
    let begun = house.begin();
    let callback = house.decide(&begun.url, "refuse", "").await.unwrap();
    let name = house.name_of(house.client.finish(&callback, &cookie(&begun)).await);
    assert!(house.sent().is_empty());
    name
}

/// Name and provider's own code of a refusal, having made sure that no secret is in it.
fn refused<T>(house: &House, outcome: Result<T, ProviderError>) -> (&'static str, String) {
    let Err(error) = outcome else { return ("ok", String::new()) };
    house.is_silent(&error);
    (error.name(), error.errcode().unwrap_or_default().to_owned())
}

/// The error that comes of a code nobody gave.
async fn unknown_code(house: &House) -> (&'static str, String) {
    let begun = house.begin();
    let state = begun.url.split_once("state=").unwrap().1.split('&').next().unwrap();
    let name = &house.client.provider().callback.code[0];
    let callback = format!("{BACK}?{name}=0123456789abcdef0123456789abcdef&state={state}");
    refused(house, house.client.finish(&callback, &cookie(&begun)).await)
}
