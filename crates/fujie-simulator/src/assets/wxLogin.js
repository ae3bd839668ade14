// Defines WxLogin(options): puts the QR page into the element with the id options.id.
// The order of the parameters, and that nothing is encoded here, is the provider's behaviour.
(function () {
  "use strict";
  var base = new URL(document.currentScript.src).origin;

  function given(value) {
    return value === undefined || value === null ? "" : value;
  }

  function address(options) {
    var own = options.self_redirect;
    var parts = [
      "appid=" + options.appid,
      "scope=" + options.scope,
      "redirect_uri=" + options.redirect_uri,
      "state=" + options.state,
      "login_type=jssdk",
      "self_redirect=" + (own === true ? "true" : own === false ? "false" : "default"),
      "styletype=" + given(options.styletype),
      "sizetype=" + given(options.sizetype),
      "bgcolor=" + given(options.bgcolor),
      "rst=" + given(options.rst)
    ];
    if (options.style) { parts.push("style=" + options.style); }
    if (options.href) { parts.push("href=" + options.href); }
    if (options.lang === "en") { parts.push("lang=en"); }
    if (options.stylelite === 1) { parts.push("stylelite=1"); }
    if (options.fast_login === 0) { parts.push("fast_login=0"); }
    if (options.color_scheme) { parts.push("color_scheme=" + options.color_scheme); }
    return base + "/connect/qrconnect?" + parts.join("&");
  }

  window.WxLogin = function (options) {
    var frame = document.createElement("iframe");
    frame.setAttribute("frameBorder", "0");
    frame.setAttribute("allowTransparency", "true");
    frame.setAttribute("scrolling", "no");
    frame.setAttribute("width", "300px");
    frame.setAttribute("height", "400px");
    frame.title = options.lang === "en" ? "WeChat sign-in" : "微信登录";
    frame.onload = function () {
      if (typeof options.onReady === "function") { options.onReady(true); }
    };
    frame.src = address(options);
    var place = document.getElementById(options.id);
    place.innerHTML = "";
    place.appendChild(frame);
  };
})();
