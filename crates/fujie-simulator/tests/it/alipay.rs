//! Alipay's quirks. Calls are signed and answers verified here without the simulator's code.

use crate::http::Answer;
use crate::oauth::{BACK_ENCODED, House, modest, parameter, text};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fujie_simulator::modest::Kind;
use serde_json::{Value, json};
use url::form_urlencoded;

/// A house and what its console told the app's owner.
struct Shop {
    house: House,
    key: RsaKeyPair,
    provider_key: Vec<u8>,
}

fn der(pem: &Value) -> Vec<u8> {
    let lines = pem.as_str().unwrap().lines().filter(|line| !line.starts_with("-----"));
    STANDARD.decode(lines.collect::<String>()).unwrap()
}

async fn shop() -> Shop {
    let house = modest(Kind::Alipay, "/oauth2/publicAppAuthorize.htm", "/gateway.do").await;
    let app = house.get("/_simulate").await.json()["apps"][0].clone();
    let key = RsaKeyPair::from_pkcs8(&der(&app["private_key"])).unwrap();
    Shop { key, provider_key: der(&app["provider_public_key"]), house }
}

fn request(scope: &str, state: &str) -> String {
    format!("app_id={}&scope={scope}&redirect_uri={BACK_ENCODED}&state={state}", Kind::Alipay.default_client_id())
}

impl Shop {
    /// The parameters of a call, signed.
    fn signed(&self, method: &str, own: &[(&str, &str)]) -> Vec<(String, String)> {
        let common = [
            ("app_id", Kind::Alipay.default_client_id()),
            ("method", method),
            ("format", "JSON"),
            ("charset", "utf-8"),
            ("sign_type", "RSA2"),
            ("timestamp", "2026-11-21 10:00:00"),
            ("version", "1.0"),
        ];
        let mut all: Vec<_> = common.iter().chain(own).map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        all.sort();
        let filled = all.iter().filter(|(_, value)| !value.is_empty());
        let message = filled.map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>().join("&");
        let mut signature = vec![0; self.key.public_modulus_len()];
        self.key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message.as_bytes(), &mut signature).unwrap();
        all.push(("sign".to_owned(), STANDARD.encode(signature)));
        all
    }

    async fn send(&self, parameters: &[(String, String)]) -> Answer {
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
        self.house.tokens(&form).await
    }

    /// A signed call's inner object, whose signature is verified over its raw text.
    async fn call(&self, method: &str, own: &[(&str, &str)]) -> (String, Value) {
        self.read(&self.send(&self.signed(method, own)).await)
    }

    fn read(&self, answer: &Answer) -> (String, Value) {
        assert_eq!(answer.status, 200);
        let (key, rest) = answer.text().strip_prefix("{\"").unwrap().split_once("\":").unwrap();
        let (inner, signature) = rest.rsplit_once(",\"sign\":\"").unwrap();
        let signature = STANDARD.decode(signature.strip_suffix("\"}").unwrap()).unwrap();
        let verifier = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &self.provider_key);
        verifier.verify(inner.as_bytes(), &signature).unwrap();
        (key.to_owned(), serde_json::from_str(inner).unwrap())
    }

    async fn tokens(&self) -> Value {
        let back = self.house.agree(&request("auth_user", "s"), "lihua").await;
        let code = parameter(&back, "auth_code").unwrap();
        let own = [("grant_type", "authorization_code"), ("code", code.as_str())];
        let (key, tokens) = self.call("alipay.system.oauth.token", &own).await;
        assert_eq!(key, "alipay_system_oauth_token_response");
        tokens
    }
}

#[tokio::test]
async fn alipay_callback_brings_auth_code_and_more() {
    let shop = shop().await;
    let back = shop.house.agree(&request("auth_user", "s"), "lihua").await;
    assert_eq!(parameter(&back, "app_id").as_deref(), Some(Kind::Alipay.default_client_id()));
    assert_eq!(parameter(&back, "source").as_deref(), Some("alipay_wallet"));
    assert_eq!(parameter(&back, "scope").as_deref(), Some("auth_user"));
    assert!(parameter(&back, "auth_code").is_some() && parameter(&back, "code").is_none());
}

#[tokio::test]
async fn alipay_state_keeps_to_the_base64_alphabet_and_a_hundred_characters() {
    let shop = shop().await;
    let ask = async |state: &str| {
        let path = format!("/oauth2/publicAppAuthorize.htm?{}", request("auth_user", state));
        shop.house.get(&path).await.status
    };
    assert_eq!(ask("abc%2B%2F%3D").await, 200);
    assert_eq!(ask("a_b").await, 400);
    assert_eq!(ask(&"a".repeat(101)).await, 400);
}

