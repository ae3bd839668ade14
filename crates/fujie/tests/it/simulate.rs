//! `fujie simulate` as a process, as a test program in any language starts it.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    process::{Child, ChildStdout, Command, Output, Stdio},
    time::{Duration, Instant},
};

/// A running `fujie simulate`.
struct Simulation {
    child: Child,
    out: BufReader<ChildStdout>,
}

impl Simulation {
    fn start(arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fujie"));
        command.arg("simulate").args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        Self { child, out }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.out.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// Stops it as Ctrl-C would; what it said to people.
    fn stop(mut self) -> String {
        assert!(Command::new("kill").args(["-INT", &self.child.id().to_string()]).status().unwrap().success());
        let mut said = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert!(self.child.wait().unwrap().success(), "{said}");
        said
    }
}

impl Drop for Simulation {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The whole answer to a GET.
fn get(base: &str, path: &str) -> String {
    let host = base.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn refused(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_fujie")).arg("simulate").args(arguments).output().unwrap()
}

const AUTHORIZE: &str = "/connect/qrconnect?appid=wx0123456789abcdef&redirect_uri=http%3A%2F%2F127.0.0.1%3A5000%2F\
                         &response_type=code&scope=snsapi_login&state=s1";

#[test]
fn it_answers_soon_after_its_start_and_ends_when_told() {
    let started = Instant::now();
    let mut simulation = Simulation::start(&["wechat"]);
    let base = simulation.line();
    assert!(base.starts_with("http://127.0.0.1:"), "{base}");
    assert!(get(&base, "/sns/auth").starts_with("HTTP/1.1 200 OK\r\n"));
    // A tenth of a second is the aim; a slow machine under load gets a hundred times as much.
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    let said = simulation.stop();
    for expected in [
        format!("WeChat, in place of open.weixin.qq.com and api.weixin.qq.com: {base}\n"),
        format!("  phone            {base}/phone\n"),
        "  appid            wx0123456789abcdef\n".to_owned(),
        format!("  token            {base}/sns/oauth2/access_token\n"),
        "  Authlib          authorize_url, access_token_url".to_owned(),
        format!("  fujie-client     WECHAT_AT={base} for Client::from_env(\"wechat\")\n"),
        format!("  fujie serve      at = \"{base}\" in [connection.wechat]\n"),
    ] {
        assert!(said.contains(&expected), "{expected}\n{said}");
    }
    assert!(!said.contains("listens at"), "it is called as it listens: {said}");
}

#[test]
fn a_program_reads_all_it_needs_as_json_and_signs_in_without_a_browser() {
    let mut simulation = Simulation::start(&["wechat", "--output", "json", "--person", "lihua"]);
    let told: serde_json::Value = serde_json::from_str(&simulation.line()).unwrap();
    let base = told["base_url"].as_str().unwrap();
    assert_eq!((told["provider"].as_str(), told["client_id"].as_str()), (Some("wechat"), Some("wx0123456789abcdef")));
    assert_eq!(told["client_secret"].as_str().unwrap().len(), 32);
    assert_eq!(told["endpoints"]["authorize"], format!("{base}/connect/qrconnect"));
    assert_eq!(told["phone_url"], format!("{base}/phone"));
    let answer = get(base, AUTHORIZE);
    assert!(answer.starts_with("HTTP/1.1 302 Found\r\n"), "{answer}");
    assert!(answer.contains("\r\nlocation: http://127.0.0.1:5000/?code=") && answer.contains("&state=s1\r\n"));
    assert!(simulation.stop().contains("lihua agrees to every sign-in at once"));
}

#[test]
fn robots_and_a_push_service_are_told_as_a_group_and_a_browser_tell_them() {
    let mut simulation = Simulation::start(&["robot", "push", "--output", "json"]);
    let [robot, push] = [simulation.line(), simulation.line()]
        .map(|line| -> serde_json::Value { serde_json::from_str(&line).unwrap() });
    let base = robot["base_url"].as_str().unwrap();
    let hook = robot["endpoints"]["dingtalk"].as_str().unwrap();
    let token = robot["client_id"].as_str().unwrap();
    assert_eq!(hook, format!("{base}/robot/send?access_token={token}"));
    assert!(robot["client_secret"].as_str().unwrap().starts_with("SEC"));
    assert!(get(base, "/phone").contains("群聊") && get(base, "/_simulate/messages").ends_with("[]"));
    let base = push["base_url"].as_str().unwrap();
    assert_eq!(push["endpoints"]["push"], format!("{base}/push/demo"));
    assert_eq!((push["client_id"].as_str(), push["client_secret"].as_str()), (Some("demo"), None));
    let said = simulation.stop();
    for expected in
        ["fujie serve      robot_at = \"http://127.0.0.1:", "fujie serve      push_at = \"http://127.0.0.1:"]
    {
        assert!(said.contains(expected), "{expected}\n{said}");
    }
    assert!(!said.contains("fujie-client") && !said.contains("public client"), "{said}");
}

#[test]
fn a_stop_is_heard_from_the_moment_the_address_is_told() {
    for _ in 0..20 {
        let mut simulation = Simulation::start(&["weibo"]);
        simulation.line();
        simulation.stop();
    }
}

#[test]
fn each_provider_has_a_port_of_its_own_in_the_order_they_are_named() {
    let mut simulation = Simulation::start(&["wechat", "wechat"]);
    let (one, two) = (simulation.line(), simulation.line());
    assert_ne!(one, two);
    assert!(get(&one, "/phone").contains("200 OK") && get(&two, "/phone").contains("200 OK"));
    // A port that is taken is named.
    let (_, port) = one.rsplit_once(':').unwrap();
    let refused = refused(&["wechat", "--port", port]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        !refused.status.success() && said.contains(&format!("cannot simulate WeChat on 127.0.0.1:{port}")),
        "{said}"
    );
}

#[test]
fn many_small_providers_run_side_by_side_each_with_an_app_and_its_own_page() {
    let names = [
        ("oidc", "fujie-demo"),
        ("gitee", "fa4efa4efa4efa4efa4efa4efa4efa4efa4efa4efa4efa4efa4efa4efa4efa4e"),
        ("dingtalk", "dingfa4efa4efa4efa4e"),
        ("feishu", "cli_fa4efa4efa4efa4e"),
        ("wecom", "wwfa4efa4efa4efa4e"),
        ("douyin", "awfa4efa4efa4efa"),
        ("baidu", "fa4efa4efa4efa4efa4efa4e"),
        ("discord", "1000000000000000001"),
        ("alipay", "2021000000000001"),
        ("apple", "fujie-demo"),
        ("google", "fujie-demo"),
        ("microsoft", "fujie-demo"),
        ("gitlab", "fujie-demo"),
    ];
    let words: Vec<_> = names.iter().map(|(name, _)| *name).chain(["--output", "json"]).collect();
    let mut simulation = Simulation::start(&words);
    for (name, client_id) in names {
        let told: serde_json::Value = serde_json::from_str(&simulation.line()).unwrap();
        assert_eq!((told["provider"].as_str(), told["client_id"].as_str()), (Some(name), Some(client_id)));
        // Who signs has no secret to send.
        assert_eq!(told["client_secret"].is_null(), ["alipay", "apple"].contains(&name), "{told}");
        let base = told["base_url"].as_str().unwrap();
        assert!(get(base, "/phone").contains("200 OK"), "{name}");
        let page = match &told["endpoints"]["authorize"] {
            serde_json::Value::String(address) => address.strip_prefix(base).unwrap().to_owned(),
            _ => panic!("{told}"),
        };
        assert!(!get(base, &page).contains("404 Not Found"), "{name} {page}");
        assert!(get(base, "/_simulate").contains(&format!("\"provider\":\"{name}\"")), "{name}");
    }
}

#[test]
fn a_file_brings_people_apps_and_switches() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("simulate.toml");
    let file = path.to_str().unwrap();
    let text = "[[people]]\nname = \"wang\"\nnickname = \"老王\"\n\n[[wechat.apps]]\nappid = \"wxaaaaaaaaaaaaaaaa\"\n\
                secret = \"s2\"\nname = \"Shop\"\ncallback_domain = \"shop.example\"\n\n[wechat.switches]\nunionid = false\n";
    std::fs::write(&path, text).unwrap();
    let mut simulation = Simulation::start(&["wechat", "--file", file]);
    let index = get(&simulation.line(), "/_simulate");
    for expected in ["\"nickname\":\"老王\"", "\"appid\":\"wxaaaaaaaaaaaaaaaa\"", "\"unionid\":false"] {
        assert!(index.contains(expected), "{expected}\n{index}");
    }
    assert!(!index.contains("xiaoming"));
    std::fs::write(&path, text.replace("unionid = false", "unionids = false")).unwrap();
    let said = String::from_utf8_lossy(&refused(&["wechat", "--file", file]).stderr).into_owned();
    assert!(said.contains("line 12") && said.contains("unionids"), "{said}");
    let said = String::from_utf8_lossy(&refused(&["wechat", "--person", "wang"]).stderr).into_owned();
    assert_eq!(said, "fujie: nobody is called wang; there are xiaoming, lihua, zoe\n");
}

#[test]
fn a_simulator_that_is_called_otherwise_tells_where_it_listens() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("simulate.toml");
    let file = path.to_str().unwrap();
    std::fs::write(&path, "[wechat]\nbase_url = \"http://simulator:9300/\"\n").unwrap();
    let mut simulation = Simulation::start(&["wechat", "--file", file, "--output", "json"]);
    let told: serde_json::Value = serde_json::from_str(&simulation.line()).unwrap();
    assert_eq!(told["base_url"], "http://simulator:9300", "without the slash");
    let listener = told["listener_url"].as_str().unwrap();
    assert!(get(listener, "/phone").starts_with("HTTP/1.1 200 OK\r\n"));
    let said = simulation.stop();
    assert!(said.contains(&format!("  listens at       {listener}\n")), "{said}");
}

#[test]
fn a_fault_of_the_file_is_told_as_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("simulate.toml");
    let app = "[[qq.apps]]\nclient_id = \"1\"\nsecret = \"s\"\nname = \"Shop\"\ncallback = \"http://127.0.0.1/\"\n";
    for (text, expected) in [
        (format!("{app}{app}"), "QQ: every app needs an id of its own"),
        ("auto_confirm = \"wang\"\n".to_owned(), "nobody is called wang; there are xiaoming, lihua, zoe"),
    ] {
        std::fs::write(&path, text).unwrap();
        let said = String::from_utf8_lossy(&refused(&["qq", "--file", path.to_str().unwrap()]).stderr).into_owned();
        assert_eq!(said, format!("fujie: {} cannot be used: {expected}\n", path.display()));
    }
}

