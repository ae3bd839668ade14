//! Alipay: `auth_code` in the callback, one gateway for everything, RSA2 signatures both ways.
//!
//! A call is signed over its non-empty parameters in order of their names; an answer over the raw
//! text of its inner object.

use super::config::Switches;
use super::dialect::{Dialect, Parameters, Routes, Shared, Wrong};
use super::world::{self, Tokens, World};
use crate::call::Call;
use crate::clock::Timestamp;
use crate::fault::OwnError;
use crate::fields::Fields;
use crate::jws::{self, Algorithm};
use crate::ledger::{Redemption, Rotation, Spelling, Terms};
use crate::people::Person;
use crate::random::{self, BASE64URL, DIGIT, HEX};
use crate::sign_in::SignIn;
use crate::simulation::Title;
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use std::time::Duration;

const STATE_LENGTH_MAX: usize = 100;
const TOKEN: &str = "alipay.system.oauth.token";
const USER: &str = "alipay.user.info.share";

pub(crate) struct Alipay;

impl Dialect for Alipay {
    const NAME: &'static str = "alipay";
    const TITLE: Title = Title { chinese: "支付宝", english: "Alipay" };
    const TERMS: Terms = Terms {
        code_lifetime: Duration::from_secs(86_400),
        access_token_lifetime: Duration::from_secs(1_296_000),
        refresh_token_lifetime: Duration::from_secs(2_592_000),
        code: Spelling::of("", HEX, 32),
        access_token: Spelling::of("authbseB", HEX, 32),
        refresh_token: Spelling::of("authbseB", HEX, 32),
        rotation: Rotation::Replaces,
        reuse_ends_grant: false,
    };
    const AUTHORIZE: &'static [&'static str] = &["/oauth2/publicAppAuthorize.htm"];
    const APP: &'static [&'static str] = &["app_id"];
    const SIGNS: bool = true;
    const TOO_OFTEN: &'static str = "isv.app-call-limited";

    /// A scope has to be named; a state keeps to the Base64 alphabet and 100 characters.
    fn check(request: &Fields) -> Result<(), Wrong> {
        let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
        let state = request.sent("state").unwrap_or_default();
        let is_good_state = state.len() <= STATE_LENGTH_MAX && state.bytes().all(is_letter);
        let is_known = |name: &str| matches!(name, "auth_user" | "auth_base");
        let is_good_scope = request.filled("scope").is_some_and(|scope| scope.split(',').all(is_known));
        if is_good_state && is_good_scope { Ok(()) } else { Err(Wrong::Page) }
    }

    fn callback(code: String, state: Option<String>, sign_in: &SignIn, _switches: &Switches) -> Parameters {
        let mut parameters = vec![
            ("app_id", sign_in.ask.client_id.clone()),
            ("source", "alipay_wallet".to_owned()),
            ("scope", sign_in.ask.scope.clone()),
            ("auth_code", code),
        ];
        parameters.extend(state.map(|state| ("state", state)));
        parameters
    }

    fn routes() -> Routes<Self> {
        Router::new().route("/gateway.do", get(gateway).post(gateway))
    }

    fn error(world: &World<Self>, _path: &str, error: &OwnError, _now: Timestamp) -> Response {
        let failure = Failure {
            code: "40004",
            msg: "Business Failed",
            sub_code: &error.code,
            sub_msg: error.description.as_deref().unwrap_or("请求失败"),
        };
        failure.answer(world)
    }
}

/// An error of the gateway.
struct Failure<'a> {
    code: &'static str,
    msg: &'static str,
    sub_code: &'a str,
    sub_msg: &'a str,
}

impl Failure<'_> {
    fn answer(&self, world: &World<Alipay>) -> Response {
        let Self { code, msg, sub_code, sub_msg } = self;
        signed(world, "error_response", json!({ "code": code, "msg": msg, "sub_code": sub_code, "sub_msg": sub_msg }))
    }
}

const fn invalid(sub_code: &'static str, sub_msg: &'static str) -> Failure<'static> {
    Failure { code: "40002", msg: "Invalid Arguments", sub_code, sub_msg }
}

