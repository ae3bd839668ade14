//! What nobody may read: tokens and secrets of the channel in the database's files, in the log, on pages, in addresses.

use fujie_core::token::at_rest::AtRest;

use super::team::Team;

const ROBOT: &str = "https://oapi.dingtalk.com/robot/send?access_token=0123456789abcdef0123456789abcdef";
const ROBOT_SECRET: &str = "SEC0123456789abcdef0123456789abcdef";

#[tokio::test(flavor = "multi_thread")]
async fn tokens_and_secrets_lie_sealed_and_show_nowhere() {
    let mut team = Team::new().await;
    let mut browser = team.alice().await;
    team.hooked(&mut browser).await;
    let page = browser.get(&team.url("/topics/team/settings")).await;
    let fields = [("kind", "dingtalk"), ("label", "R&D"), ("address", ROBOT), ("secret", ROBOT_SECRET)];
    let page = browser.submit(&page, "/topics/team/targets", &fields).await;
    assert!(page.location().ends_with("said=robot-added"), "{}", page.location());
    for path in ["/topics", "/topics/team", "/topics/team/settings", "/topics/team/integrations/new?connection=github"]
    {
        browser.get(&team.url(path)).await;
    }
    let row = team.integrations().await.remove(0);
    browser.get(&team.url(&format!("/topics/team/integrations/{}", row.id))).await;
    let secret = team.house.server.open_secret(AtRest::WebhookSecret, &row.id, &row.sealed_secret).unwrap();
    let token = team.tokens().pop().unwrap();
    let secrets = [token.as_str(), secret.expose(), "0123456789abcdef0123456789abcdef", ROBOT_SECRET];
    let ours = browser.seen.iter().filter(|seen| seen.starts_with(&team.house.issuer));
    let mut places: Vec<(&str, Vec<u8>)> = ours.map(|seen| ("a page", seen.clone().into_bytes())).collect();
    places.push(("the log", crate::log::text().into_bytes()));
    team.house.halt().await;
    for entry in std::fs::read_dir(team.house.folder()).unwrap() {
        places.push(("the database", std::fs::read(entry.unwrap().path()).unwrap()));
    }
    assert!(places.len() > 10);
    for (place, bytes) in &places {
        for secret in secrets {
            let is_there = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!is_there, "{secret} stands in {place}");
        }
    }
    // The database does hold the rows that were looked for.
    let database: Vec<u8> =
        places.into_iter().filter(|(place, _)| *place == "the database").flat_map(|(_, b)| b).collect();
    for known in ["xiaoming/demo", "write:repo_hook", "R&D"] {
        assert!(database.windows(known.len()).any(|window| window == known.as_bytes()), "{known}");
    }
}
