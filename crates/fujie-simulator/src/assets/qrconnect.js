// The QR page's side of the long poll. What each number means and how long to wait before
// asking again is the provider's behaviour; the values come from data attributes only.
(function () {
  "use strict";

  var page = document.getElementById("sign_in");
  var facts = page.dataset;
  var framed = window.top !== window;

  function show(id) {
    document.querySelectorAll(".js_status").forEach(function (block) {
      block.hidden = block.id !== id;
    });
    page.classList.toggle("scanned", id === "wx_after_scan");
    page.classList.toggle("cancelled", id === "wx_after_cancel");
  }

  function askIn(milliseconds, last) {
    window.setTimeout(function () { ask(last); }, milliseconds);
  }

  // The answer is a script that sets window.wx_errcode and window.wx_code.
  function ask(last) {
    var script = document.createElement("script");
    var done = false;
    var timer = window.setTimeout(fail, 60000);

    function finish() {
      if (done) { return false; }
      done = true;
      window.clearTimeout(timer);
      script.remove();
      return true;
    }

    // The last number heard is repeated after a broken connection, except "nothing yet".
    function fail() {
      if (!finish()) { return; }
      askIn(5000, window.wx_errcode === 408 ? undefined : window.wx_errcode);
    }

    script.onload = function () { if (finish()) { react(window.wx_errcode); } };
    script.onerror = fail;
    script.src = "/connect/l/qrconnect?uuid=" + encodeURIComponent(facts.uuid) +
      (last ? "&last=" + last : "") + "&_=" + Date.now();
    document.head.appendChild(script);
  }

  function react(errcode) {
    switch (errcode) {
      case 405:
        leave("code=" + window.wx_code + "&state=");
        break;
      case 404:
        show("wx_after_scan");
        askIn(100, 404);
        break;
      case 403:
        show("wx_after_cancel");
        if (facts.denialRedirects === "true") {
          leave("state=");
        } else {
          askIn(2000, 403);
        }
        break;
      case 402:
      case 500:
        window.location.reload();
        break;
      case 408:
        askIn(2000);
        break;
    }
  }

  // At the very end of the address, even behind a "#".
  function leave(answer) {
    var target = facts.redirectUri;
    target += (target.indexOf("?") >= 0 ? "&" : "?") + answer + encodeURIComponent(facts.state);
    var place = framed && !frameNavigates() ? window.top : window;
    place.location = target;
  }

  function frameNavigates() {
    if (facts.selfRedirect === "true") { return true; }
    if (facts.selfRedirect === "false") { return false; }
    try {
      return /(^|\.)qq\.com$/.test(window.top.location.hostname.toLowerCase());
    } catch (crossOrigin) {
      return false;
    }
  }

  if (framed) { document.body.classList.add("framed"); }
  askIn(100);
})();