const APP_ID: Failure<'_> = invalid("isv.invalid-app-id", "无效的AppID参数");
const SIGNATURE: Failure<'_> = invalid("isv.invalid-signature", "验签出错");
const SIGN_TYPE: Failure<'_> = invalid("isv.invalid-signature-type", "无效的签名类型");
const TIMESTAMP: Failure<'_> = invalid("isv.invalid-timestamp", "非法的时间戳参数");
const METHOD: Failure<'_> = invalid("isv.invalid-method", "不存在的方法名");
const GRANT_TYPE: Failure<'_> = invalid("isv.grant-type-invalid", "授权类型grant_type无效");
const CODE: Failure<'_> = invalid("isv.code-invalid", "授权码code无效");
const REFRESH_TOKEN: Failure<'_> = invalid("isv.refresh-token-invalid", "刷新令牌refresh_token无效");
const AUTH_TOKEN: Failure<'_> = Failure {
    code: "20001",
    msg: "Insufficient Token Permissions",
    sub_code: "aop.invalid-auth-token",
    sub_msg: "无效的访问令牌",
};

async fn gateway(State(simulation): Shared<Alipay>, call: Call) -> Response {
    let fields = &call.fields;
    world::with(&simulation, |world, now| {
        let answered = check(world, fields).and_then(|()| match fields.filled("method") {
            Some(TOKEN) => token(world, fields, now),
            Some(USER) => user(world, fields, now),
            _ => Err(METHOD),
        });
        match answered {
            Ok(inner) => {
                let name = fields.filled("method").unwrap_or_default().replace('.', "_");
                signed(world, &format!("{name}_response"), inner)
            }
            Err(failure) => failure.answer(world),
        }
    })
}

/// The parameters that every call has, and the signature over all.
fn check(world: &World<Alipay>, fields: &Fields) -> Result<(), Failure<'static>> {
    let app = world.app(fields.filled("app_id").unwrap_or_default()).ok_or(APP_ID)?;
    if fields.filled("sign_type") != Some("RSA2") {
        return Err(SIGN_TYPE);
    }
    // Only the form is checked: callers are known to send China's time as well as UTC.
    if !fields.filled("timestamp").is_some_and(is_timestamp) {
        return Err(TIMESTAMP);
    }
    let public_key = app.public_key.as_deref().unwrap_or_default();
    let signature = STANDARD.decode(fields.filled("sign").unwrap_or_default()).unwrap_or_default();
    let is_authentic = jws::verifies(public_key, Algorithm::Rs256, signed_text(fields).as_bytes(), &signature);
    if is_authentic { Ok(()) } else { Err(SIGNATURE) }
}

/// `yyyy-MM-dd HH:mm:ss`.
fn is_timestamp(text: &str) -> bool {
    let pattern = b"0000-00-00 00:00:00";
    let fits = |(byte, wanted): (u8, &u8)| if *wanted == b'0' { byte.is_ascii_digit() } else { byte == *wanted };
    text.len() == pattern.len() && text.bytes().zip(pattern).all(fits)
}

/// All parameters but `sign`, without the empty ones, sorted by name, decoded, as `k=v` with `&`.
fn signed_text(fields: &Fields) -> String {
    let mut parameters: Vec<_> = fields.iter().filter(|(name, value)| *name != "sign" && !value.is_empty()).collect();
    parameters.sort_unstable();
    parameters.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

/// The answer around `inner`, signed over its raw text, in which slashes are escaped.
fn signed(world: &World<Alipay>, name: &str, inner: Value) -> Response {
    let inner = inner.to_string().replace('/', "\\/");
    let Some(Ok(signature)) = world.key.as_ref().map(|key| key.sign(inner.as_bytes())) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let body = format!("{{\"{name}\":{inner},\"sign\":\"{}\"}}", STANDARD.encode(signature));
    ([(header::CONTENT_TYPE, "text/html;charset=utf-8")], body).into_response()
}

fn token(world: &mut World<Alipay>, fields: &Fields, now: Timestamp) -> Result<Value, Failure<'static>> {
    let sent = |name: &str| fields.filled(name).unwrap_or_default();
    let client_id = sent("app_id");
    let tokens = match sent("grant_type") {
        "authorization_code" => {
            let redemption = Redemption { client_id, code: sent("code"), redirect_uri: None, verifier: None };
            world.redeem(redemption, now).map_err(|_reason| CODE)
        }
        "refresh_token" => world.refresh(Some(client_id), sent("refresh_token"), now).map_err(|_reason| REFRESH_TOKEN),
        _ => Err(GRANT_TYPE),
    }?;
    Ok(token_answer(world, &tokens, now))
}

