//! What is written about the configuration: the sample file, and the documentation in both languages.

use super::*;

#[test]
fn the_sample_is_the_defaults() {
    let defaults = world().load().unwrap();
    assert_eq!(shown(&world().toml(SAMPLE).load().unwrap()), shown(&defaults));
}

#[test]
fn the_sample_with_every_line_switched_on_says_the_defaults_and_every_key() {
    let switched_on: Vec<&str> = SAMPLE.lines().map(|line| if line.starts_with("# ") { "" } else { line }).collect();
    let text = switched_on.join("\n").replace('#', "");
    let config = world().toml(&text).load().unwrap();
    let own: Vec<_> = shown(&config).into_iter().filter(|(key, _)| !key.starts_with("connection.")).collect();
    assert_eq!(own, shown(&world().load().unwrap()));
    assert!(config.connections[0].is_simulated);
    for setting in &config.settings {
        let is_from_file = matches!(setting.origin, Origin::File(..));
        let is_told = SAID_IN_WORDS.iter().any(|end| setting.key.ends_with(end));
        assert!(is_from_file || is_told, "{} is missing in the sample", setting.key);
    }
}

/// Keys without a default that the sample names in a sentence.
const SAID_IN_WORDS: [&str; 11] = [
    ".at",
    ".scope",
    ".name_field",
    ".picture_field",
    "channel.listen",
    ".tls_certificate",
    ".tls_key",
    ".line_endpoint",
    ".push_contact",
    ".robot_at",
    ".push_at",
];

#[test]
fn the_documentation_has_every_key() {
    for (language, text) in [
        ("en", include_str!("../../../../../docs/en/configuration.md")),
        ("zh", include_str!("../../../../../docs/zh/configuration.md")),
    ] {
        for key in schema::KEYS {
            let (full, last) = (key.path.replace('*', "NAME"), key.path.rsplit('.').next().unwrap());
            let is_there = text.contains(&format!("`{full}`")) || text.contains(&format!("`….{last}`"));
            assert!(is_there, "{language}: {full} is missing");
            let is_shown = key.default.is_none_or(|default| text.contains(&format!("`{default}`")));
            assert!(is_shown, "{language}: the default of {full} is missing");
        }
    }
}
