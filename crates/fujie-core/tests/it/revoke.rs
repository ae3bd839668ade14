//! Revocation (RFC 7009): by the token's own client, public ones too; unknown tokens are as good as revoked.

use fujie_core::{
    error::{ErrorCode, WireError as _},
    grant::{EndedWhy, Grant},
    token::{
        access_token::AccessToken,
        introspect::Presented,
        refresh_token::RefreshToken,
        revoke::{NotYours, Revocation, decide},
    },
};

use crate::house::{House, START, house};

fn ask(house: &House, caller: &str, text: &str, grant: Option<&Grant>) -> Result<Revocation, NotYours> {
    decide(&Presented::read(text, &house.ring), grant, &house.authenticated(caller))
}

/// A grant of `client` with its access token and refresh token.
fn tokens(house: &House, client: &str, scope: &str) -> (Grant, String, String) {
    let (grant, response) = house.redeemed(client, &[("scope", scope)]);
    let text = |name: &str| response[name].as_str().unwrap().to_owned();
    (grant, text("access_token"), text("refresh_token"))
}

#[test]
fn a_client_revokes_its_own_tokens_and_a_public_one_too() {
    let house = house();
    for client in ["shop", "spa", "native"] {
        for scope in ["openid", "openid read"] {
            let (grant, access, refresh) = tokens(&house, client, scope);
            assert_eq!(ask(&house, client, &refresh, Some(&grant)), Ok(Revocation::Grant(grant.id)));
            let token = AccessToken::read(&access, &house.ring).unwrap();
            assert_eq!(ask(&house, client, &access, Some(&grant)), Ok(Revocation::Token(token.id, token.expires_at)));
        }
    }
}

#[test]
fn nobody_revokes_the_tokens_of_another() {
    let house = house();
    for owner in ["shop", "spa"] {
        let (grant, access, refresh) = tokens(&house, owner, "openid read");
        for thief in ["other", "native", "api"] {
            assert_eq!(ask(&house, thief, &access, Some(&grant)), Err(NotYours));
            assert_eq!(ask(&house, thief, &refresh, Some(&grant)), Err(NotYours));
        }
    }
    assert_eq!(NotYours.code(), ErrorCode::UnauthorizedClient);
}

#[test]
fn an_unknown_token_is_as_good_as_revoked() {
    let house = house();
    let (_, _, refresh) = tokens(&house, "shop", "openid");
    let id_token = house.redeemed("shop", &[]).1["id_token"].as_str().unwrap().to_owned();
    for text in ["", "x", "fj_rt_AAAA", &id_token, &house.issue("shop", &[]).code] {
        assert_eq!(ask(&house, "shop", text, None), Ok(Revocation::Nothing));
    }
    assert_eq!(ask(&house, "shop", &refresh, None), Ok(Revocation::Nothing), "its grant is long gone");
}

#[test]
fn an_old_generation_ends_its_grant_too() {
    let house = house();
    let (grant, _, refresh) = tokens(&house, "spa", "openid");
    let grant = Grant { generation: 7, ..grant };
    assert_eq!(RefreshToken::read(&refresh, &house.ring).unwrap().generation, 0);
    assert_eq!(ask(&house, "spa", &refresh, Some(&grant)), Ok(Revocation::Grant(grant.id)));
}

#[test]
fn revoking_twice_is_no_error() {
    let house = house();
    let (grant, access, refresh) = tokens(&house, "shop", "openid");
    let ended = Grant { ended: Some((START, EndedWhy::Revoked)), ..grant };
    assert!(ask(&house, "shop", &refresh, Some(&ended)).is_ok());
    assert!(ask(&house, "shop", &access, Some(&ended)).is_ok());
}