/// No `code` on success; the user is named in one of two ways.
fn token_answer(world: &World<Alipay>, tokens: &Tokens, now: Timestamp) -> Value {
    let seconds = |span: Duration| match world.switches.numbers_as_strings {
        true => json!(span.as_secs().to_string()),
        false => json!(span.as_secs()),
    };
    let mut answer = Map::new();
    answer.insert("access_token".to_owned(), json!(tokens.access_token));
    answer.insert("auth_start".to_owned(), json!(china_time(now)));
    answer.insert("expires_in".to_owned(), seconds(Alipay::TERMS.access_token_lifetime));
    answer.insert("re_expires_in".to_owned(), seconds(Alipay::TERMS.refresh_token_lifetime));
    answer.insert("refresh_token".to_owned(), json!(tokens.refresh_token));
    if !world.switches.open_id_only {
        answer.insert("alipay_user_id".to_owned(), json!(old_user_id(&tokens.person)));
    }
    name(world, &mut answer, &tokens.grant.client_id, &tokens.person);
    Value::Object(answer)
}

fn user(world: &World<Alipay>, fields: &Fields, now: Timestamp) -> Result<Value, Failure<'static>> {
    let (grant, person) = world.open(fields.filled("auth_token").unwrap_or_default(), now).or(Err(AUTH_TOKEN))?;
    if !grant.scope.split(',').any(|name| name == "auth_user") {
        return Err(AUTH_TOKEN);
    }
    let mut answer = Map::new();
    answer.insert("code".to_owned(), json!("10000"));
    answer.insert("msg".to_owned(), json!("Success"));
    answer.insert("avatar".to_owned(), json!(world.picture(person)));
    answer.insert("nick_name".to_owned(), json!(person.nickname));
    name(world, &mut answer, &grant.client_id, person);
    Ok(Value::Object(answer))
}

/// `user_id` for apps of old, `open_id` for new ones.
fn name(world: &World<Alipay>, answer: &mut Map<String, Value>, app_id: &str, person: &Person) {
    match world.switches.open_id_only {
        true => {
            let open_id = random::settled(&["alipay open_id", app_id, &person.name], BASE64URL, 32);
            answer.insert("open_id".to_owned(), json!(open_id))
        }
        false => answer.insert("user_id".to_owned(), json!(user_id(person))),
    };
}

/// 16 digits from 2088 on.
fn user_id(person: &Person) -> String {
    format!("2088{}", random::settled(&["alipay", &person.name], DIGIT, 12))
}

fn old_user_id(person: &Person) -> String {
    random::settled(&["alipay old", &person.name], DIGIT, 32)
}

/// `2026-11-21 23:04:05`, eight hours ahead of UTC.
fn china_time(now: Timestamp) -> String {
    now.civil(Duration::from_secs(8 * 3600))
}

#[cfg(test)]
mod tests {
    use super::{is_timestamp, signed_text};
    use crate::fields::Fields;

    #[test]
    fn what_is_signed_is_sorted_decoded_and_has_no_empty_values() {
        let fields = Fields::of(b"method=m&app_id=1&sign=x&code=&timestamp=2026-11-21+10%3A00%3A00&charset=utf-8");
        assert_eq!(signed_text(&fields), "app_id=1&charset=utf-8&method=m&timestamp=2026-11-21 10:00:00");
    }

    #[test]
    fn a_timestamp_has_one_form() {
        assert!(is_timestamp("2026-11-21 10:00:00"));
        for wrong in ["2026-11-21T10:00:00", "2026-11-21 10:00", "", "1700000000", "2026-11-21 10:00:00Z"] {
            assert!(!is_timestamp(wrong), "{wrong}");
        }
    }
}
