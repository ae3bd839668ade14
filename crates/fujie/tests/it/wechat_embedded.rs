//! `wxLogin.js` of the simulated WeChat in a real browser: the frame's address to the letter, and which window leaves.
//! The server's side of the embedded page is tested where the simulator is.

use std::time::Duration;

use fujie_simulator::{
    Running,
    wechat::{DEFAULT_APPID, Wechat, WechatConfig},
};
use serde_json::Value;

use crate::webdriver::{Driver, Window};

const SCRIPT: &str = "/connect/zh_CN/htmledition/js/wxLogin.js";

async fn wechat() -> Running {
    let config = WechatConfig { poll_hold: Duration::from_millis(200), ..WechatConfig::default() };
    Wechat::start("127.0.0.1:0", config).await.unwrap()
}

/// A page of another site than the simulator's, with the script and an element that is not empty.
async fn embedding(window: &Window, wechat: &Running) {
    let base = wechat.base_url();
    window.open(&format!("{}/_simulate", base.replace("127.0.0.1", "localhost"))).await;
    let load = format!(
        "document.body.innerHTML = '<p>kept</p><div id=\"box\"><b>loading</b></div>';\
         var script = document.createElement('script'); script.src = '{base}{SCRIPT}';\
         document.head.appendChild(script);"
    );
    window.script(&load).await;
    window.wait_true("return typeof WxLogin === 'function'").await;
}

/// What the script makes of `options`, as it stands in the frame's attribute.
async fn address(window: &Window, options: &str) -> String {
    let made =
        format!("new WxLogin({options}); return document.querySelector('#box').firstElementChild.getAttribute('src')");
    window.script(&made).await.as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn wx_login_writes_each_parameter_by_its_own_rule() {
    let wechat = wechat().await;
    let driver = Driver::start();
    let window = driver.window((800, 700), "en", false).await;
    embedding(&window, &wechat).await;
    let always = "&styletype=&sizetype=&bgcolor=&rst=";
    let cases = [
        ("", format!("&self_redirect=default{always}")),
        ("self_redirect: true", format!("&self_redirect=true{always}")),
        ("self_redirect: false", format!("&self_redirect=false{always}")),
        ("self_redirect: 'true'", format!("&self_redirect=default{always}")),
        ("self_redirect: 1", format!("&self_redirect=default{always}")),
        (
            "styletype: 'a', sizetype: 'b', bgcolor: 'c', rst: 'd'",
            "&self_redirect=default&styletype=a&sizetype=b&bgcolor=c&rst=d".to_owned(),
        ),
        ("style: 'white'", format!("&self_redirect=default{always}&style=white")),
        ("style: ''", format!("&self_redirect=default{always}")),
        ("href: 'data:text/css;base64,eA=='", format!("&self_redirect=default{always}&href=data:text/css;base64,eA==")),
        ("lang: 'en'", format!("&self_redirect=default{always}&lang=en")),
        ("lang: 'cn'", format!("&self_redirect=default{always}")),
        ("lang: 'EN'", format!("&self_redirect=default{always}")),
        ("stylelite: 1", format!("&self_redirect=default{always}&stylelite=1")),
        ("stylelite: '1'", format!("&self_redirect=default{always}")),
        ("stylelite: true", format!("&self_redirect=default{always}")),
        ("fast_login: 0", format!("&self_redirect=default{always}&fast_login=0")),
        ("fast_login: '0'", format!("&self_redirect=default{always}")),
        ("fast_login: false", format!("&self_redirect=default{always}")),
        (
            "fast_login: 0, stylelite: 1, lang: 'en', href: 'https://x/', style: 'black'",
            format!("&self_redirect=default{always}&style=black&href=https://x/&lang=en&stylelite=1&fast_login=0"),
        ),
    ];
    for (options, rest) in cases {
        let given = format!(
            "{{ id: 'box', appid: 'wx1', scope: 'snsapi_login', redirect_uri: 'http://a/?b=1&c', state: 's', {options} }}"
        );
        let expected = format!(
            "{}/connect/qrconnect?appid=wx1&scope=snsapi_login&redirect_uri=http://a/?b=1&c&state=s&login_type=jssdk{rest}",
            wechat.base_url()
        );
        assert_eq!(address(&window, &given).await, expected, "{options}");
    }
    let stateless = "{ id: 'box', appid: 'wx1', scope: 'x', redirect_uri: 'y' }";
    assert!(address(&window, stateless).await.contains("&redirect_uri=y&state=undefined&login_type=jssdk"));
    window.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wx_login_empties_its_element_and_puts_one_bare_frame_into_it() {
    let wechat = wechat().await;
    let driver = Driver::start();
    let window = driver.window((800, 700), "en", false).await;
    embedding(&window, &wechat).await;
    let options = format!(
        "{{ id: 'box', appid: '{DEFAULT_APPID}', scope: 'snsapi_login', state: 's', \
         redirect_uri: 'http%3A%2F%2Flocalhost%2F', onReady: function (isReady) {{ window.ready = isReady; }} }}"
    );
    for _ in 0..2 {
        address(&window, &options).await;
    }
    let shape = "var frame = document.querySelector('#box > iframe'); \
                 return [document.querySelector('#box').childNodes.length, document.querySelectorAll('p').length, \
                 ['frameborder', 'allowtransparency', 'scrolling', 'width', 'height'].map(function (name) { \
                 return frame.getAttribute(name); })]";
    let expected = serde_json::json!([1, 1, ["0", "true", "no", "300px", "400px"]]);
    assert_eq!(window.script(shape).await, expected);
    window.wait_true("return window.ready === true").await;
    window.keep("wechat-embedded").await;
    window.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn self_redirect_decides_whether_the_frame_leaves_or_the_whole_window() {
    let wechat = wechat().await;
    let driver = Driver::start();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let base = wechat.base_url();
    let back = format!("{}/_simulate?back=1", base.replace("127.0.0.1", "localhost"));
    for (option, frame_leaves) in [("self_redirect: true", true), ("self_redirect: false", false), ("", false)] {
        let window = driver.window((800, 700), "en", false).await;
        embedding(&window, &wechat).await;
        let options = format!(
            "{{ id: 'box', appid: '{DEFAULT_APPID}', scope: 'snsapi_login', state: 's', \
             redirect_uri: encodeURIComponent('{back}'), onReady: function () {{ window.ready = true; }}, {option} }}"
        );
        address(&window, &options).await;
        window.wait_true("return window.ready === true").await;
        let listed = http.get(format!("{base}/_simulate/sign-ins")).send().await.unwrap().text().await.unwrap();
        let listed: Value = serde_json::from_str(&listed).unwrap();
        let uuid = listed[0]["uuid"].as_str().unwrap().to_owned();
        http.post(format!("{base}/_simulate/sign-ins/{uuid}/confirm"))
            .send()
            .await
            .unwrap()
            .error_for_status()
            .unwrap();
        if frame_leaves {
            let arrived = "try { return document.querySelector('iframe').contentWindow.location.search\
                           .startsWith('?back=1&code='); } catch (elsewhere) { return false; }";
            window.wait_true(arrived).await;
            assert!(!window.url().await.contains("code="), "{option}");
        } else {
            window.wait_url("/_simulate?back=1&code=").await;
        }
        window.close().await;
    }
}
