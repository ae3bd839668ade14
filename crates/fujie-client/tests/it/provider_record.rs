//! Records: changing one field, moving to a simulator, refusing what is unsafe.

use fujie_client::{Provider, RecordError, Registration, Secret, provider};
use serde_json::json;

#[test]
fn a_record_is_data_and_single_fields_can_be_changed() {
    let preset = provider::wechat();
    let written = serde_json::to_string(&preset).unwrap();
    assert_eq!(serde_json::from_str::<Provider>(&written).unwrap(), preset);
    let changes = json!({"scope": ["snsapi_login", "x"], "errors": {"refusals": {"7": "busy"}}});
    let changed = preset.with(&changes).unwrap();
    assert_eq!(changed.scope, ["snsapi_login", "x"]);
    assert_eq!(changed.errors.refusals.len(), preset.errors.refusals.len() + 1);
    assert_eq!(changed.token.endpoint, preset.token.endpoint);
}

#[test]
fn a_misspelt_field_is_named() {
    for changes in [json!({"scopes": []}), json!({"identity": {"scopes": 1}}), json!({"pkce": "scopes"})] {
        let Err(RecordError::Field { source, .. }) = provider::wechat().with(&changes) else {
            panic!("{changes} was taken");
        };
        assert!(source.to_string().contains("scopes"), "{source}");
    }
}

/// What is said of a record that cannot be read.
fn said(outcome: Result<Provider, RecordError>) -> String {
    let told = outcome.unwrap_err().to_string();
    told.strip_prefix("the provider record cannot be read: ").unwrap_or(&told).to_owned()
}

#[test]
fn a_value_of_the_wrong_type_is_told_with_its_field() {
    let cases = [
        (json!({"token": {"endpoint": 5}}), "token.endpoint: invalid type: integer `5`, expected a string"),
        (json!({"scope": "read"}), "scope: invalid type: string \"read\", expected a sequence"),
        // Of calls that the preset does not have.
        (json!({"subject": {"endpoint": 5}}), "subject.endpoint: invalid type: integer `5`, expected a string"),
        (json!({"subject": {"endpoint": "https://x"}}), "subject: missing field `method`"),
        (
            json!({"id_token": {"subject": ["sub", 1]}}),
            "id_token.subject: invalid type: integer `1`, expected a string",
        ),
        (json!({"errors": {"refusals": {"7": null}}}), "errors.refusals.7: "),
        (json!({"scope": ["ok"], "state": null}), "state: invalid type: null, expected struct StateRule"),
        (json!({"identity": {"shoe_size": 1}}), "identity.shoe_size: unknown field"),
        (json!([]), "invalid length 0"),
    ];
    for (changes, expected) in cases {
        let told = said(provider::wechat().with(&changes));
        assert!(told.starts_with(expected), "{changes}: {told}");
    }
    let whole = json!({"id": "forum"}).as_object().unwrap().clone();
    assert_eq!(said(Provider::from_table(whole)), "missing field `authorization_endpoint`");
}

#[test]
fn a_fault_in_toml_is_told_with_its_line() {
    let cases = [
        ("preset = \"github\"\n\n[token]\nendpoint = 5\n", "line 4, token.endpoint: invalid type: integer `5`"),
        ("preset = \"github\"\ntoken = { endpoint = 5 }", "line 2, token.endpoint: invalid type: integer `5`"),
        ("preset = \"github\"\ntoken.endpoint = 5", "line 2, token.endpoint: invalid type: integer `5`"),
        ("# 注\nid = \"x\"\nscope = 1", "line 3, scope: invalid type: integer `1`"),
        ("id = \"x\"", "missing field `authorization_endpoint`"),
        ("id = ", "TOML parse error at line 1"),
    ];
    for (text, expected) in cases {
        let told = said(Provider::from_toml(text));
        assert!(told.starts_with(expected), "{text}: {told}");
    }
}

