//! How things end: token revocation (RFC 7009) and RP-initiated logout.

use super::answer;
use super::failure::Failure;
use super::house::Manners;
use super::world::World;
use crate::call::Call;
use crate::fields::Fields;
use crate::jws;
use crate::page::{self, Language};
use crate::phone::{Frame, Mark};
use crate::redirect_uri;
use crate::sign_in;
use crate::simulation::Simulation;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

/// `POST` with `token`. An unknown token is revoked already: 200 (RFC 7009 §2.2).
pub(crate) async fn revoke<M: Manners>(State(simulation): State<Arc<Simulation<World<M>>>>, call: Call) -> Response {
    let now = simulation.now();
    let form = call.form();
    let mut world = simulation.world();
    let revoked = world.client(&call.head.headers, &form, M::PATHS.tenant_in(call.path()), now).and_then(|client| {
        let token = form.filled("token").ok_or(Failure::of("invalid_request", "token is missing"))?;
        world.ledger.revoke(&client.client_id, token);
        Ok(())
    });
    match revoked {
        Ok(()) => StatusCode::OK.into_response(),
        Err(failure) => answer::failure::<M>(&failure, call.path(), &call.head.headers, now),
    }
}

/// `GET` or `POST` of the browser (OpenID Connect RP-Initiated Logout §2). It goes back only to a
/// registered address of the client that `client_id` or `id_token_hint` names.
pub(crate) async fn end_session<M: Manners>(
    State(simulation): State<Arc<Simulation<World<M>>>>,
    call: Call,
) -> Response {
    let request = &call.fields;
    let language = Language::of(request.sent("ui_locales"), &call.head.headers);
    let back = {
        let mut world = simulation.world();
        world.session = None;
        back(&world, request)
    };
    if let Some(address) = back {
        return sign_in::found(&address);
    }
    let (title, text) = match request.filled("post_logout_redirect_uri") {
        None => {
            (language.say("已退出登录", "Signed out"), language.say("可以关闭此页面。", "You can close this page."))
        }
        Some(_) => (
            language.say("已退出登录", "Signed out"),
            language.say(
                "退出后的返回地址未登记，因此没有跳转。",
                "The address to go back to is not registered, so you stay here.",
            ),
        ),
    };
    page::answer(StatusCode::OK, Frame::browser(M::TITLE, language).notice(Mark::Done, title, text))
}

fn back<M: Manners>(world: &World<M>, request: &Fields) -> Option<String> {
    let hint = request.filled("id_token_hint").and_then(jws::unverified_claims);
    let hinted = hint.as_ref().and_then(|claims| claims.get("aud")?.as_str());
    let client_id = request.filled("client_id").or(hinted)?;
    let client = world.clients.iter().find(|client| client.client_id == client_id)?;
    let address = request.filled("post_logout_redirect_uri")?;
    let state = request.filled("state").map(|state| ("state", state.to_owned()));
    redirect_uri::admits(&client.redirect_uris, address).then(|| match state {
        Some(state) => redirect_uri::with_query(address, &[state]),
        None => address.to_owned(),
    })
}
