//! Which keys go with which provider, and what a fault says.

use super::*;

/// A key of P-256 and one of RSA with 2,048 bits, made for this test, in PKCS #8.
fn pem(algorithm: fujie_core::jose::jws::Algorithm) -> String {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let pkcs8 = fujie_core::jose::jws::SigningKey::generate(algorithm).unwrap();
    format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(&*pkcs8))
}

fn es256() -> String {
    pem(fujie_core::jose::jws::Algorithm::Es256)
}

/// One connection of this provider.
fn one(provider: &str, lines: &str) -> World {
    world().toml(&format!("[connection.x]\nprovider = \"{provider}\"\n{lines}"))
}

const SECRETS: &str = "client_id = \"id\"\nclient_secret = \"canary-5ecret\"\n";

fn known(config: &Config) -> &fujie_client::Provider {
    match &config.connections[0].record {
        Record::Known(record) => record,
        Record::Issuer(..) => panic!("no record"),
    }
}

#[test]
fn every_preset_is_a_connection_by_an_id_and_a_secret_or_a_key() {
    let (ec, rsa) = (es256(), pem(fujie_core::jose::jws::Algorithm::Rs256));
    for preset in fujie_client::provider::names() {
        let lines = match preset {
            "wechat_mini_program" => continue,
            "apple" => format!("client_id = \"id\"\nprivate_key = '''{ec}'''\nkey_id = \"K\"\nteam_id = \"T\""),
            "alipay" => format!("client_id = \"id\"\nprivate_key = '''{rsa}'''"),
            "wecom" => format!("{SECRETS}agent_id = \"1000002\""),
            _ => SECRETS.to_owned(),
        };
        let config = one(preset, &lines).load().unwrap();
        assert_eq!((config.connections[0].provider, config.connections[0].is_simulated), (preset, false));
        config.connections[0].proof.credential().unwrap();
        assert!(!known(&config).authorization_endpoint.is_empty(), "{preset}");
    }
    one("wechat_mini_program", SECRETS).refused(&["is no provider"]);
}

#[test]
fn every_provider_with_a_simulator_is_simulated_by_two_lines() {
    for preset in fujie_client::provider::names().filter(|name| *name != "wechat_mini_program").chain(["openid"]) {
        let proof = if ["apple", "alipay"].contains(&preset) { "private_key" } else { "client_secret" };
        let lines = format!("client_id = \"simulated\"\n{proof} = \"simulated\"");
        assert!(one(preset, &lines).load().unwrap().connections[0].is_simulated, "{preset}");
    }
    let lines = "client_id = \"simulated\"\nclient_secret = \"simulated\"";
    let endpoints = ["authorization_endpoint", "token_endpoint", "user_endpoint"];
    let endpoints = endpoints.map(|name| format!("{name} = \"https://a.example/\"\n")).concat();
    one("oauth2", &format!("{lines}\n{endpoints}")).refused(&["there is no simulator for oauth2"]);
}

#[test]
fn keys_of_other_providers_are_refused_by_line() {
    one("qq", &format!("{SECRETS}team_id = \"T\"")).refused(&["fujie.toml:5): does not go with qq; remove this line"]);
    one("github", &format!("{SECRETS}embedded = true")).refused(&["connection.x.embedded"]);
    one("openid", &format!("{SECRETS}issuer = \"https://a.example\"\nat = \"https://b.example\"")).refused(&[".at ("]);
    one("wechat", &format!("{SECRETS}self_redirect = true")).refused(&["goes with embedded = true"]);
    one("apple", SECRETS).refused(&["connection.x.client_secret (", "connection.x.private_key (not set)"]);
}

