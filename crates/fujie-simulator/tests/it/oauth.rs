//! The words in which OAuth providers are tested: a browser asks, a person agrees, the client reads
//! what came back; keys of our own, made and verified without the simulator's code.

use crate::http::{self, Answer};
use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_2048_8192_SHA256,
    RsaPublicKeyComponents, UnparsedPublicKey,
};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use fujie_simulator::modest::Kind;
use fujie_simulator::{Modest, ModestConfig, Running};
use serde_json::{Value, json};
use url::Url;

pub const BACK: &str = "http://127.0.0.1:7/back";
/// [`BACK`] as it stands in a query.
pub const BACK_ENCODED: &str = "http%3A%2F%2F127.0.0.1%3A7%2Fback";

/// A provider, its authorize endpoint and its token endpoint.
pub struct House {
    pub running: Running,
    pub authorize: &'static str,
    pub token: &'static str,
}

/// A provider of the modest kind with its default app.
pub async fn modest(kind: Kind, authorize: &'static str, token: &'static str) -> House {
    let running = Modest::start("127.0.0.1:0", ModestConfig::of(kind)).await.unwrap();
    House { running, authorize, token }
}

impl House {
    pub fn base(&self) -> &str {
        self.running.base_url()
    }

    pub async fn get(&self, path: &str) -> Answer {
        http::get(self.base(), path).await
    }

    /// A GET with an `Authorization` header.
    pub async fn get_as(&self, path: &str, authorization: &str) -> Answer {
        http::send(self.base(), "GET", path, &[&format!("Authorization: {authorization}")], "").await
    }

    pub async fn post_form(&self, path: &str, form: &str) -> Answer {
        http::post_form(self.base(), path, form).await
    }

    pub async fn post_json(&self, path: &str, body: &Value) -> Answer {
        http::send(self.base(), "POST", path, &["Content-Type: application/json"], &body.to_string()).await
    }

    /// `POST /_simulate/…`, which must be taken.
    pub async fn control(&self, path: &str, body: Value) -> Answer {
        let path = format!("/_simulate/{path}");
        let answer = http::send(self.base(), "POST", &path, &[], &body.to_string()).await;
        assert!(answer.status < 300, "{}", answer.text());
        answer
    }

    pub async fn switch(&self, name: &str, value: Value) {
        self.control("switches", json!({ name: value })).await;
    }

    pub async fn pass(&self, seconds: u64) {
        self.control("clock", json!({ "advance_seconds": seconds })).await;
    }

    /// A browser asks, a person presses a button; where the browser is sent.
    pub async fn press(&self, query: &str, decision: &str, person: &str) -> Answer {
        let page = self.get(&format!("{}?{query}", self.authorize)).await;
        assert_eq!(page.status, 200, "{}", page.text());
        let id = page.text().split_once("/_simulate/page/").unwrap().1.split_once('"').unwrap().0;
        self.post_form(&format!("/_simulate/page/{id}"), &format!("decision={decision}&person={person}")).await
    }

    /// Where the browser lands when a person agrees.
    pub async fn agree(&self, query: &str, person: &str) -> String {
        self.press(query, "agree", person).await.header("location").unwrap().to_owned()
    }

    /// Where the browser lands when the person refuses.
    pub async fn refuse(&self, query: &str) -> String {
        self.press(query, "refuse", "").await.header("location").unwrap().to_owned()
    }

    /// Where an authorize request leads that is answered at once.
    pub async fn land(&self, query: &str) -> String {
        let answer = self.get(&format!("{}?{query}", self.authorize)).await;
        assert_eq!(answer.status, 302, "{}", answer.text());
        answer.header("location").unwrap().to_owned()
    }

    /// `POST` to the token endpoint.
    pub async fn tokens(&self, form: &str) -> Answer {
        self.post_form(self.token, form).await
    }
}

/// A parameter of a URL's query.
pub fn parameter(url: &str, name: &str) -> Option<String> {
    let url = Url::parse(url).unwrap();
    url.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
}

/// A text in a JSON answer.
pub fn text(json: &Value, name: &str) -> String {
    assert!(json[name].is_string(), "{name} in {json}");
    json[name].as_str().unwrap().to_owned()
}

/// The value of a hidden field on a page.
pub fn hidden(page: &str, name: &str) -> Option<String> {
    let after = page.split_once(&format!("name=\"{name}\" value=\""))?.1;
    Some(after.split_once('"')?.0.replace("&quot;", "\"").replace("&amp;", "&"))
}

/// Header and claims of a JWT.
pub fn parts(token: &str) -> (Value, Value) {
    let part = |number: usize| {
        let encoded = token.split('.').nth(number).unwrap();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(encoded).unwrap()).unwrap()
    };
    (part(0), part(1))
}

/// Whether the key that the JWT names in a JWK set verifies it.
pub fn is_verified(token: &str, jwks: &Value) -> bool {
    let (header, _) = parts(token);
    let (input, signature) = token.rsplit_once('.').unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let keys = jwks["keys"].as_array().unwrap();
    let Some(key) = keys.iter().find(|key| key["kid"] == header["kid"] && key["alg"] == header["alg"]) else {
        return false;
    };
    let bytes = |name: &str| URL_SAFE_NO_PAD.decode(key[name].as_str().unwrap()).unwrap();
    if key["kty"] == "RSA" {
        let components = RsaPublicKeyComponents { n: bytes("n"), e: bytes("e") };
        return components.verify(&RSA_PKCS1_2048_8192_SHA256, input.as_bytes(), &signature).is_ok();
    }
    let point = [vec![4], bytes("x"), bytes("y")].concat();
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(input.as_bytes(), &signature).is_ok()
}

/// A client's own ES256 key.
pub struct ClientKey(EcdsaKeyPair);

impl ClientKey {
    pub fn new() -> Self {
        Self(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
    }

    /// From a PEM that a console let one download.
    pub fn from_pem(pem: &str) -> Self {
        let base64: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
        let der = STANDARD.decode(base64).unwrap();
        Self(EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &der).unwrap())
    }

    pub fn public_pem(&self) -> String {
        let der: PublicKeyX509Der<'_> = self.0.public_key().as_der().unwrap();
        format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(der.as_ref()))
    }

    pub fn jwk(&self) -> Value {
        let point = &self.0.public_key().as_ref()[1..];
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        json!({ "kty": "EC", "crv": "P-256", "x": encode(&point[..32]), "y": encode(&point[32..]) })
    }

    pub fn jwt(&self, header: &Value, claims: &Value) -> String {
        let encode = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
        let input = format!("{}.{}", encode(header), encode(claims));
        let signature = self.0.sign(&SystemRandom::new(), input.as_bytes()).unwrap();
        format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
    }
}
