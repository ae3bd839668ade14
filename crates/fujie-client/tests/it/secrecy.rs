//! A canary in every secret: nothing that can be printed may sing.

use fujie_client::ProviderError;
use serde_json::json;

use crate::world::{
    NOW, OPENID, REDIRECT_URI, SECRET, UNIONID, answer, begin, callback, changed, client, counting, good_query,
    read_tokens, read_user, token_answer, tokens, user_answer,
};

fn silent(told: &str) {
    for secret in ["canary", SECRET, OPENID, UNIONID, "小明", "门"] {
        assert!(!told.contains(secret), "{secret} in {told}");
    }
}

#[test]
fn nothing_that_prints_itself_shows_a_secret_or_a_person() {
    let client = client();
    let begun = begin(&client);
    let tokens = tokens(&client);
    silent(&format!("{client:?}"));
    silent(&format!("{begun:?}"));
    assert!(!format!("{begun:?}").contains(&begun.attempt.state));
    silent(&format!("{:?}", client.exchange_request(&callback(&client), &mut counting(), NOW).unwrap()));
    silent(&format!("{:?}", client.refresh_request(&tokens, &mut counting(), NOW).unwrap()));
    silent(&format!("{:?}", client.user_request(&tokens, None, NOW)));
    silent(&format!("{tokens:?}"));
    silent(&format!("{:?}", read_user(&client, &user_answer()).unwrap()));
    silent(&format!("{:?}", answer(token_answer().to_string())));
    let shown = format!("{:?}", callback(&client));
    assert!(!shown.contains("canary"), "{shown}");
    assert!(REDIRECT_URI.contains('门'));
}

#[test]
fn no_error_shows_a_secret_or_a_person() {
    let client = client();
    let tell = |error: ProviderError| silent(&format!("{error:?} {error} {}", error.report()));
    for field in ["access_token", "openid", "expires_in", "scope", "errcode", "refresh_token"] {
        for odd in [None, Some(json!({"x": SECRET})), Some(json!(SECRET)), Some(json!([1]))] {
            if let Err(error) = read_tokens(&client, &changed(&token_answer(), field, odd.clone())) {
                tell(error);
            }
            if let Err(error) = read_user(&client, &changed(&user_answer(), field, odd)) {
                tell(error);
            }
        }
    }
    for body in [token_answer().to_string(), user_answer().to_string()] {
        for at in (0..body.len()).filter(|at| body.is_char_boundary(*at)) {
            if let Err(error) = client.read_user(&tokens(&client), &answer(&body.as_bytes()[..at])) {
                tell(error);
            }
        }
    }
    let attempt = begin(&client).attempt;
    let query = good_query(&attempt).replace("code=", "error=");
    tell(client.read_callback(&attempt, &query, attempt.created_at).unwrap_err());
    let query = format!("{}&code=x", good_query(&attempt));
    tell(client.read_callback(&attempt, &query, attempt.created_at).unwrap_err());
}