#[test]
fn what_a_provider_needs_is_told_by_key() {
    one("wecom", SECRETS).refused(&["connection.x.agent_id (not set): is required"]);
    one("openid", SECRETS).refused(&["connection.x.issuer (not set): is required"]);
    one("openid", "client_id = \"id\"").refused(&["client_secret (not set): is required", "issuer (not set): is"]);
    one("oauth2", SECRETS).refused(&["authorization_endpoint (not", "token_endpoint (not", "user_endpoint (not"]);
    let apple = format!("client_id = \"id\"\nprivate_key = '''{}'''\n", es256());
    one("apple", &apple).refused(&["connection.x.key_id (not set)", "connection.x.team_id (not set)"]);
    one("apple", &apple.replace("BEGIN", "canary")).refused(&["key_id (not set)", "team_id (not set)"]);
    let named = apple.replace("BEGIN", "canary") + "key_id = \"K\"\nteam_id = \"T\"";
    one("apple", &named).refused(&["fujie.toml:4): the key is not PKCS #8"]);
    one("alipay", &apple).refused(&["is no RSA key"]);
}

#[test]
fn an_openid_provider_takes_a_secret_or_a_key_or_nothing_on_purpose() {
    let issuer = "client_id = \"id\"\nissuer = \"https://a.example/\"\n";
    let proof = |lines: &str| one("openid", &format!("{issuer}{lines}")).load();
    let of = |config: &Config| format!("{:?}", config.connections[0].proof.credential().unwrap());
    assert!(of(&proof("client_secret = \"canary\"").unwrap()).starts_with("Secret"));
    assert!(of(&proof(&format!("private_key = '''{}'''\nkey_id = \"k\"", es256())).unwrap()).starts_with("PrivateKey"));
    let config = proof("client_authentication = \"none\"").unwrap();
    assert_eq!(of(&config), "None");
    // An issuer is compared letter by letter.
    assert!(matches!(&config.connections[0].record, Record::Issuer(issuer, _) if issuer == "https://a.example/"));
    assert!(proof(&format!("client_secret = \"canary\"\nprivate_key = '''{}'''", es256())).is_err());
    assert!(one("openid", &format!("{SECRETS}issuer = \"http://a.example\"")).load().is_err());
}

#[test]
fn a_plain_oauth2_provider_is_told_by_its_endpoints_and_fields() {
    let at = |host: &str| {
        let lines = format!(
            "{SECRETS}authorization_endpoint = \"https://{host}/a/\"\ntoken_endpoint = \"https://{host}/t\"\n\
             user_endpoint = \"https://{host}/u\"\nscope = \"read  write\"\nsubject_field = \"data.id\"\n\
             name_field = \"nick\"\npicture_field = \"pic\"\nclient_authentication = \"client_secret_post\""
        );
        one("oauth2", &lines).load().unwrap()
    };
    let config = at("sso.example");
    let record = known(&config);
    assert_eq!(record.authorization_endpoint, "https://sso.example/a/");
    assert_eq!(
        (record.scope.join("+"), record.identity.subject.join("")),
        ("read+write".to_owned(), "data.id".to_owned())
    );
    assert_eq!((record.identity.nickname.join(""), record.identity.avatar_url.join("")), ("nick".into(), "pic".into()));
    // People of one address are not those of another.
    assert_ne!(record.id, known(&at("other.example")).id);
}

#[test]
fn a_secrets_file_may_be_named_in_the_file_too() {
    let named = |more: &str| {
        let text = format!("[connection.wechat]\nclient_id = \"wx1\"\nclient_secret_file = \"secret\"\n{more}");
        world().toml(&text).file("secret", "canary\n")
    };
    let config = named("").load().unwrap();
    assert_eq!(secret_of(&config.connections[0]), "canary");
    assert!(config.show().contains("fujie.toml:3, secret"), "{}", config.show());
    named("client_secret = \"canary\"").refused(&["both given; keep one of the two"]);
    let text = "[connection.wechat]\nclient_secret_file = \"missing\"\nclient_id = \"wx1\"";
    assert!(world().toml(text).load().unwrap_err().contains("fujie.toml:2, missing): the file cannot be read"));
    world().toml("name_file = \"secret\"").refused(&["unknown key"]);
}

#[test]
fn a_scope_and_an_issuer_change_a_preset() {
    let lines =
        format!("{SECRETS}scope = \"openid email\"\nissuer = \"https://g.example\"\nat = \"https://g.example\"");
    let config = one("google", &lines).load().unwrap();
    assert_eq!(known(&config).scope, ["openid", "email"]);
    assert_eq!(known(&config).id_token.as_ref().unwrap().issuer, "https://g.example");
}