#[test]
fn what_our_own_server_is_told_is_a_configuration() {
    let mut simulation = Simulation::start(&[ALL.as_slice(), &["--output", "json"]].concat());
    let mut config = "issuer = \"http://127.0.0.1:8080\"\n".to_owned();
    let mut proofs = Vec::new();
    for _ in ALL {
        let told: serde_json::Value = serde_json::from_str(&simulation.line()).unwrap();
        let index = get(told["base_url"].as_str().unwrap(), "/_simulate");
        let index: serde_json::Value = serde_json::from_str(index.split_once("\r\n\r\n").unwrap().1).unwrap();
        let more = match told["provider"].as_str().unwrap() {
            "apple" => "key_id = \"K\"\nteam_id = \"T\"\n",
            "wecom" => "agent_id = \"1000002\"\n",
            _ => "",
        };
        let proof = match &told["client_secret"] {
            serde_json::Value::Null => format!("private_key = {}\n", index["apps"][0]["private_key"]),
            secret => format!("client_secret = {secret}\n"),
        };
        proofs.push(format!("client_id = {}\n{proof}{more}", told["client_id"]));
    }
    let said = simulation.stop();
    let ours: Vec<_> = said.lines().filter_map(|line| line.strip_prefix("  fujie serve ")).collect();
    assert_eq!(ours.len(), ALL.len(), "{said}");
    for (line, proof) in ours.into_iter().zip(proofs) {
        let (settings, section) = line.trim().split_once(" in ").unwrap();
        config.push_str(&format!("{section}\n{}\n{proof}", settings.replace(", ", "\n")));
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fujie.toml");
    std::fs::write(&path, &config).unwrap();
    let check = Command::new(env!("CARGO_BIN_EXE_fujie")).arg("--config").arg(&path).args(["config", "check"]).output();
    let check = check.unwrap();
    assert!(check.status.success(), "{}\n{config}", String::from_utf8_lossy(&check.stderr));
}

const ALL: [&str; 17] = [
    "wechat",
    "qq",
    "weibo",
    "github",
    "oidc",
    "gitee",
    "dingtalk",
    "feishu",
    "wecom",
    "douyin",
    "baidu",
    "discord",
    "alipay",
    "apple",
    "google",
    "microsoft",
    "gitlab",
];
