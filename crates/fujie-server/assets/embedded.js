// Tells the provider's script what stands on the element, once both are there. If the script did
// not come, the element keeps its words, and the form below leads to the full page.
const place = document.getElementById("frame");
if (typeof WxLogin === "function") {
  const { appid, scope, redirectUri, state, selfRedirect, title } = place.dataset;
  new WxLogin({
    id: place.id,
    appid,
    scope,
    redirect_uri: redirectUri,
    state,
    self_redirect: selfRedirect === "true",
    // The code stands on white, also on a dark page: cameras read it so.
    style: "black",
    lang: document.documentElement.lang === "en" ? "en" : "cn",
  });
  const frame = place.querySelector("iframe");
  if (frame) {
    frame.title = title;
  }
}
