//! The simulated phone: who may scan, agree and refuse, and what the page shows.

use crate::http;
use crate::story::{house, house_with};
use fujie_simulator::Person;

#[tokio::test]
async fn the_phone_shows_who_asks_and_who_can_answer() {
    let house = house().await;
    let uuid = house.open_page("s").await;
    let page = house.get(&format!("/connect/confirm?uuid={uuid}")).await;
    for text in ["演示网站", "小明🌟", "李华", "同意", "拒绝", "模拟手机"] {
        assert!(page.text().contains(text), "{text}");
    }
    let cookie = page.header("set-cookie").unwrap();
    assert!(cookie.starts_with("fujie_simulated_phone=") && cookie.contains("; HttpOnly; SameSite=Lax"));
}

#[tokio::test]
async fn the_phone_speaks_the_readers_language() {
    let house = house().await;
    let path = format!("/connect/confirm?uuid={}", house.open_page("s").await);
    let english = http::send(house.base(), "GET", &path, &["Accept-Language: en-GB,en;q=0.9"], "").await;
    assert!(english.text().contains("<html lang=\"en\">") && english.text().contains(">Agree<"));
    let path = format!("/connect/confirm?uuid={}&lang=cn", house.open_page("s").await);
    let chinese = http::send(house.base(), "GET", &path, &["Accept-Language: en"], "").await;
    assert!(chinese.text().contains("<html lang=\"zh-CN\">"));
}

#[tokio::test]
async fn a_second_phone_cannot_scan_but_the_first_may_look_again() {
    let house = house().await;
    let uuid = house.open_page("s").await;
    let path = format!("/connect/confirm?uuid={uuid}");
    let phone = house.scan(&uuid).await;
    assert_eq!(house.get(&path).await.status, 409);
    let cookie = format!("Cookie: other=1; fujie_simulated_phone={phone}");
    assert_eq!(http::send(house.base(), "GET", &path, &[&cookie], "").await.status, 200);
    assert_eq!(house.decide(&uuid, "anotherPhoneAnotherPhone", "agree", "lihua").await.status, 409);
    assert_eq!(house.poll(&uuid, "&last=404").await.0, 408);
    assert_eq!(house.decide(&uuid, &phone, "agree", "lihua").await.status, 200);
    assert_eq!(house.get(&path).await.status, 409);
}

#[tokio::test]
async fn nobody_agrees_without_scanning_or_as_somebody_unknown() {
    let house = house().await;
    let uuid = house.open_page("s").await;
    assert_eq!(house.decide(&uuid, "", "agree", "lihua").await.status, 409);
    let phone = house.scan(&uuid).await;
    assert_eq!(house.decide(&uuid, &phone, "agree", "nobody").await.status, 400);
    assert_eq!(house.decide(&uuid, &phone, "perhaps", "lihua").await.status, 400);
    assert_eq!(house.get("/connect/confirm?uuid=091AZFu52T9S000X").await.status, 404);
    assert_eq!(house.get("/connect/confirm").await.status, 404);
}

#[tokio::test]
async fn a_foreign_site_cannot_press_the_buttons() {
    let house = house().await;
    let uuid = house.open_page("s").await;
    let path = format!("/_simulate/sign-ins/{uuid}/confirm");
    let foreign = http::send(house.base(), "POST", &path, &["Sec-Fetch-Site: cross-site"], "").await;
    assert_eq!(foreign.status, 403);
    assert_eq!(house.poll(&uuid, "").await.0, 408);
}

#[tokio::test]
async fn a_refusal_goes_nowhere_today_and_back_with_the_state_alone_in_former_days() {
    let house = house().await;
    for (denial_redirects, expected) in
        [(false, serde_json::Value::Null), (true, "http://127.0.0.1:8080/back?state=s1".into())]
    {
        house.switch("denial_redirects", denial_redirects).await;
        let query = crate::story::page_query("s1");
        let page = house.get(&format!("/connect/qrconnect?{query}")).await;
        let attribute = format!("data-denial-redirects=\"{denial_redirects}\"");
        assert!(page.text().contains(&attribute));
        let uuid = crate::story::uuid_in(page.text());
        let phone = house.scan(&uuid).await;
        assert!(house.decide(&uuid, &phone, "refuse", "").await.text().contains("已拒绝登录"));
        assert_eq!(house.poll(&uuid, "&last=404").await, (403, String::new()));
        let told = house.get(&format!("/_simulate/sign-ins/{uuid}")).await.json();
        assert_eq!(told.get("redirect_url"), Some(&expected));
    }
}

#[tokio::test]
async fn names_from_outside_are_text_on_the_phone() {
    let house = house_with(|config| {
        config.people.push(Person::named("\"><b>", "<script>alert(1)</script>", 0));
    })
    .await;
    let uuid = house.open_page("s").await;
    for path in ["/phone".to_owned(), format!("/connect/confirm?uuid={uuid}")] {
        let page = house.get(&path).await;
        assert!(page.text().contains("&lt;script&gt;alert(1)"), "{path}");
        assert!(!page.text().contains("<script>alert") && !page.text().contains("\"><b>"), "{path}");
    }
}

#[tokio::test]
async fn the_overview_lists_the_waiting_and_its_buttons_act() {
    let house = house().await;
    assert!(house.get("/phone").await.text().contains("没有等待确认的登录"));
    for (act, expected) in [("confirm", 405), ("refuse", 403), ("expire", 402)] {
        let uuid = house.open_page("s").await;
        assert!(house.get("/phone").await.text().contains(&format!("action=\"/phone/{uuid}\"")));
        let answer = house.post_form(&format!("/phone/{uuid}"), &format!("act={act}&person=zoe")).await;
        assert_eq!((answer.status, answer.header("location")), (303, Some("/phone?lang=cn")));
        assert_eq!(house.poll(&uuid, "").await.0, expected, "{act}");
    }
}