#[test]
fn a_variable_is_json_where_that_is_wanted_and_text_where_text_is() {
    let set = |name: &str, value: &str| {
        let variables = [(format!("GITHUB__{name}"), value.to_owned()), ("PATH".to_owned(), "/bin".to_owned())];
        provider::github().with_variables("GITHUB__", variables)
    };
    assert_eq!(set("ID", "123").unwrap().id, "123");
    assert_eq!(set("ID", "1e3").unwrap().id, "1e3");
    assert_eq!(set("ID", "\"quoted\"").unwrap().id, "quoted");
    assert_eq!(set("CALLBACK__ISSUER", "123").unwrap().callback.issuer.as_deref(), Some("123"));
    assert_eq!(set("CALLBACK__ISSUER", "null").unwrap().callback.issuer, None);
    assert_eq!(set("STATE__LENGTH_MAX", "64").unwrap().state.length_max, 64);
    assert_eq!(set("SCOPE", "[\"repo\"]").unwrap().scope, ["repo"]);
    assert_eq!(set("TOKEN__ENDPOINT", "5").unwrap().token.endpoint, "5");
    assert!(said(set("SCOPE", "5")).starts_with("scope: invalid type: integer `5`"));
    assert!(said(set("SCOPE", "repo")).starts_with("scope: invalid type: string \"repo\""));
    assert!(said(set("TOKEN__ENDPOINTS", "5")).starts_with("token.endpoints: unknown field"));
}

#[test]
fn every_endpoint_moves_to_a_simulator() {
    let moved = provider::wechat().at_host("http://127.0.0.1:8901/").unwrap();
    assert_eq!(moved.authorization_endpoint, "http://127.0.0.1:8901/connect/qrconnect");
    assert_eq!(moved.token.endpoint, "http://127.0.0.1:8901/sns/oauth2/access_token");
    assert_eq!(moved.refresh.unwrap().endpoint, "http://127.0.0.1:8901/sns/oauth2/refresh_token");
    assert_eq!(moved.check.unwrap().endpoint, "http://127.0.0.1:8901/sns/auth");
    assert_eq!(moved.user.unwrap().endpoint, "http://127.0.0.1:8901/sns/userinfo");
    let below = provider::wechat().at_host("https://gateway.example/wechat").unwrap();
    assert_eq!(below.user.unwrap().endpoint, "https://gateway.example/wechat/sns/userinfo");
    for bad in ["http://10.0.0.1", "127.0.0.1:1", "ftp://x", "https://x/#a", "https://x/?a", ""] {
        assert!(provider::wechat().at_host(bad).is_err(), "{bad}");
    }
}

#[test]
fn github_at_a_host_of_ones_own_has_its_api_where_enterprise_server_has_it() {
    let ours = provider::github().at_host("https://ghes.example/").unwrap();
    assert_eq!(ours.authorization_endpoint, "https://ghes.example/login/oauth/authorize");
    assert_eq!(ours.token.endpoint, "https://ghes.example/login/oauth/access_token");
    assert_eq!(ours.device_authorization_endpoint.as_deref(), Some("https://ghes.example/login/device/code"));
    assert_eq!(ours.base_url, "https://ghes.example/api/v3");
    assert_eq!(ours.user.as_ref().unwrap().endpoint, "https://ghes.example/api/v3/user");
    let again = ours.at_host("https://proxy.example").unwrap();
    assert_eq!(again.user.unwrap().endpoint, "https://proxy.example/api/v3/user");
    // A simulator is github.com itself.
    let simulated = provider::github().at_simulator("http://127.0.0.1:8901").unwrap();
    assert_eq!(simulated.user.unwrap().endpoint, "http://127.0.0.1:8901/user");
    assert_eq!(simulated.base_url, "http://127.0.0.1:8901");
}

#[test]
fn a_simulator_names_itself_and_a_gateway_does_not() {
    let base = "http://127.0.0.1:8901";
    let issuers = |preset: Provider| {
        let gateway = preset.at_host(base).unwrap();
        assert_eq!(gateway.id_token.unwrap().issuer, preset.id_token.as_ref().unwrap().issuer);
        assert_eq!(gateway.callback, preset.callback);
        let moved = preset.at_simulator(base).unwrap();
        (moved.id_token.unwrap().issuer, moved.callback.issuer)
    };
    assert_eq!(issuers(provider::google()), (base.to_owned(), Some(base.to_owned())));
    assert_eq!(issuers(provider::microsoft()), (format!("{base}/{{tenantid}}/v2.0"), None));
    // Where nobody signs, it is a word in the callback, and says who it is wherever it stands.
    let github = provider::github().at_simulator(base).unwrap();
    assert_eq!(github.callback.issuer.as_deref(), Some("https://github.com/login/oauth"));
}

