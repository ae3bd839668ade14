//! Posting to a topic, and reading it page by page: who may, what is taken, and what it looks like.

use fujie_store::{Member, NewEvent, NewTopic, Role};

use super::{NAMED, listener};
use crate::{
    browser::{Browser, Page},
    house::{House, client, read},
};

const NOTICE: &str = r#"{"title":"周会","text":"带上周报","kind":"meeting","at":"2026-11-22T14:00"}"#;
const JSON: &str = "application/json";
const CLOUDEVENT: &str = "application/cloudevents+json";
const BUILD: &str = r#","id":"x","source":"/evil","subject":"main","data":[1, 2]"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_member_posts_a_notice_and_everybody_reads_it() {
    let house = House::new().await;
    let (_, token) = house.team().await;
    let page = house.tell(&token, JSON, NOTICE).await;
    assert_eq!(page.status, 201, "{}", page.body);
    assert_eq!((page.header("content-type"), page.header("cache-control")), (CLOUDEVENT, "no-store"));
    let event = page.json();
    let expected = serde_json::json!(
        {"title": "周会", "text": "带上周报", "kind": "meeting", "at": "2026-11-22T14:00", "author": "Listener"}
    );
    assert_eq!((&event["type"], &event["source"]), (&"notice".into(), &"/topics/team".into()));
    assert_eq!((&event["specversion"], &event["topic"], &event["data"]), (&"1.0".into(), &"team".into(), &expected));
    let read_back = house.events(&token, "").await;
    assert_eq!(read_back.json()["events"], serde_json::json!([event]));
    assert_eq!((read_back.status, read_back.header("content-type")), (200, JSON));
    let one = read(house.http.get(format!("{}{}", house.issuer, page.header("location"))).bearer_auth(&token)).await;
    assert_eq!(one.json(), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_posts_any_event_but_not_those_of_others() {
    let house = House::new().await;
    let (_, token) = house.team().await;
    let event = |kind: &str, more: &str| format!(r#"{{"specversion":"1.0","type":"{kind}"{more}}}"#);
    let page = house.tell(&token, CLOUDEVENT, &event("dev.example.build", BUILD)).await;
    assert_eq!(page.status, 201, "{}", page.body);
    let told = page.json();
    assert_eq!(
        (&told["source"], &told["subject"], &told["data"][1]),
        (&"/topics/team".into(), &"main".into(), &2.into())
    );
    assert_eq!((&told["delivery"], told["id"] == "x"), (&"x".into(), false), "{told}");
    let notice = house.tell(&token, CLOUDEVENT, &event("notice", r#","data":{"title":"x"}"#)).await;
    assert_eq!(notice.json()["data"]["author"], "Listener", "whoever says a notice is named in it");
    let long_type = event(&"x".repeat(129), "");
    for (content_type, body, status) in [
        (CLOUDEVENT, event("fujie.signed_in", ""), 400),
        (CLOUDEVENT, event("com.github.push", ""), 400),
        (CLOUDEVENT, event("notice", r#","data":{"title":"x","author":"alice"}"#), 400),
        (CLOUDEVENT, event("", ""), 400),
        (CLOUDEVENT, event("a b", ""), 400),
        (CLOUDEVENT, long_type, 400),
        (CLOUDEVENT, event("a", r#","subject":"a\nb""#), 400),
        (CLOUDEVENT, event("a", r#","data_base64":"eA==""#), 400),
        (CLOUDEVENT, event("a", &format!(r#","data":{}1{}"#, "[".repeat(100), "]".repeat(100))), 201),
        (CLOUDEVENT, event("a", &format!(r#","data":{}1{}"#, "[".repeat(101), "]".repeat(101))), 400),
        (CLOUDEVENT, r#"{"type":"a"}"#.to_owned(), 400),
        (JSON, r#"{"type":"dev.example.build","title":"x"}"#.to_owned(), 400),
        (JSON, r#"{"title":"x","author":"alice"}"#.to_owned(), 400),
        (JSON, r#"{"title":" "}"#.to_owned(), 400),
        (JSON, r#"{"title":"x","kind":"party"}"#.to_owned(), 400),
        (JSON, "title=x".to_owned(), 400),
        ("text/plain", NOTICE.to_owned(), 415),
        // What curl says of a body unless it is told better.
        ("application/x-www-form-urlencoded", NOTICE.to_owned(), 415),
        ("application/cloudevents-batch+json", "[]".to_owned(), 415),
        (JSON, format!(r#"{{"title":"x","text":"{}"}}"#, "x".repeat(64 * 1024)), 413),
    ] {
        let page = house.tell(&token, content_type, &body).await;
        assert_eq!(page.status, status, "{} {body:.80}", page.body);
        assert_eq!(page.error(), if status == 201 { "" } else { "invalid_request" });
    }
    // A form is its page's, also where a proxy adds its own credentials.
    let form = [("content-type", "application/x-www-form-urlencoded"), ("authorization", "Basic eDp5")];
    let url = format!("{}/topics/team/events", house.issuer);
    let page = Browser::new().send_as(&url, &form, Some("title=x")).await;
    assert_eq!((page.status, page.header("content-type")), (403, "text/html; charset=utf-8"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_goes_on_where_the_last_one_ended() {
    let house = House::new().await;
    let (_, token) = house.team().await;
    for at in 0..5 {
        assert_eq!(house.tell(&token, JSON, &format!(r#"{{"title":"{at}"}}"#)).await.status, 201);
    }
    let mut seen = Vec::new();
    let mut next = "0".to_owned();
    for _ in 0..4 {
        let page = house.events(&token, &format!("?limit=2&after={next}")).await.json();
        seen.extend(page["events"].as_array().unwrap().iter().map(|event| event["data"]["title"].clone()));
        next = page["next"].as_str().unwrap().to_owned();
    }
    assert_eq!(seen, ["0", "1", "2", "3", "4"]);
    assert_eq!(house.events(&token, "?after=x").await.status, 400);
    assert_eq!(house.events(&token, "?after=-1").await.status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_from_the_future_goes_back_to_the_present() {
    let house = House::new().await;
    let (_, token) = house.team().await;
    let post = async |title: &str| {
        let page = house.tell(&token, JSON, &format!(r#"{{"title":"{title}"}}"#)).await;
        page.json()["id"].as_str().unwrap().to_owned()
    };
    let last = post("before").await;
    // A log that was lost and restored from a copy has ids that are lower than what readers remember.
    for after in ["99999999", "9223372036854775807"] {
        let page = house.events(&token, &format!("?after={after}")).await.json();
        assert_eq!(page, serde_json::json!({ "events": [], "next": last }));
    }
    let present = house.events(&token, &format!("?after={last}")).await.json();
    assert_eq!(present["next"], last, "who is up to date stays there");
    let next = post("after").await;
    let page = house.events(&token, &format!("?after={last}")).await.json();
    assert_eq!((&page["events"][0]["data"]["title"], &page["next"]), (&"after".into(), &next.into()));
}

/// What a request for the events of `team` with this token is answered: status, error, challenge.
async fn asked(house: &House, token: Option<&str>) -> (u16, String, String) {
    let request = house.http.get(format!("{}/topics/team/events", house.issuer)).header("accept", JSON);
    let request = match token {
        Some(token) => request.bearer_auth(token),
        None => request,
    };
    let page = read(request).await;
    let error = if page.body.is_empty() { String::new() } else { page.error() };
    (page.status, error, page.header("www-authenticate").to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_members_token_for_the_channel_reads() {
    let house = House::new().await;
    let (bot, token) = house.team().await;
    assert_eq!(asked(&house, Some(&token)).await.0, 200);
    let (status, error, challenge) = asked(&house, None).await;
    assert_eq!((status, error.as_str(), challenge.as_str()), (401, "", "Bearer realm=\"fujie\""));
    let (status, error, challenge) = asked(&house, Some("fj_at_junk")).await;
    assert_eq!((status, error.as_str()), (401, "invalid_token"));
    assert!(challenge.contains("error=\"invalid_token\""), "{challenge}");
    // Another audience: a token of the same client for another API, and one of a person for userinfo.
    let foreign = house.own_token(&bot, "read_contacts").await;
    assert_eq!(asked(&house, Some(&foreign)).await.0, 403);
    let writes = house.own_token(&bot, "channel:write").await;
    let (status, error, challenge) = asked(&house, Some(&writes)).await;
    assert_eq!((status, error.as_str()), (403, "insufficient_scope"));
    assert!(challenge.ends_with("scope=\"channel:read\""), "{challenge}");
    let stranger = house.add(listener("stranger")).await;
    let stranger = house.own_token(&stranger, "channel:read").await;
    let (status, error, challenge) = asked(&house, Some(&stranger)).await;
    assert_eq!((status, error.as_str(), challenge.as_str()), (403, "access_denied", ""));
    let reads = house.own_token(&bot, "channel:read").await;
    assert_eq!(house.tell(&reads, JSON, NOTICE).await.error(), "insufficient_scope");
    let revoked = house.post("/revoke", &bot, &[("token", &token)]).await;
    assert_eq!((revoked.status, asked(&house, Some(&token)).await.1), (200, "invalid_token".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_that_is_not_there_looks_like_one_that_is_not_ones_own() {
    let house = House::new().await;
    let (_, token) = house.team().await;
    let bob = house.person("bob").await;
    let new = NewTopic { name: "secret".to_owned(), title: "x".to_owned(), owner: bob };
    house.server.store().create_topic(new, house.clock.now()).await.unwrap();
    let ask = async |topic: &str| {
        let request = house.http.get(format!("{}/topics/{topic}/events", house.issuer)).bearer_auth(&token);
        let page = read(request.header("accept", JSON)).await;
        (page.status, page.body)
    };
    assert_eq!(ask("secret").await, ask("nothing").await);
    assert_eq!(ask("secret").await.0, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_of_another_topic_is_not_read_through_ones_own() {
    let house = House::new().await;
    let (_, token) = house.team().await;
    let bob = house.person("bob").await;
    let new = NewTopic { name: "secret".to_owned(), title: "x".to_owned(), owner: bob };
    house.server.store().create_topic(new, house.clock.now()).await.unwrap();
    let event = NewEvent {
        topic: "secret".to_owned(),
        at: house.clock.now(),
        event_type: "x".to_owned(),
        source: "/".to_owned(),
        subject: None,
        delivery: None,
        data: Some("\"hidden\"".to_owned()),
        body: None,
    };
    let fujie_store::Appended::Appended { event_id } = house.server.store().append_event(event).await.unwrap() else {
        panic!("not appended")
    };
    for id in [event_id.to_string(), "0".to_owned(), "x".to_owned()] {
        let url = format!("{}/topics/team/events/{id}", house.issuer);
        let page = read(house.http.get(url).bearer_auth(&token)).await;
        assert!(page.status == 404 && !page.body.contains("hidden"), "{id}: {}", page.body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_lets_a_client_read_the_channel_in_words_and_it_ends_with_the_grant() {
    let house = House::new().await;
    house.topic("team").await;
    let app = house.add(listener("app")).await;
    let mut browser = Browser::new();
    let page = browser.get(&house.authorize(&app, &[("scope", "openid channel:read channel:write")])).await;
    let page = house.sign_in(&mut browser, page, "alice").await;
    assert!(page.body.contains("Receive the events of topics you are a member of"), "{}", page.body);
    let tokens = house.tokens(&app, &[("scope", "openid channel:read")]).await;
    let token = tokens["access_token"].as_str().unwrap();
    assert!(token.starts_with("fj_at_"), "opaque: {token}");
    assert_eq!(asked(&house, Some(token)).await.0, 200);
    assert_eq!(house.userinfo(token).await.status, 200);
    house.post("/revoke", &app, &[("token", tokens["refresh_token"].as_str().unwrap())]).await;
    assert_eq!(asked(&house, Some(token)).await.1, "invalid_token");
    // A token that is for the API elsewhere only.
    let foreign = house.add(client("foreign")).await;
    let tokens = house.tokens(&foreign, &[("scope", "openid profile")]).await;
    assert_eq!(asked(&house, tokens["access_token"].as_str()).await.1, "insufficient_scope");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_servers_own_topic_is_for_administrators_and_nobody_posts_there() {
    let house = House::new().await;
    house.topic("fujie").await;
    let app = house.add(listener("app")).await;
    let tokens = house.tokens(&app, &[("scope", "channel:read channel:write")]).await;
    let token = tokens["access_token"].as_str().unwrap().to_owned();
    let url = format!("{}/topics/fujie/events", house.issuer);
    let ask =
        async |token: &str| -> Page { read(house.http.get(&url).bearer_auth(token).header("accept", JSON)).await };
    assert_eq!(ask(&token).await.status, 403, "alice made it and owns it, but is no administrator");
    house.let_in("fujie", &app).await;
    let own = house.own_token(&app, "channel:read channel:write").await;
    let events = ask(&own).await;
    assert!(events.body.contains("fujie.signed_in") && !events.body.contains("fj_"), "{}", events.body);
    let post = house.http.post(&url).bearer_auth(&own).header("content-type", JSON).body(NOTICE);
    assert_eq!(read(post).await.status, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_reads_no_more() {
    let house = House::new().await;
    let (bot, token) = house.team().await;
    let member = Member::Client(bot.id.clone());
    house.server.store().remove_member("team", member.clone(), Some(house.alice), house.clock.now()).await.unwrap();
    assert_eq!(asked(&house, Some(&token)).await.1, "access_denied");
    house.let_in("team", &bot).await;
    assert_eq!(asked(&house, Some(&token)).await.0, 200);
    assert_eq!(house.server.store().role("team", &member).await.unwrap(), Some(Role::Member));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_posts_too_much_waits_for_the_next_minute() {
    let house = House::new().await;
    let (_, token) = house.team().await;
    house.clock.stop();
    // What is not understood counts too, and leaves nothing behind.
    for _ in 0..600 {
        assert_eq!(house.tell(&token, JSON, "{").await.status, 400);
    }
    let refused = house.tell(&token, JSON, NOTICE).await;
    assert_eq!((refused.status, refused.header("retry-after")), (429, "60"), "{}", refused.body);
    house.clock.advance_millis(60_000);
    assert_eq!(house.tell(&token, JSON, NOTICE).await.status, 201);
}

/// A CloudEvent with these members besides.
fn named(more: &str) -> String {
    format!(r#"{{"specversion":"1.0","type":"dev.example.build"{more}}}"#)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_named_event_that_is_posted_again_is_the_one_that_is_there() {
    let house = House::new().await;
    let (_, token) = house.team().await;
    let first = house.tell(&token, CLOUDEVENT, NAMED).await;
    let again = house.tell(&token, CLOUDEVENT, NAMED).await;
    assert_eq!((first.status, again.status), (201, 200), "{} {}", first.body, again.body);
    assert_eq!((&again.body, again.header("location")), (&first.body, first.header("location")));
    assert_eq!(again.header("content-type"), CLOUDEVENT);
    let event = first.json();
    assert_eq!((&event["delivery"], &event["source"]), (&"run-7".into(), &"/topics/team".into()));
    assert_eq!(first.header("location"), format!("/topics/team/events/{}", event["id"].as_str().unwrap()));
    // Another id, another source, or the same of another member, is another event; no name at all is one each time.
    for body in [r#","id":"run-8","source":"/ci""#, r#","id":"run-7","source":"/ci2""#, "", r#","source":"/ci""#, ""] {
        assert_eq!(house.tell(&token, CLOUDEVENT, &named(body)).await.status, 201, "{body}");
    }
    let other = house.add(listener("other")).await;
    house.let_in("team", &other).await;
    let others = house.own_token(&other, "channel:write").await;
    assert_eq!(house.tell(&others, CLOUDEVENT, NAMED).await.status, 201);
    let notice = r#"{"specversion":"1.0","id":"n","source":"/ci","type":"notice","data":{"title":"x"}}"#;
    let told = async || house.tell(&token, CLOUDEVENT, notice).await;
    let (first, again) = (told().await, told().await);
    assert_eq!((first.status, again.status, &first.body), (201, 200, &again.body));
    assert_eq!(house.events(&token, "").await.json()["events"].as_array().unwrap().len(), 8);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_is_a_whole_and_readable_one() {
    let house = House::new().await;
    let (_, token) = house.team().await;
    let (longest, longer) = ("长".repeat(256), "长".repeat(257));
    let page = house.tell(&token, CLOUDEVENT, &named(&format!(r#","id":"{longest}","source":"{longest}""#))).await;
    assert_eq!((page.status, page.json().get("delivery")), (201, None), "an attribute has at most 128 of ASCII");
    let words = "id and source must be texts of 1 to 256 characters without controls";
    for bad in [
        r#","id":"x""#.to_owned(),
        r#","id":"","source":"/ci""#.to_owned(),
        r#","id":"x","source":"""#.to_owned(),
        r#","id":7,"source":"/ci""#.to_owned(),
        r#","id":"x","source":["/ci"]"#.to_owned(),
        r#","id":"a\nb","source":"/ci""#.to_owned(),
        r#","id":"x","source":"a\u0000b""#.to_owned(),
        format!(r#","id":"{longer}","source":"/ci""#),
        format!(r#","id":"x","source":"{longer}""#),
    ] {
        let page = house.tell(&token, CLOUDEVENT, &named(&bad)).await;
        assert_eq!((page.status, page.json()["error_description"].as_str()), (400, Some(words)), "{bad:.40}");
    }
    let page = house.tell(&token, CLOUDEVENT, &named(r#","data_base64":"eA==""#)).await;
    let words = page.json()["error_description"].clone();
    assert_eq!((page.status, words), (400, "data_base64 is not taken: the data must be JSON, in data".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_of_one_post_at_once_are_one_event() {
    let house = std::sync::Arc::new(House::new().await);
    let (_, token) = house.team().await;
    let all = (0..64).map(|_| {
        let (house, token) = (std::sync::Arc::clone(&house), token.clone());
        tokio::spawn(async move { house.tell(&token, CLOUDEVENT, NAMED).await })
    });
    let mut answers = Vec::new();
    for answer in all.collect::<Vec<_>>() {
        answers.push(answer.await.unwrap());
    }
    let of_status = |status| answers.iter().filter(|page| page.status == status).count();
    assert_eq!((of_status(201), of_status(200)), (1, 63));
    assert!(answers.iter().all(|page| page.body == answers[0].body), "one event");
    assert_eq!(house.events(&token, "").await.json()["events"].as_array().unwrap().len(), 1);
}
