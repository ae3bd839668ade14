//! Stories of the section `[channel]`: no token in plain text where others listen, and files that are what they say.

use fujie_channel::hub::Overflow;

use super::*;

fn channel(lines: &str) -> World {
    world().toml(&format!("[channel]\n{lines}"))
}

/// With a certificate, its key, somebody else's key, and a letter.
fn with_files(lines: &str) -> World {
    let certified = || rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (own, other) = (certified(), certified());
    let world = channel(lines).file("certificate.pem", &own.cert.pem());
    let world = world.file("key.pem", &own.signing_key.serialize_pem());
    world.file("other-key.pem", &other.signing_key.serialize_pem()).file("letter", "Dear administrator,")
}

const TLS: &str = "listen = \"0.0.0.0:8885\"\ntls_certificate = \"certificate.pem\"\ntls_key = \"key.pem\"\n";

#[test]
fn there_is_no_listener_unless_it_is_asked_for() {
    let own = world().load().unwrap().channel;
    assert!(own.line.is_none());
    assert_eq!((own.keep, own.overflow), (Lifetime::from_days(7), Overflow::Cut));
    assert_eq!(own.storage_max, 10 * 1024 * 1024 * 1024);
    let lines = "listen = \"127.0.0.1:8885\"\nkeep = 60\noverflow = \"drop_oldest\"\nstorage_max = 64";
    let own = channel(lines).load().unwrap().channel;
    assert_eq!(own.storage_max, 64 * 1024 * 1024);
    assert_eq!(own.line.unwrap().listen.to_string(), "127.0.0.1:8885");
    assert_eq!((own.keep, own.overflow), (Lifetime::from_seconds(60), Overflow::DropOldest));
    channel("overflow = \"block\"\nkeep = 59\nstorage_max = 63").refused(&[
        "must be cut or drop_oldest",
        "59 must be whole seconds from 60",
        "63 must be whole MiB from 64",
    ]);
}

#[test]
fn plain_text_beyond_this_machine_is_switched_on_by_name() {
    for open in ["0.0.0.0:8885", "[::]:8885", "192.0.2.1:1"] {
        let lines = format!("listen = \"{open}\"\n");
        channel(&lines).refused(&["channel.listen ("]);
        channel(&lines).refused(&["tokens would travel there in plain text"]);
        channel(&format!("{lines}insecure_plaintext = true")).load().unwrap();
    }
    with_files(TLS).load().unwrap();
}

#[test]
fn certificate_and_key_are_read_at_the_start() {
    let check = |lines: &str, said: &[&str]| with_files(&format!("listen = \"127.0.0.1:1\"\n{lines}")).refused(said);
    let pair = |certificate: &str, key: &str| format!("tls_certificate = \"{certificate}\"\ntls_key = \"{key}\"");
    check(&pair("certificate.pem", "missing.pem"), &["\"missing.pem\" cannot be read: "]);
    check(&pair("letter", "key.pem"), &["\"letter\" holds no certificate"]);
    check(&pair("certificate.pem", "letter"), &["\"letter\" holds no private key in PEM"]);
    check(&pair("key.pem", "certificate.pem"), &["holds no certificate", "holds no private key"]);
    check(&pair("certificate.pem", "other-key.pem"), &["channel.tls_key ("]);
    check(&pair("certificate.pem", "other-key.pem"), &["does not go with the certificate"]);
    check("tls_certificate = \"certificate.pem\"", &["goes with channel.tls_key; write that too"]);
    check("tls_key = \"key.pem\"", &["goes with channel.tls_certificate; write that too"]);
    with_files("tls_key = \"key.pem\"\ntls_certificate = \"certificate.pem\"")
        .refused(&["channel.tls_key (", "channel.tls_certificate ("]);
    with_files(&pair("certificate.pem", "key.pem").replace("tls_key", "listen = \"127.0.0.1:1\"\ntls_key"))
        .load()
        .unwrap();
}

#[test]
fn applications_are_told_where_the_line_protocol_is() {
    let endpoint = |world: World, bound: &str| {
        let config = world.load().unwrap();
        config.channel.line.as_ref().unwrap().endpoint(&config.issuer, bound.parse().unwrap())
    };
    let plain = || channel("listen = \"127.0.0.1:0\"");
    assert_eq!(endpoint(plain(), "127.0.0.1:4321"), "tcp://127.0.0.1:4321");
    assert_eq!(endpoint(plain(), "[::1]:4321"), "tcp://[::1]:4321");
    let public = |world: World| world.flag("issuer", "https://id.example.com");
    assert_eq!(endpoint(public(with_files(TLS)), "0.0.0.0:8885"), "tls://id.example.com:8885");
    let named = format!("{TLS}line_endpoint = \"tls://events.example.com:443\"");
    assert_eq!(endpoint(public(with_files(&named)), "0.0.0.0:8885"), "tls://events.example.com:443");
}

#[test]
fn an_endpoint_is_scheme_host_and_port() {
    let with = |endpoint: &str| channel(&format!("listen = \"127.0.0.1:1\"\nline_endpoint = \"{endpoint}\""));
    for good in ["tls://id.example.com:8885", "tcp://127.0.0.1:1", "tls://[::1]:8885"] {
        with(good).load().unwrap();
    }
    for bad in ["id.example.com:8885", "https://id.example.com:1", "tls://id.example.com", "tls://id:1/x", "tls://:1"] {
        with(bad).refused(&["must be tls:// (or tcp://), host and port"]);
    }
    let over_https = || with("tcp://id.example.com:8885").flag("issuer", "https://id.example.com");
    over_https().refused(&["plain text although the issuer is https"]);
    over_https().flag("channel.insecure_plaintext", "true").load().unwrap();
    channel("line_endpoint = \"tls://id.example.com:1\"").refused(&["goes with channel.listen"]);
}

#[test]
fn simulators_are_on_this_machine_and_a_contact_can_be_written_to() {
    channel("robot_at = \"http://127.0.0.1:9000\"\npush_at = \"http://localhost:9001\"").load().unwrap();
    channel("robot_at = \"https://example.com\"\npush_at = \"http://example.com\"")
        .refused(&["channel.robot_at (", "channel.push_at ("]);
    channel("push_contact = \"mailto:admin@example.com\"").load().unwrap();
    channel("push_contact = \"https://example.com/contact\"").load().unwrap();
    channel("push_contact = \"admin@example.com\"").refused(&["must be mailto: and a mail address"]);
}
