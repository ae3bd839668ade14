//! What a secret looks like wherever it must not stand.

/// The first secret of ours or of GitHub in `text`.
///
/// A secret is a whole word: a `code_challenge` or a `state` may have `fj_` or `gho_` in its midst by chance. They may
/// even begin so, and are looked at no closer where their name stands before them.
pub fn found(text: &str) -> Option<&str> {
    let is_inside = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let is_ours = |word: &str| word.starts_with("fj_") && word.as_bytes().get(5) == Some(&b'_');
    let is_githubs = |word: &str| ["gho_", "ghu_", "ghr_"].iter().any(|prefix| word.starts_with(prefix));
    let is_random = |name: &str| ["code_challenge", "nonce", "state"].contains(&name);
    let mut name = "";
    text.split(|c| !is_inside(c)).find(|word| {
        let before = std::mem::replace(&mut name, *word);
        !is_random(before) && (is_ours(word) || is_githubs(word))
    })
}

#[test]
fn a_secret_is_found_where_it_stands_and_not_where_chance_wrote_its_beginning() {
    for secret in ["fj_at_c2VjcmV0", "gho_16C7e42F292c6912E7", "ghu_1", "ghr_1"] {
        for text in
            [secret.to_owned(), format!("?code={secret}&state=x"), format!("令牌：{secret}。"), format!("\"{secret}\"")]
        {
            assert_eq!(found(&text), Some(secret), "{text}");
        }
    }
    let challenge = "code_challenge=VHXg2HlkRawPyITsQPSscQFQmsikORHvWdfj_mU0G_M&code_challenge_method=S256";
    let begins = "?code_challenge=gho_2HlkRawPyITs&state=fj_at_HlkRaw&nonce=ghu_x";
    for text in ["", "fj_", "fj_mU0G_M", challenge, begins, "state=xgho_x", "~/.config/fujie/tokens"] {
        assert_eq!(found(text), None);
    }
}
