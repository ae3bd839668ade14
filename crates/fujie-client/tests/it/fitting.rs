//! A credential that does not fit its record is refused at once, not by the provider when somebody signs in.

use std::collections::BTreeMap;
use std::sync::Mutex;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fujie_client::openid::signing_key::{self, SigningKey};
use fujie_client::provider::ClientAuthentication;
use fujie_client::{Credential, Provider, RecordError, Registration, Rsa2Key, Secret, provider};
use fujie_core::jose::jws::Algorithm;

use crate::world::{APP, SECRET};

fn secret() -> Credential {
    Secret::new(SECRET).into()
}

/// A new key in PKCS #8, one for all tests.
fn pem(algorithm: Algorithm) -> String {
    static KEYS: Mutex<BTreeMap<&str, String>> = Mutex::new(BTreeMap::new());
    let mut keys = KEYS.lock().unwrap();
    let made = || STANDARD.encode(&*SigningKey::generate(algorithm).unwrap());
    let base64 = keys.entry(algorithm.as_str()).or_insert_with(made);
    format!("-----BEGIN PRIVATE KEY-----\n{base64}\n-----END PRIVATE KEY-----\n")
}

fn private_key() -> Credential {
    Credential::PrivateKey(signing_key::read(&pem(Algorithm::Es256), "k").unwrap())
}

fn apple() -> Credential {
    let key = signing_key::read(&pem(Algorithm::Es256), "k").unwrap();
    Credential::Apple { team_id: "TEAM123456".into(), key }
}

fn rsa2() -> Credential {
    Credential::Rsa2(Rsa2Key::from_pkcs8(&pem(Algorithm::Rs256)).unwrap())
}

fn authenticated(method: ClientAuthentication) -> Provider {
    Provider { client_authentication: method, ..provider::github() }
}

#[test]
fn a_credential_fits_its_record() {
    use ClientAuthentication::{ClientSecretBasic, ClientSecretPost, None, PrivateKeyJwt};
    type Makers = [fn() -> Credential; 5];
    let all: Makers = [|| Credential::None, secret, private_key, apple, rsa2];
    // Which of `all` a record takes, and what it says when it gets another.
    let cases = [
        (provider::alipay(), [false, false, false, false, true], "Credential::Rsa2"),
        (provider::apple(), [false, false, false, true, false], "Credential::Apple"),
        (provider::wechat(), [false, true, false, false, false], "Credential::Secret"),
        (provider::wecom(), [false, true, false, false, false], "Credential::Secret"),
        (provider::feishu(), [false, true, false, false, false], "Credential::Secret"),
        (authenticated(PrivateKeyJwt), [false, false, true, false, false], "Credential::PrivateKey"),
        (authenticated(None), [true, false, false, false, false], "Credential::None"),
        // GitHub's device grant asks for no secret, and a record of Apple's may have another id.
        (authenticated(ClientSecretPost), [true, true, false, true, false], "Credential::Secret"),
        (authenticated(ClientSecretBasic), [true, true, false, false, false], "Credential::Secret"),
    ];
    for (record, fits, said) in cases {
        for (make, is_fit) in all.iter().zip(fits) {
            let (id, method, credential) = (record.id.clone(), record.client_authentication, make());
            let name = format!("{id} by {method:?} with {credential:?}");
            match Registration::new(record.clone(), APP, credential) {
                Ok(_) => assert!(is_fit, "{name} was taken"),
                Err(error @ RecordError::Value { field: "credential", .. }) => {
                    assert!(!is_fit && error.to_string().contains(said), "{name}: {error}");
                }
                Err(error) => panic!("{name}: {error}"),
            }
        }
    }
}

#[test]
fn every_preset_takes_what_it_says_it_takes() {
    for name in provider::names() {
        let credential = match name {
            "alipay" => rsa2(),
            "apple" => apple(),
            _ => secret(),
        };
        Registration::new(provider::named(name).unwrap(), APP, credential).unwrap();
    }
}
