//! The body of `/user/get_user_info`, as the real server writes it: by hand.
//!
//! Pretty-printed, a space after every colon but that of `is_lost`; the older `figureurl` addresses have escaped
//! slashes and the newer `figureurl_qq` ones have not. XML has the same fields (its root is a choice).

use super::config::{LargeAvatar, Switches};
use super::identity;
use crate::page::escape;
use crate::people::{Avatar, Person};

/// What somebody's profile is made of.
pub(crate) struct Profile<'a> {
    pub(crate) person: &'a Person,
    pub(crate) client_id: &'a str,
    pub(crate) base_url: &'a str,
}

enum Value {
    Number(i32),
    Text(String),
    /// Text whose slashes are escaped.
    Escaped(String),
}

impl Profile<'_> {
    pub(crate) fn json(&self, switches: &Switches) -> Result<String, serde_json::Error> {
        let mut lines = Vec::new();
        for (name, value) in self.fields(switches) {
            let space = if name == "is_lost" { "" } else { " " };
            let value = match value {
                Value::Number(number) => number.to_string(),
                Value::Text(text) => serde_json::to_string(&text)?,
                Value::Escaped(text) => serde_json::to_string(&text)?.replace('/', "\\/"),
            };
            lines.push(format!("    \"{name}\":{space}{value}"));
        }
        Ok(format!("{{\n{}\n}}\n", lines.join(",\n")))
    }

    pub(crate) fn xml(&self, switches: &Switches) -> String {
        let lines = self.fields(switches).into_iter().map(|(name, value)| match value {
            Value::Number(number) => format!("<{name}>{number}</{name}>\n"),
            Value::Text(text) | Value::Escaped(text) => format!("<{name}>{}</{name}>\n", escape(&text)),
        });
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<data>\n{}</data>\n", lines.collect::<String>())
    }

    fn fields(&self, switches: &Switches) -> Vec<(&'static str, Value)> {
        let text = |value: &str| Value::Text(value.to_owned());
        let mut fields = vec![
            ("ret", Value::Number(0)),
            ("msg", text("")),
            ("is_lost", Value::Number(0)),
            ("nickname", text(&self.person.nickname)),
        ];
        let is_woman = switches.full_profile && self.person.sex == 2;
        fields.push(("gender", text(if is_woman { "女" } else { "男" })));
        fields.push(("gender_type", Value::Number(if switches.full_profile && !is_woman { 1 } else { 2 })));
        for (name, value) in [("province", "广东"), ("city", "深圳"), ("year", "1990"), ("constellation", "天秤座")]
        {
            fields.push((name, text(if switches.full_profile { value } else { "" })));
        }
        for (name, pixels) in [("figureurl", 30), ("figureurl_1", 50), ("figureurl_2", 100)] {
            fields.push((name, Value::Escaped(self.qzone_picture(pixels))));
        }
        fields.push(("figureurl_qq_1", Value::Text(self.qq_picture(40))));
        match switches.figureurl_qq_2 {
            LargeAvatar::Present => fields.push(("figureurl_qq_2", Value::Text(self.qq_picture(100)))),
            LargeAvatar::Small => fields.push(("figureurl_qq_2", Value::Text(self.qq_picture(40)))),
            LargeAvatar::Empty => fields.push(("figureurl_qq_2", text(""))),
            LargeAvatar::Absent => (),
        }
        fields.push(("figureurl_qq", Value::Text(self.qq_picture(640))));
        fields.push(("figureurl_type", text("1")));
        for name in ["is_yellow_vip", "vip", "yellow_vip_level", "level", "is_yellow_year_vip"] {
            fields.push((name, text("0")));
        }
        fields
    }

    /// The real host is `qzapp.qlogo.cn`.
    fn qzone_picture(&self, pixels: u16) -> String {
        let openid = identity::openid(self.client_id, &self.person.name);
        self.picture(|base| format!("{base}/qzapp/{}/{openid}/{pixels}", self.client_id))
    }

    /// The real host is `thirdqq.qlogo.cn`.
    fn qq_picture(&self, pixels: u16) -> String {
        let key = self.person.avatar_key();
        self.picture(|base| format!("{base}/g?b=oidb&k={key}&s={pixels}"))
    }

    fn picture(&self, drawn: impl FnOnce(&str) -> String) -> String {
        match &self.person.avatar {
            Avatar::Drawn => drawn(self.base_url),
            Avatar::None => String::new(),
            Avatar::Url(url) => url.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Profile;
    use crate::people::Person;
    use crate::qq::config::{LargeAvatar, Switches};

    fn json(switches: &Switches) -> String {
        let person = Person::named("lihua", "李\"华/", 2);
        Profile { person: &person, client_id: "101000001", base_url: "http://q" }.json(switches).unwrap()
    }

    #[test]
    fn the_spaces_and_escapes_are_those_of_the_real_server() {
        let body = json(&Switches::default());
        assert!(body.starts_with(
            "{\n    \"ret\": 0,\n    \"msg\": \"\",\n    \"is_lost\":0,\n    \"nickname\": \"李\\\"华/\",\n"
        ));
        assert!(body.contains("\"figureurl_1\": \"http:\\/\\/q\\/qzapp\\/101000001\\/"));
        assert!(body.contains("\"figureurl_qq\": \"http://q/g?b=oidb&k="));
        assert!(body.ends_with("\"is_yellow_year_vip\": \"0\"\n}\n"));
        let parsed: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!(parsed["gender_type"], 2);
        assert_eq!((parsed["gender"].as_str(), parsed["year"].as_str()), (Some("男"), Some("")));
    }

    #[test]
    fn a_full_profile_tells_what_it_told_years_ago() {
        let body = json(&Switches { full_profile: true, ..Switches::default() });
        let parsed: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!((parsed["gender"].as_str(), parsed["year"].as_str()), (Some("女"), Some("1990")));
    }

    #[test]
    fn the_large_avatar_may_be_missing_in_three_ways() {
        let of = |figureurl_qq_2| {
            let body = json(&Switches { figureurl_qq_2, ..Switches::default() });
            let parsed: serde_json::Value = serde_json::from_str(&body).unwrap();
            (parsed.get("figureurl_qq_2").cloned(), parsed["figureurl_qq_1"].clone())
        };
        assert_eq!(of(LargeAvatar::Absent).0, None);
        assert_eq!(of(LargeAvatar::Empty).0, Some("".into()));
        let (large, small) = of(LargeAvatar::Small);
        assert_eq!(large, Some(small));
        assert!(of(LargeAvatar::Present).0.is_some_and(|large| large.as_str().unwrap().ends_with("&s=100")));
    }
}