#[tokio::test]
async fn alipay_token_answer_has_no_code_and_is_signed_over_its_raw_text() {
    let shop = shop().await;
    let tokens = shop.tokens().await;
    assert_eq!((tokens.get("code"), &tokens["expires_in"]), (None, &json!(1_296_000)));
    let user_id = text(&tokens, "user_id");
    assert!(user_id.len() == 16 && user_id.starts_with("2088"));
}

#[tokio::test]
async fn alipay_user_share_escapes_slashes() {
    let shop = shop().await;
    let tokens = shop.tokens().await;
    let auth_token = text(&tokens, "access_token");
    let parameters = shop.signed("alipay.user.info.share", &[("auth_token", &auth_token)]);
    let answer = shop.send(&parameters).await;
    assert!(answer.text().contains("\"avatar\":\"http:\\/\\/127.0.0.1"), "{}", answer.text());
    let (key, user) = shop.read(&answer);
    assert_eq!(key, "alipay_user_info_share_response");
    assert_eq!((&user["code"], &user["nick_name"]), (&json!("10000"), &json!("李华")));
    assert_eq!(user["user_id"], tokens["user_id"]);
}

#[tokio::test]
async fn alipay_new_apps_see_an_open_id_and_some_answers_numbers_as_strings() {
    let shop = shop().await;
    shop.house.switch("open_id_only", json!(true)).await;
    shop.house.switch("numbers_as_strings", json!(true)).await;
    let tokens = shop.tokens().await;
    assert!(tokens.get("user_id").is_none() && tokens.get("alipay_user_id").is_none());
    assert!(tokens["open_id"].is_string());
    assert_eq!(tokens["expires_in"], json!("1296000"));
}

#[tokio::test]
async fn alipay_errors_stand_in_error_response_with_200() {
    let shop = shop().await;
    let (key, error) =
        shop.call("alipay.system.oauth.token", &[("grant_type", "authorization_code"), ("code", "x")]).await;
    assert_eq!(
        (key.as_str(), &error["code"], &error["sub_code"]),
        ("error_response", &json!("40002"), &json!("isv.code-invalid"))
    );
    let (_, error) = shop.call("alipay.user.info.share", &[("auth_token", "x")]).await;
    assert_eq!((&error["code"], &error["sub_code"]), (&json!("20001"), &json!("aop.invalid-auth-token")));
    let (_, error) = shop.call("alipay.nothing", &[]).await;
    assert_eq!(error["sub_code"], json!("isv.invalid-method"));
}

#[tokio::test]
async fn alipay_verifies_the_callers_signature() {
    let shop = shop().await;
    let good = shop.signed("alipay.system.oauth.token", &[("grant_type", "authorization_code"), ("code", "x")]);
    let changed = |name: &str, value: &str| {
        let change = |(k, v): &(String, String)| (k.clone(), if k == name { value.to_owned() } else { v.clone() });
        good.iter().map(change).collect::<Vec<_>>()
    };
    for (parameters, sub_code) in [
        (good.clone(), "isv.code-invalid"),
        (changed("code", "y"), "isv.invalid-signature"),
        (changed("sign", "AAAA"), "isv.invalid-signature"),
        (changed("sign", ""), "isv.invalid-signature"),
        (changed("sign_type", "RSA"), "isv.invalid-signature-type"),
        (changed("timestamp", "1700000000"), "isv.invalid-timestamp"),
        (changed("app_id", "1"), "isv.invalid-app-id"),
    ] {
        let (_, error) = shop.read(&shop.send(&parameters).await);
        assert_eq!(text(&error, "sub_code"), sub_code);
    }
}

#[tokio::test]
async fn alipay_refresh_rotates() {
    let shop = shop().await;
    let token = text(&shop.tokens().await, "refresh_token");
    let own = [("grant_type", "refresh_token"), ("refresh_token", token.as_str())];
    let (_, renewed) = shop.call("alipay.system.oauth.token", &own).await;
    assert_ne!(text(&renewed, "refresh_token"), token);
    let (_, error) = shop.call("alipay.system.oauth.token", &own).await;
    assert_eq!(error["sub_code"], json!("isv.refresh-token-invalid"));
}

#[tokio::test]
async fn alipay_denial_goes_back() {
    let shop = shop().await;
    let back = shop.house.refuse(&request("auth_user", "s")).await;
    assert_eq!(parameter(&back, "error").as_deref(), Some("access_denied"));
    assert_eq!(parameter(&back, "state").as_deref(), Some("s"));
}