#[test]
fn an_unsafe_record_makes_no_client() {
    let faults = [
        json!({"token": {"endpoint": "http://api.weixin.qq.com/sns/oauth2/access_token"}}),
        json!({"user": {"endpoint": "https://u:p@api.weixin.qq.com/"}}),
        json!({"authorization_endpoint": "https://open.weixin.qq.com/#x"}),
        json!({"refresh": {"endpoint": "/sns"}}),
        json!({"state": {"length_max": 31}}),
        json!({"scope_separator": ""}),
        json!({"id": ""}),
    ];
    for fault in faults {
        let record = provider::wechat().with(&fault).unwrap();
        assert!(Registration::new(record, "wx", Secret::new("s")).is_err(), "{fault}");
    }
    for (id, secret) in [("", "s"), ("w x", "s"), ("wx", ""), ("wx", "s\n"), ("wx", " s")] {
        assert!(Registration::new(provider::wechat(), id, Secret::new(secret)).is_err());
    }
}

#[test]
fn a_record_that_would_fail_at_the_first_sign_in_is_refused_at_once() {
    let cases = [
        (json!({"id_token": {"issuer": "accounts.google.com"}}), "id_token.issuer of provider google is not"),
        (json!({"id_token": {"issuer": "http://10.0.0.1"}}), "id_token.issuer of provider google must be https"),
        (json!({"id_token": {"algorithms": ["HS256", "none"]}}), "id_token.algorithms of provider google has none"),
        (json!({"id_token": {"algorithms": []}}), "id_token.algorithms of provider google has none"),
        (json!({"id_token": {"subject": []}}), "id_token.subject of provider google names no claim"),
        (json!({"token": {"headers": [["x y", "1"]]}}), "token.headers of provider google has a name"),
        (json!({"token": {"headers": [["", "1"]]}}), "token.headers of provider google has a name"),
        (json!({"token": {"headers": [["x:", "1"]]}}), "token.headers of provider google has a name"),
        (json!({"token": {"headers": [["x", "1\r\nhost: y"]]}}), "token.headers of provider google has a value"),
        (json!({"token": {"headers": [["x", "值"]]}}), "token.headers of provider google has a value"),
        (json!({"token_placement": {"header": {"name": "x\n", "prefix": ""}}}), "token_placement of provider google"),
        (json!({"token": {"parameters": [["x", "{shoe_size}"]]}}), "token.parameters of provider google has a place"),
        (json!({"token": {"headers": [["x", "{Code}"]]}}), "token.headers of provider google has a placeholder"),
        (json!({"authorization_parameters": [["x", "{}"]]}), "authorization_parameters of provider google has a"),
        (json!({"token": {"endpoint": "https://x/{tenant}"}}), "token.endpoint of provider google must not contain"),
    ];
    for (fault, expected) in cases {
        let record = provider::google().with(&fault).unwrap();
        let told = Registration::new(record, "app", Secret::new("s")).unwrap_err().to_string();
        assert!(told.starts_with(expected), "{fault}: {told}");
    }
    let good = json!({
        "id_token": {"algorithms": ["none", "RS256"], "issuer": "https://x.example/{tenantid}/v2.0"},
        "token": {"headers": [["X-Api-Version", "a\tb {client_id}"]]},
        "token_placement": {"header": {"name": "authorization", "prefix": "OAuth2 "}},
    });
    assert!(Registration::new(provider::google().with(&good).unwrap(), "app", Secret::new("s")).is_ok());
}

#[test]
fn every_preset_is_a_record_that_is_taken() {
    for name in provider::names() {
        let made = Registration::new(provider::named(name).unwrap(), "app", Secret::new("s"));
        assert!(made.is_ok(), "{name}: {:?}", made.err());
    }
}
