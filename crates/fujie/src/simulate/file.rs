//! The file of `fujie simulate`: how it is read, and what is refused.
//!
//! Every key is known or refused, with its line. Not here: the keys, which are the table of providers and their own
//! configurations; and anything of the server's configuration.

use std::{collections::HashSet, io::Read as _, path::Path};

use anyhow::{Context as _, Result, bail};

use super::File;

/// A file with a thousand apps is smaller.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

impl File {
    /// Reads a file; an error names the file, and line and key where there are such.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let opened = std::fs::File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
        let mut text = String::new();
        let read = opened.take(FILE_BYTES_MAX + 1).read_to_string(&mut text);
        let bytes = read.with_context(|| format!("cannot read {}", path.display()))?;
        if u64::try_from(bytes)? > FILE_BYTES_MAX {
            bail!("{} is larger than {FILE_BYTES_MAX} bytes", path.display());
        }
        let read = || -> Result<Self> {
            let file: Self = toml::from_str(&text)?;
            file.check_people()?;
            file.check_person()?;
            Ok(file)
        };
        read().with_context(|| format!("{} cannot be used", path.display()))
    }

    /// Says who is there twice, and that somebody must be.
    fn check_people(&self) -> Result<()> {
        let mut names = HashSet::new();
        if self.people.is_empty() {
            bail!("people is empty; leave it out, or name somebody");
        }
        match self.people.iter().find(|person| !names.insert(&person.name)) {
            Some(person) => bail!("two people are called {}", person.name),
            None => Ok(()),
        }
    }

    /// Says that whoever agrees to every sign-in is not there.
    pub(super) fn check_person(&self) -> Result<()> {
        match &self.auto_confirm {
            Some(name) if !self.people.iter().any(|person| person.name == *name) => {
                let known: Vec<_> = self.people.iter().map(|person| person.name.as_str()).collect();
                bail!("nobody is called {name}; there are {}", known.join(", "))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("simulate.toml");
        std::fs::write(&path, text).unwrap();
        let said = format!("{:#}", File::read(&path).unwrap_err());
        let (before, what) = said.split_once("simulate.toml cannot be used: ").unwrap();
        assert!(before.ends_with('/'), "{said}");
        what.to_owned()
    }

    #[test]
    fn a_file_names_people_apps_and_switches() {
        let file: File = toml::from_str(
            r#"
            auto_confirm = "wang"

            [[people]]
            name = "wang"
            nickname = "老王"
            email = "wang@example.com"
            avatar = { url = "https://example.com/wang.png" }

            [wechat]
            code_lifetime_seconds = 5

            [wechat.switches]
            unionid = false

            [[wechat.apps]]
            appid = "wxaaaaaaaaaaaaaaaa"
            secret = "s2"
            name = "第二个网站"
            callback_domain = "*loopback*"
            "#,
        )
        .unwrap();
        assert_eq!(file.people.len(), 1, "the people named are all there are");
        assert_eq!(file.wechat.apps.first().unwrap().appid, "wxaaaaaaaaaaaaaaaa");
        assert!(!file.wechat.switches.unionid && file.wechat.switches.form_body, "what is not named is as always");
        assert_eq!(file.wechat.code_lifetime.as_secs(), 5);
    }

    #[test]
    fn a_file_names_callbacks_and_repositories() {
        let file: File = toml::from_str(
            r#"
            [[github.apps]]
            client_id = "Ov23bbbbbbbbbbbbbbbb"
            client_secret = "s3"
            name = "机器人"
            callbacks = [{ url = "https://example.com/back", wildcard = false }]

            [[github.repositories]]
            owner = "zoe"
            name = "garden"
            private = true
            "#,
        )
        .unwrap();
        let app = file.github.apps.first().unwrap();
        assert!(!app.callbacks.first().unwrap().wildcard && !app.device_flow);
        assert!(file.github.repositories.first().unwrap().private);
    }

    #[test]
    fn every_provider_has_a_section_of_its_own() {
        let file: File = toml::from_str(
            r#"
            [gitee.switches]
            email_public = true

            [[discord.apps]]
            client_id = "1"
            redirect_uris = ["http://127.0.0.1:5000/"]

            [[oidc.apps]]
            client_id = "shop"
            redirect_uris = ["http://127.0.0.1:5000/"]

            [google.switches]
            id_token_fault = "wrong_nonce"
            "#,
        )
        .unwrap();
        assert!(file.gitee.switches.email_public && !file.baidu.switches.email_public);
        assert_eq!(file.discord.apps.first().unwrap().client_id, "1");
        assert_eq!(file.oidc.apps.first().unwrap().client_secret, None, "a public client");
        assert!(file.google.switches.id_token_fault.is_some() && file.oidc.switches.id_token_fault.is_none());
    }

    #[test]
    fn an_empty_file_is_as_none() {
        let file: File = toml::from_str("").unwrap();
        assert_eq!(file.people.first().unwrap().name, "xiaoming");
        assert_eq!(file.wechat.apps.len(), fujie_simulator::wechat::WechatConfig::default().apps.len());
    }

    #[test]
    fn a_mistake_is_told_with_its_line_and_its_key() {
        let cases = [
            ("people = []\n\n[wechat.switches]\nunionId = true\n", "line 4", "unionId"),
            ("[wechta]\n", "line 1", "wechta"),
            ("[wechat]\ncode_lifetime = 5\n", "line 2", "code_lifetime"),
            ("[[people]]\nname = \"wang\"\n", "line 1", "nickname"),
            ("[[wechat.apps]]\nappid = 5\n", "line 2", "appid = 5"),
            ("[gitee]\nkind = \"baidu\"\n", "line 2", "kind"),
            ("[google]\nhouse = \"apple\"\n", "line 2", "house"),
            ("[[people]\n", "line 1", "[[people]"),
            ("[[people]]\nname = \"wang\"\nnickname = \"W\"\nsex = 9\n", "line 4", "sex is 1"),
            ("[qq]\nbase_url = \"not a url\"\n", "line 2", "base_url is no URL"),
            ("[oidc]\nbase_url = \"http://x/path\"\n", "line 2", "base_url has more than"),
            ("[gitee]\nbase_url = \"ftp://x\"\n", "line 2", "base_url is neither http nor https"),
        ];
        for (text, line, key) in cases {
            let said = refusal(text);
            assert!(said.contains(line) && said.contains(key), "{text}\n{said}");
        }
    }

    #[test]
    fn people_are_there_once_and_whoever_agrees_is_there() {
        let wang = "[[people]]\nname = \"wang\"\nnickname = \"W\"\n";
        assert_eq!(refusal(&format!("{wang}{wang}")), "two people are called wang");
        let said = refusal("auto_confirm = \"wang\"\n");
        assert_eq!(said, "nobody is called wang; there are xiaoming, lihua, zoe");
        assert_eq!(refusal("people = []\n"), "people is empty; leave it out, or name somebody");
    }
}
