//! The body of `/2/users/show.json`: all documented fields, in the documentation's order and with the types of its
//! example.

use super::config::Switches;
use super::identity;
use crate::people::{Avatar, Person};
use serde::Serialize;

/// What everybody's account says of its birth.
const CREATED_AT: &str = "Fri Aug 28 00:00:00 +0800 2009";

/// `province` and `city`: strings in the example, numbers in the table beside it.
#[derive(Serialize)]
#[serde(untagged)]
enum Place {
    Text(&'static str),
    Number(u32),
}

/// The latest post, as far as anybody reads it.
#[derive(Serialize)]
struct Post {
    created_at: &'static str,
    id: u64,
    idstr: String,
    text: &'static str,
    source: &'static str,
    favorited: bool,
    truncated: bool,
    reposts_count: u32,
    comments_count: u32,
}

/// Somebody's profile.
#[derive(Serialize)]
pub(crate) struct User<'a> {
    id: u64,
    idstr: String,
    screen_name: &'a str,
    name: &'a str,
    province: Place,
    city: Place,
    location: &'static str,
    description: &'static str,
    url: &'static str,
    profile_image_url: String,
    cover_image: &'static str,
    cover_image_phone: &'static str,
    profile_url: String,
    domain: &'static str,
    weihao: &'static str,
    gender: &'static str,
    followers_count: u32,
    followers_count_str: &'static str,
    friends_count: u32,
    statuses_count: u32,
    favourites_count: u32,
    created_at: &'static str,
    following: bool,
    allow_all_act_msg: bool,
    geo_enabled: bool,
    verified: bool,
    verified_type: i32,
    remark: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Post>,
    allow_all_comment: bool,
    avatar_large: String,
    avatar_hd: String,
    verified_reason: &'static str,
    follow_me: bool,
    online_status: u8,
    bi_followers_count: u32,
    lang: &'static str,
}

impl<'a> User<'a> {
    pub(crate) fn of(person: &'a Person, base_url: &str, switches: &Switches) -> Self {
        let uid = identity::uid(&person.name);
        let place = |text, number| if switches.province_number { Place::Number(number) } else { Place::Text(text) };
        let picture = |pixels: u16| match &person.avatar {
            // The real hosts are those of `sinaimg.cn`.
            Avatar::Drawn => format!("{base_url}/{uid}/{pixels}/0/1"),
            Avatar::None => String::new(),
            Avatar::Url(url) => url.clone(),
        };
        Self {
            id: uid,
            idstr: uid.to_string(),
            screen_name: &person.nickname,
            name: &person.nickname,
            province: place("44", 44),
            city: place("1", 1),
            location: "广东 广州",
            description: "",
            url: "",
            profile_image_url: picture(50),
            cover_image: "",
            cover_image_phone: "",
            profile_url: format!("u/{uid}"),
            domain: "",
            weihao: "",
            gender: match person.sex {
                1 => "m",
                2 => "f",
                _ => "n",
            },
            followers_count: 12,
            followers_count_str: "12",
            friends_count: 34,
            statuses_count: 56,
            favourites_count: 0,
            created_at: CREATED_AT,
            following: false,
            allow_all_act_msg: false,
            geo_enabled: true,
            verified: false,
            verified_type: -1,
            remark: "",
            status: switches.latest_status.then(|| Post::of(uid)),
            allow_all_comment: true,
            avatar_large: picture(180),
            avatar_hd: picture(1024),
            verified_reason: "",
            follow_me: false,
            online_status: 0,
            bi_followers_count: 7,
            lang: "zh-cn",
        }
    }
}

impl Post {
    /// A number of sixteen digits, as those of posts are.
    fn of(uid: u64) -> Self {
        let id = 5_000_000_000_000_000 + uid;
        Self {
            created_at: "Tue May 31 17:46:55 +0800 2011",
            id,
            idstr: id.to_string(),
            text: "今天天气不错。",
            source: "<a href=\"http://weibo.com\" rel=\"nofollow\">新浪微博</a>",
            favorited: false,
            truncated: false,
            reposts_count: 0,
            comments_count: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::User;
    use crate::people::Person;
    use crate::weibo::config::Switches;
    use serde_json::Value;

    fn user(switches: &Switches) -> Value {
        serde_json::to_value(User::of(&Person::named("lihua", "李华", 2), "http://w", switches)).unwrap()
    }

    #[test]
    fn the_types_are_those_of_the_example() {
        let user = user(&Switches::default());
        let is = |names: &[&str], test: fn(&Value) -> bool| {
            for name in names {
                assert!(test(&user[name]), "{name}: {}", user[name]);
            }
        };
        is(&["id", "followers_count", "friends_count", "statuses_count", "favourites_count"], Value::is_u64);
        is(&["bi_followers_count", "verified_type", "online_status"], Value::is_number);
        is(&["idstr", "screen_name", "name", "province", "city", "location", "description", "url"], Value::is_string);
        is(&["profile_image_url", "profile_url", "domain", "weihao", "gender", "created_at"], Value::is_string);
        is(&["avatar_large", "avatar_hd", "verified_reason", "remark", "lang"], Value::is_string);
        is(&["following", "follow_me", "allow_all_act_msg", "allow_all_comment"], Value::is_boolean);
        is(&["geo_enabled", "verified"], Value::is_boolean);
        is(&["status"], Value::is_object);
        assert_eq!(
            (user["gender"].as_str(), user["id"].to_string()),
            (Some("f"), user["idstr"].as_str().unwrap().into())
        );
    }

    #[test]
    fn a_place_may_be_a_number_and_the_latest_post_may_be_missing() {
        let user = user(&Switches { province_number: true, latest_status: false, ..Switches::default() });
        assert!(user["province"].is_u64() && user["city"].is_u64() && user.get("status").is_none());
    }
}
