//! Words that the stories share: a client, a clock, a browser's attempt, WeChat's answers.

use fujie_client::{
    Ask, Attempt, Begin, Callback, Identity, Provider, ProviderError, Random, Registration, Response, Secret,
    Timestamp, Tokens, provider,
};
use serde_json::{Value, json};

pub const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);
pub const APP: &str = "wx0123456789abcdef";
pub const SECRET: &str = "canary-secret/+&=ä";
pub const CODE: &str = "canary_code_081AZFu52T9S000X0000";
pub const ACCESS_TOKEN: &str = "80_canary_access_token";
pub const REFRESH_TOKEN: &str = "80_canary_refresh_token";
pub const OPENID: &str = "oCanaryOpenid000000000000001";
pub const UNIONID: &str = "oCanaryUnionid00000000000001";
pub const REDIRECT_URI: &str = "https://app.example/callback?from=门";

pub fn client() -> Registration {
    client_of(provider::wechat())
}

pub fn client_of(provider: Provider) -> Registration {
    Registration::new(provider, APP, Secret::new(SECRET)).unwrap()
}

pub fn after(seconds: i64) -> Timestamp {
    Timestamp::from_millis(NOW.millis() + seconds * 1000)
}

/// Counts upwards, so that links are the same in every run.
#[derive(Default)]
pub struct Counting(u8);

impl Random for Counting {
    fn fill(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            *byte = self.0;
            self.0 = self.0.wrapping_add(1);
        }
    }
}

pub fn counting() -> Counting {
    Counting::default()
}

pub fn begin(client: &Registration) -> Begin {
    client.begin(REDIRECT_URI, &Ask::default(), &mut counting(), NOW).unwrap()
}

pub fn good_query(attempt: &Attempt) -> String {
    format!("code={CODE}&state={}", attempt.state)
}

pub fn callback(client: &Registration) -> Callback {
    let attempt = begin(client).attempt;
    client.read_callback(&attempt, &good_query(&attempt), after(30)).unwrap()
}

/// An answer as WeChat labels it.
pub fn answer(body: impl Into<Vec<u8>>) -> Response {
    Response::new(200, Some("text/plain"), body)
}

pub fn token_answer() -> Value {
    json!({
        "access_token": ACCESS_TOKEN,
        "expires_in": 7200,
        "refresh_token": REFRESH_TOKEN,
        "openid": OPENID,
        "scope": "snsapi_login",
        "unionid": UNIONID,
    })
}

pub fn user_answer() -> Value {
    json!({
        "openid": OPENID,
        "nickname": "小明🦊",
        "sex": 0,
        "language": "",
        "city": "",
        "province": "",
        "country": "",
        "headimgurl": "https://thirdwx.qlogo.cn/mmopen/vi_32/x/132",
        "privilege": [],
        "unionid": UNIONID,
    })
}

/// A copy of an answer with one field set, or taken out.
pub fn changed(answer: &Value, field: &str, value: Option<Value>) -> Value {
    let mut answer = answer.clone();
    match value {
        Some(value) => answer[field] = value,
        None => drop(answer.as_object_mut().unwrap().remove(field)),
    }
    answer
}

pub fn tokens(client: &Registration) -> Tokens {
    read_tokens(client, &token_answer()).unwrap()
}

pub fn read_tokens(client: &Registration, body: &Value) -> Result<Tokens, ProviderError> {
    client.read_tokens(&callback(client), &answer(body.to_string()), NOW)
}

pub fn read_user(client: &Registration, body: &Value) -> Result<Identity, ProviderError> {
    client.read_user(&tokens(client), &answer(body.to_string()))
}
