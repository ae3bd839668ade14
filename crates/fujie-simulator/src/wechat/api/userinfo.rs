//! `/sns/userinfo`: the profile, unless the scope was `snsapi_base`. Sex and region have been empty
//! since 2021-10-20.

use super::{Call, answer, unionid};
use crate::wechat::config::openid;
use crate::wechat::errcode::Errcode;
use crate::wechat::picture::headimgurl;
use crate::wechat::simulation::Simulation;
use axum::extract::State;
use axum::response::Response;
use serde::Serialize;
use std::sync::Arc;

/// The size that real answers name.
const AVATAR_SIZE: u16 = 132;

/// The field order is that of real answers.
#[derive(Serialize)]
struct Profile {
    openid: String,
    nickname: String,
    sex: u8,
    language: &'static str,
    city: &'static str,
    province: &'static str,
    country: &'static str,
    headimgurl: String,
    privilege: [&'static str; 0],
    #[serde(skip_serializing_if = "Option::is_none")]
    unionid: Option<String>,
}

pub(crate) async fn userinfo(State(simulation): State<Arc<Simulation>>, call: Call) -> Response {
    answer(&simulation, |world| {
        let grant = call.grant(&simulation, world)?;
        if !grant.consent.way.opens_profile() {
            return Err(Errcode::API_UNAUTHORIZED);
        }
        let person = world.visitor(&grant.consent).ok_or(Errcode::INVALID_CREDENTIAL)?;
        let is_full = world.config.switches.full_profile;
        let region = Region::of(call.0.filled("lang"), is_full);
        Ok(Profile {
            openid: openid(&person, &grant.consent.appid),
            nickname: person.nickname.clone(),
            sex: if is_full { person.sex } else { 0 },
            language: region.language,
            city: region.city,
            province: region.province,
            country: region.country,
            headimgurl: headimgurl(&person, simulation.base_url(), AVATAR_SIZE),
            privilege: [],
            unionid: unionid(world, &grant.consent),
        })
    })
}

struct Region {
    language: &'static str,
    city: &'static str,
    province: &'static str,
    country: &'static str,
}

impl Region {
    /// Everybody lives in Guangzhou; without `lang`, country is a code.
    fn of(lang: Option<&str>, is_full: bool) -> Self {
        let (language, city, province, country) = match lang {
            _ if !is_full => ("", "", "", ""),
            Some("zh_CN") => ("zh_CN", "广州", "广东", "中国"),
            Some("zh_TW") => ("zh_TW", "廣州", "廣東", "中國"),
            _ => ("zh_CN", "Guangzhou", "Guangdong", "CN"),
        };
        Self { language, city, province, country }
    }
}
