//! The QR page as `wxLogin.js` asks for it. What the script itself writes is tested in a browser,
//! beside the program.

use crate::story::{house, page_query, uuid_in};
use fujie_simulator::wechat::WechatConfig;
use std::time::Duration;

/// What the script puts behind `state`.
const EMBEDDED: &str = "&login_type=jssdk&self_redirect=default&styletype=&sizetype=&bgcolor=&rst=";

#[tokio::test]
async fn the_optional_parts_of_the_embedded_address_change_looks_and_nothing_else() {
    let house = house().await;
    let extras = ["", EMBEDDED, "&color_scheme=auto", "&fast_login=0", "&connect_redirect=1", "&styletype=x&rst=y"];
    for extra in extras {
        let page = house.get(&format!("/connect/qrconnect?{}{extra}", page_query("s"))).await;
        let uuid = uuid_in(page.text());
        let confirmed = house.control(&format!("sign-ins/{uuid}/confirm"), "").await.json();
        let redirect_url = confirmed.get("redirect_url").unwrap().as_str().unwrap();
        assert!(redirect_url.starts_with("http://127.0.0.1:8080/back?code="), "{extra}");
        assert!(redirect_url.ends_with("&state=s"), "{extra}");
    }
}

#[tokio::test]
async fn self_redirect_reaches_the_pages_script_as_it_was_sent() {
    let house = house().await;
    for sent in ["true", "false", "default", "", "1"] {
        let page = house.get(&format!("/connect/qrconnect?{}&self_redirect={sent}", page_query("s"))).await;
        assert!(page.text().contains(&format!("data-self-redirect=\"{sent}\"")), "{sent}");
    }
}

#[tokio::test]
async fn style_and_href_apply_and_href_is_ignored_when_stylelite_is_one() {
    let house = house().await;
    let page = async |extra: &str| {
        let query = format!("{}{EMBEDDED}{extra}", page_query("s"));
        house.get(&format!("/connect/qrconnect?{query}")).await.text().to_owned()
    };
    let href = "&href=data%3Atext%2Fcss%3Bbase64%2CYm9keXt9";
    let link = "<link rel=\"stylesheet\" href=\"data:text/css;base64,Ym9keXt9\">";
    assert!(page("&style=white").await.contains("<body class=\"sign-in embedded white\""));
    assert!(page("&style=black").await.contains("<body class=\"sign-in embedded\""));
    assert!(page(href).await.contains(link));
    assert!(!page(&format!("{href}&stylelite=1")).await.contains(link));
    assert!(page(&format!("{href}&stylelite=0")).await.contains(link));
}

#[tokio::test]
async fn a_state_beyond_128_bytes_is_fine_on_the_qr_page() {
    let house = house().await;
    let state = "a-b_c%3Dd%25".repeat(20);
    let uuid = house.open_page(&state).await;
    let confirmed = house.control(&format!("sign-ins/{uuid}/confirm"), "").await.json();
    assert!(confirmed.get("redirect_url").unwrap().as_str().unwrap().ends_with(&format!("&state={state}")));
}

#[test]
fn a_poll_is_held_for_25_seconds_and_a_qr_code_lives_for_300_unless_configured() {
    let config = WechatConfig::default();
    assert_eq!(config.poll_hold, Duration::from_secs(25));
    assert_eq!(config.qr_lifetime, Duration::from_secs(300));
    assert_eq!(config.code_lifetime, Duration::from_secs(600));
    assert_eq!(config.in_app_code_lifetime, Duration::from_secs(300));
    assert_eq!(config.refresh_token_lifetime, Duration::from_secs(30 * 86_400));
}
