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
        let Err(RecordError::Field(source)) = provider::wechat().with(&changes) else {
            panic!("{changes} was taken");
        };
        assert!(source.to_string().contains("scopes"), "{source}");
    }
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
