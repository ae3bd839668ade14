//! Stories of configurations: who gives what, which value holds, what is said when something is wrong.

mod channel;
mod connection_of;
mod document;

use std::{fs, path::PathBuf};

use super::*;

const SECRET: &str = "canary-5ecret";

/// A folder with files in it, an environment and flags.
struct World {
    dir: tempfile::TempDir,
    sources: Sources,
}

fn world() -> World {
    World { dir: tempfile::tempdir().unwrap(), sources: Sources::default() }
}

impl World {
    fn file(self, name: &str, text: &str) -> Self {
        let path = self.dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    fn toml(self, text: &str) -> Self {
        self.file("fujie.toml", text)
    }

    fn variable(mut self, name: &str, value: &str) -> Self {
        self.sources.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    fn flag(mut self, path: &str, value: &str) -> Self {
        self.sources.flags.push((path.to_owned(), value.to_owned()));
        self
    }

    fn config(mut self, path: &str) -> Self {
        self.sources.file = Some(PathBuf::from(path));
        self
    }

    fn load(self) -> Result<Config, String> {
        Config::load_below(self.dir.path(), self.sources).map_err(|faults| {
            let said = faults.to_string();
            assert!(!said.contains("canary") && !format!("{faults:?}").contains("canary"), "{said}");
            said
        })
    }

    /// Loads, and finds every one of `lines` in what is said; the first line says how many faults there are.
    fn refused(self, lines: &[&str]) {
        let said = self.load().unwrap_err();
        let faults: Vec<&str> = said.lines().skip(1).map(str::trim).collect();
        assert_eq!(faults.len(), lines.len(), "{said}");
        for line in lines {
            assert!(faults.iter().any(|fault| fault.contains(line)), "{line:?} is missing in: {said}");
        }
    }
}

fn wechat(lines: &str) -> World {
    world().toml(&format!("[connection.wechat]\nclient_id = \"wx1\"\nclient_secret = \"{SECRET}\"\n{lines}"))
}

fn secret_of(own: &ConnectionConfig) -> &str {
    let connection::Proof::Secret(secret) = own.proof.as_ref() else { panic!("no secret") };
    secret.expose()
}

fn shown(config: &Config) -> Vec<(String, Option<String>)> {
    config.settings.iter().map(|setting| (setting.key.clone(), setting.shown.clone())).collect()
}

#[test]
fn nothing_given_is_a_whole_configuration() {
    let config = world().load().unwrap();
    assert_eq!(config.issuer, "http://127.0.0.1:8080");
    assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.data_dir, PathBuf::from("./fujie-data"));
    assert_eq!(config.name, "Fujie");
    assert!(config.sign_in.password);
    assert_eq!(config.lifetime.refresh_idle, Lifetime::from_days(30));
    assert_eq!(config.log, Log { level: tracing::Level::INFO, format: LogFormat::Text });
    assert!(config.connections.is_empty());
}

#[test]
fn default_lifetimes_are_those_of_core() {
    let own = world().load().unwrap().lifetime;
    let policy = fujie_core::policy::Policy::default();
    assert_eq!(own.access_token, policy.access_token);
    assert_eq!(own.access_token_jwt, policy.access_token_jwt);
    assert_eq!(own.refresh_idle, policy.refresh_idle);
    assert_eq!(own.refresh_total, policy.refresh_total);
    assert_eq!(own.session, policy.session);
}

#[test]
fn each_layer_is_stronger_than_the_one_below() {
    let name = |world: World| world.load().unwrap().name;
    assert_eq!(name(world().toml("name = \"file\"")), "file");
    let both = || world().toml("name = \"file\"").variable("FUJIE__NAME", "variable");
    assert_eq!(name(both()), "variable");
    assert_eq!(name(both().flag("name", "flag")), "flag");
}

#[test]
fn a_stronger_layer_leaves_the_other_keys_alone() {
    let config = world().toml("name = \"file\"\n[log]\nlevel = \"debug\"\nformat = \"json\"");
    let config = config.variable("fujie__log__level", "trace").load().unwrap();
    assert_eq!((config.log.level, config.log.format), (tracing::Level::TRACE, LogFormat::Json));
    assert_eq!(config.name, "file");
}

#[test]
fn the_file_is_the_named_one_then_the_one_here_then_the_one_in_the_data_folder() {
    let all = || {
        let world = world().file("flag.toml", "name = \"flag\"").file("variable.toml", "name = \"variable\"");
        world.toml("name = \"here\"").file("fujie-data/fujie.toml", "name = \"data\"")
    };
    let name = |world: World| world.load().unwrap().name;
    assert_eq!(name(all().variable("FUJIE_CONFIG", "variable.toml").config("flag.toml")), "flag");
    assert_eq!(name(all().variable("FUJIE_CONFIG", "variable.toml")), "variable");
    assert_eq!(name(all().variable("FUJIE_CONFIG", "")), "here");
    let data = |folder: &str| world().file(&format!("{folder}/fujie.toml"), "name = \"data\"");
    assert_eq!(name(data("fujie-data")), "data");
    assert_eq!(name(data("a").flag("data_dir", "a").variable("FUJIE__DATA_DIR", "b")), "data");
    assert_eq!(name(data("a").variable("FUJIE__DATA_DIR", "a").variable("STATE_DIRECTORY", "b")), "data");
    assert_eq!(name(data("a").variable("STATE_DIRECTORY", "a:b")), "data");
    assert_eq!(name(data("elsewhere")), "Fujie");
}

#[test]
fn a_named_file_must_be_there() {
    world().config("missing.toml").refused(&["missing.toml: this configuration file cannot be read"]);
    world().variable("FUJIE_CONFIG", "missing.toml").refused(&["missing.toml: this configuration file cannot be read"]);
}

#[test]
fn the_service_manager_gives_a_data_folder_and_the_operator_a_better_one() {
    let config = world().variable("STATE_DIRECTORY", "/var/lib/fujie:/var/lib/other").load().unwrap();
    assert_eq!(config.data_dir, PathBuf::from("/var/lib/fujie"));
    let config = world().variable("STATE_DIRECTORY", "/var/lib/fujie").toml("data_dir = \"mine\"").load().unwrap();
    assert_eq!(config.data_dir, PathBuf::from("mine"));
}

#[test]
fn all_faults_are_told_at_once() {
    let text = "name = 5\nisuer = \"x\"\n[lifetime]\nsession = 1\naccess_token = \"600\"\n[lgo]\nlevel = \"info\"\n";
    let world = world().toml(text).variable("FUJIE__LOG__LEVLE", "info").variable("FUJIE__LOG__FORMAT", "xml");
    let said = world.flag("listen", "localhost:80").load().unwrap_err();
    let said: Vec<&str> = said.lines().collect();
    assert_eq!(said[0], "the configuration has 8 faults:");
    let find = |end: &str| assert!(said.iter().any(|line| line.ends_with(end)), "{end:?} is missing in {said:#?}");
    find("fujie.toml:1): is an integer here; write a string in quotes");
    find("fujie.toml:2): unknown key; did you mean `issuer`?");
    find("fujie.toml:4): 1 must be whole seconds from 3600 to 31536000");
    find("fujie.toml:5): is a string here; write an integer without quotes");
    find("fujie.toml:6): unknown section; did you mean `log`?");
    find("  log.levle (FUJIE__LOG__LEVLE): unknown key; did you mean `FUJIE__LOG__LEVEL`?");
    find("  log.format (FUJIE__LOG__FORMAT): \"xml\" must be text or json");
    find(
        "  listen (--listen): \"localhost:80\" is not an IP address and a port; write one such as 127.0.0.1:8080 or [::1]:8080",
    );
}

#[test]
fn unknown_names_are_refused_with_the_one_that_was_meant() {
    let check = |text: &str, end: &str| world().toml(text).refused(&[end]);
    check("lisetn = \"127.0.0.1:1\"", "lisetn (");
    check("lisetn = \"127.0.0.1:1\"", "did you mean `listen`?");
    check("[lifetimes]\nsession = 5", "unknown section; did you mean `lifetime`?");
    check("[log]\nissuer = \"x\"", "did you mean `issuer`, which stands above the first [section]?");
    check("level = \"info\"", "did you mean `log.level`?");
    check("[log]\ncolour = true", "unknown key; known here: level, format");
    check("log = \"info\"", "is a section and has no value of its own; set the keys in it");
    check("[name]\nx = 1", "is a section here; write a string in quotes");
    check("[connection.wechat_a]\n", "a connection's name is 1 to 32 of a-z, 0-9 and -");
    check("[connection.\"a.b\"]\n", "a connection's name is 1 to 32 of a-z, 0-9 and -");
    check("[[connection]]\n", "is a section and has no value of its own");
    wechat("client_secert = \"canary\"").refused(&["did you mean `connection.wechat.client_secret`?"]);
}

#[test]
fn unknown_variables_are_refused_and_those_of_others_are_not() {
    let check = |name: &str, said: &str| world().variable(name, "canary").refused(&[said]);
    check("FUJIE__DATADIR", "(FUJIE__DATADIR): unknown key; did you mean `FUJIE__DATA_DIR`?");
    check("FUJIE__CONECTION__WECHAT_A__CLIENT_ID", "did you mean `FUJIE__CONNECTION__WECHAT_A__CLIENT_ID`?");
    check("FUJIE__CONNECTION__WECHAT__CLIENT_SECERT", "did you mean `FUJIE__CONNECTION__WECHAT__CLIENT_SECRET`?");
    check("FUJIE__NAME_FILE", "unknown key; known here: issuer, ");
    check("FUJIE__LISTEN__PORT", "what stands above it is no section");
    check("FUJIE__", "unknown key");
    world().variable("FUJIE_X", "1").variable("fuj", "").variable("凡界__X", "").load().unwrap();
}

#[test]
fn a_key_is_not_given_twice_in_one_layer() {
    let world = world().variable("FUJIE__NAME", "a").variable("fujie__name", "b");
    world.refused(&["name (fujie__name): FUJIE__NAME sets it too; keep one of the two"]);
}

#[test]
fn a_file_that_is_not_toml_is_told_by_line_and_its_words_are_not_shown() {
    let check = |text: &str, line: &str| wechat(text).refused(&[line]);
    check("client_secret = canary", "fujie.toml:4: not TOML: ");
    check("label = \"canary", "fujie.toml:4: not TOML: ");
    check("client_id = \"canary\"", "fujie.toml:4: not TOML: duplicate key");
    world().file("fujie.toml", &"#".repeat(1 << 21)).refused(&["longer than 262144 bytes"]);
}

#[test]
fn a_connection_is_made_of_variables_alone() {
    let world = world().variable("FUJIE__CONNECTION__WECHAT_B__CLIENT_ID", "wx2");
    let config = world.variable("FUJIE__CONNECTION__WECHAT_B__CLIENT_SECRET", SECRET).load().unwrap();
    let [own] = config.connections.as_slice() else { panic!("one connection") };
    assert_eq!((own.id.as_str(), own.provider, own.client_id.as_str()), ("wechat-b", "wechat", "wx2"));
    assert_eq!(secret_of(own), SECRET);
    assert!(!own.is_simulated);
}

#[test]
fn connections_keep_the_order_of_the_file() {
    let section = |id: &str| format!("[connection.{id}]\nclient_id = \"wx1\"\nclient_secret = \"{SECRET}\"\n");
    let config = world().toml(&(section("wechat-z") + &section("wechat") + &section("wechat-a"))).load().unwrap();
    let ids: Vec<_> = config.connections.iter().map(|own| own.id.as_str()).collect();
    assert_eq!(ids, ["wechat-z", "wechat", "wechat-a"]);
}

#[test]
fn an_empty_connection_says_what_it_needs() {
    world().toml("[connection.wechat]").refused(&[
        "connection.wechat.client_id (not set): is required;",
        "set it in the file or as FUJIE__CONNECTION__WECHAT__CLIENT_SECRET",
    ]);
    world().toml("[connection.corp]\nclient_id = \"1\"\nclient_secret = \"2\"").refused(&[
        "connection.corp.provider (default, from the connection's name): \"corp\" is no provider; say which with `provider`; known here: wechat, ",
    ]);
    wechat("provider = \"weechat\"").refused(&["did you mean `wechat`?"]);
}

#[test]
fn a_secret_comes_from_a_file_without_the_newline_at_its_end() {
    let secret = |content: &str| {
        let world = world().file("secret", content).variable("FUJIE__CONNECTION__WECHAT__CLIENT_ID", "wx1");
        world.variable("FUJIE__CONNECTION__WECHAT__CLIENT_SECRET_FILE", "secret").load()
    };
    for content in ["canary", "canary\n", "canary\r\n"] {
        assert_eq!(secret_of(&secret(content).unwrap().connections[0]), "canary", "{content:?}");
    }
    for content in ["", "\n", "canary\n\n", "canary canary"] {
        let said = secret(content).unwrap_err();
        assert!(said.contains("(FUJIE__CONNECTION__WECHAT__CLIENT_SECRET_FILE, secret): the value must be"), "{said}");
    }
    assert!(secret(&"x".repeat(100_000)).unwrap_err().contains("longer than 65536 bytes"));
}

#[test]
fn a_secrets_file_must_be_there_and_is_stronger_than_the_configuration_file() {
    let world = wechat("").file("secret", "other");
    let config = world.variable("FUJIE__CONNECTION__WECHAT__CLIENT_SECRET_FILE", "secret").load().unwrap();
    assert_eq!(secret_of(&config.connections[0]), "other");
    wechat("")
        .variable("FUJIE__CONNECTION__WECHAT__CLIENT_SECRET_FILE", "missing")
        .refused(&["missing): the file that FUJIE__CONNECTION__WECHAT__CLIENT_SECRET_FILE names cannot be read"]);
}

#[test]
fn a_secret_and_its_file_are_not_given_both() {
    wechat("")
        .file("secret", "canary")
        .variable("FUJIE__CONNECTION__WECHAT__CLIENT_SECRET_FILE", "secret")
        .variable("FUJIE__CONNECTION__WECHAT__CLIENT_SECRET", "canary")
        .refused(&["FUJIE__CONNECTION__WECHAT__CLIENT_SECRET sets it too; keep one of the two"]);
}

#[test]
fn a_secret_is_never_shown() {
    let config = wechat("").load().unwrap();
    assert!(!config.show().contains("canary") && !format!("{config:?}").contains("canary"));
    assert!(config.show().contains("connection.wechat.client_secret = [redacted]"));
    let check =
        |text: &str| drop(world().toml(&format!("[connection.wechat]\nclient_id = \"a\"\n{text}")).load().unwrap_err());
    check("client_secret = \"canary canary\"");
    check("client_secret = [\"canary\"]");
    check("client_secrets = \"canary\"");
    check("client_secret = { value = \"canary\" }");
    check("client_secret = \"simulated\"\nat = \"https://canary:canary@example.com\"");
}

#[test]
fn lifetimes_have_ranges() {
    let check = |key: &str, min: u32, max: u32| {
        let load = |seconds: u32| {
            let idle = seconds.min(2_592_000);
            let mut world = world().flag(&format!("lifetime.{key}"), &seconds.to_string());
            if key == "refresh_total" {
                world = world.flag("lifetime.refresh_idle", &idle.max(3600).to_string());
            }
            world.load()
        };
        assert!(load(min).is_ok() && load(max).is_ok(), "{key}");
        for outside in [min - 1, max + 1] {
            let said = load(outside).unwrap_err();
            assert!(said.contains(&format!("{outside} must be whole seconds from {min} to {max}")), "{said}");
        }
    };
    check("access_token", 60, 86_400);
    check("access_token_jwt", 60, 86_400);
    check("refresh_idle", 3600, 31_536_000);
    check("refresh_total", 3600, 31_536_000);
    check("session", 3600, 31_536_000);
    for text in ["-1", "1e3", "600.0", "", "9999999999999999999999"] {
        assert!(world().variable("FUJIE__LIFETIME__SESSION", text).load().is_err(), "{text:?}");
    }
    assert!(world().toml("lifetime.session = 99999999999999999999").load().is_err());
    assert_eq!(world().toml("lifetime.session = 7_200").load().unwrap().lifetime.session, Lifetime::from_seconds(7200));
}

#[test]
fn a_token_at_rest_does_not_outlive_its_grant() {
    world().toml("[lifetime]\nrefresh_total = 86400").refused(&["lifetime.refresh_total ("]);
    world()
        .toml("[lifetime]\nrefresh_total = 86400\nrefresh_idle = 86401")
        .refused(&["refresh_idle (86401) must not be more than refresh_total (86400)"]);
    world().toml("[lifetime]\nrefresh_total = 86400\nrefresh_idle = 86400").load().unwrap();
}

#[test]
fn an_issuer_is_scheme_host_and_port_and_nothing_else() {
    for good in ["https://id.example.com", "https://id.example.com:8443", "http://localhost:8080", "http://[::1]:1"] {
        assert_eq!(world().flag("issuer", good).load().unwrap().issuer, good);
    }
    let check = |bad: &str, said: &str| world().flag("issuer", bad).refused(&[said]);
    check("id.example.com", "\"id.example.com\" is not a URL");
    check("ftp://id.example.com", "must begin with https://");
    check("https://id.example.com/", "must not end with a slash; write https://id.example.com");
    check("https://id.example.com/auth", "must not have a path; write https://id.example.com");
    check("https://id.example.com?a", "must not have a query or fragment");
    check("https://id.example.com#", "must not have a query or fragment");
    check("https://canary@id.example.com", "the value must not hold a user name or password");
    check("https://canary:canary@", "the value is not a URL");
    check("https://ID.example.com:443", "is not spelled as clients compare it; write https://id.example.com");
    check(" https://id.example.com", "is not spelled as clients compare it");
    check("http://id.example.com", "must be https, because tokens and passwords travel there");
    check("http://localhost.example.com", "must be https, because");
    check("http://0.0.0.0:8080", "must be https, because");
}

#[test]
fn an_http_issuer_beyond_loopback_is_switched_on_by_name() {
    let world = world().flag("issuer", "http://id.lan").toml("insecure_http_issuer = true\nlisten = \"0.0.0.0:80\"");
    let config = world.load().unwrap();
    assert_eq!(config.issuer, "http://id.lan");
    assert!(config.show().contains("insecure_http_issuer = true"));
}

#[test]
fn a_server_that_others_reach_needs_an_issuer_of_its_own() {
    let open = || world().flag("listen", "0.0.0.0:8080");
    open().refused(&["issuer (not set): must be given when listen is not a loopback address"]);
    open().flag("insecure_http_issuer", "true").refused(&["issuer (not set): must be given"]);
    open().flag("issuer", "http://127.0.0.1:8080").refused(&["listen (--listen): others can reach this address"]);
    open().flag("issuer", "https://id.example.com").load().unwrap();
    open().flag("issuer", "http://127.0.0.1:8080").flag("insecure_http_issuer", "true").load().unwrap();
}

#[test]
fn an_issuer_that_was_not_given_follows_listen() {
    let issuer = |listen: &str| world().flag("listen", listen).load().unwrap().issuer;
    assert_eq!(issuer("127.0.0.1:9"), "http://127.0.0.1:9");
    assert_eq!(issuer("127.0.0.1:80"), "http://127.0.0.1");
    assert_eq!(issuer("[::1]:9"), "http://[::1]:9");
    let mut config = world().flag("listen", "127.0.0.1:0").load().unwrap();
    config.listening_on("127.0.0.1:4321".parse().unwrap());
    assert_eq!(config.issuer, "http://127.0.0.1:4321");
    let mut config = world().flag("listen", "127.0.0.1:0").flag("issuer", "https://id.example.com").load().unwrap();
    config.listening_on("127.0.0.1:4321".parse().unwrap());
    assert_eq!((config.issuer.as_str(), config.listen.port()), ("https://id.example.com", 4321));
}

#[test]
fn the_simulator_is_asked_for_in_both_lines_and_only_on_loopback() {
    let simulated = |id: &str, secret: &str, more: &str| {
        world().toml(&format!("{more}\n[connection.wechat]\nclient_id = \"{id}\"\nclient_secret = \"{secret}\""))
    };
    let config = simulated("simulated", "simulated", "").load().unwrap();
    assert!(config.connections[0].is_simulated);
    let both = "client_id and client_secret must both be \"simulated\" or neither; change both lines";
    simulated("simulated", SECRET, "").refused(&[both]);
    simulated("wx1", "simulated", "").refused(&[both]);
    let public = "issuer = \"https://id.example.com\"";
    simulated("simulated", "simulated", public).refused(&["the simulator lets everybody in as anybody"]);
    simulated("wx1", SECRET, public).load().unwrap();
    let elsewhere = simulated("simulated", "simulated", "");
    elsewhere
        .variable("FUJIE__CONNECTION__WECHAT__AT", "http://127.0.0.1:1")
        .refused(&["connection.wechat.at (FUJIE__CONNECTION__WECHAT__AT): does not go with \"simulated\""]);
}

#[test]
fn a_providers_endpoints_move_only_where_the_secret_is_safe() {
    let at = |base: &str| wechat(&format!("at = '{base}'")).load();
    let good = |base: &str| at(base).unwrap().connections[0].at.clone().unwrap();
    assert_eq!(good("http://127.0.0.1:9000/"), "http://127.0.0.1:9000");
    assert_eq!(good("https://gateway.example.com/wechat"), "https://gateway.example.com/wechat");
    for bad in
        ["http://example.com", "127.0.0.1:9", "https://a@b.example", "https://a.example/?b", "https://a.example/\\"]
    {
        assert!(at(bad).is_err(), "{bad}");
    }
}

#[test]
fn a_simulator_shares_no_group_with_the_provider() {
    let second = |at: &str| {
        let second = format!("[connection.wechat-b]\nclient_id = \"wx2\"\nclient_secret = \"{SECRET}\"\n{at}\n");
        wechat(&format!("group = \"main\"\n{second}group = \"main\""))
    };
    second("").load().unwrap();
    second("at = \"http://127.0.0.1:9000\"").refused(&["is also the group of connection wechat, which is at another"]);
}

#[test]
fn what_is_shown_says_where_it_came_from() {
    let world = wechat("label = \"微信\"").variable("FUJIE__LIFETIME__SESSION", "7200").flag("listen", "127.0.0.1:9");
    let root = world.dir.path().display().to_string();
    let text = Config::load_below(world.dir.path(), world.sources).unwrap().show().replace(&root, "");
    let lines: Vec<String> = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    for line in [
        "issuer = \"http://127.0.0.1:9\" # default, from listen",
        "listen = \"127.0.0.1:9\" # --listen",
        "name = \"Fujie\" # default",
        "lifetime.session = 7200 # FUJIE__LIFETIME__SESSION",
        "connection.wechat.provider = \"wechat\" # default, from the connection's name",
        "connection.wechat.client_id = \"wx1\" # fujie.toml:2",
        "connection.wechat.client_secret = [redacted] # fujie.toml:3",
        "connection.wechat.label = \"微信\" # fujie.toml:4",
        "# connection.wechat.at is not set",
    ] {
        assert!(lines.iter().any(|shown| shown == line), "{line:?} is missing in\n{text}");
    }
}

#[test]
fn every_key_is_shown_in_the_order_of_the_schema() {
    let config = wechat("").load().unwrap();
    let keys: Vec<String> = config.settings.iter().map(|setting| setting.key.replace(".wechat.", ".*.")).collect();
    // What does not go with this provider is not shown.
    let expected: Vec<&str> =
        schema::KEYS.iter().map(|key| key.path).filter(|key| keys.iter().any(|k| k == key)).collect();
    assert_eq!(keys, expected);
    let own = |key: &&&str| !key.starts_with("connection.");
    assert_eq!(
        expected.iter().filter(own).count(),
        schema::KEYS.iter().filter(|key| !key.path.starts_with("connection.")).count()
    );
}
