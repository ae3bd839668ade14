// Follows a decision that was made elsewhere: on the phone's overview or by the control API.
(function () {
  "use strict";
  var form = document.getElementById("sign_in");
  var id = encodeURIComponent(form.dataset.id);
  var lang = form.elements.lang.value;
  // A decision made here: its own answer leads on, and who follows it as well arrives twice.
  var decided = false;
  var timer;

  function lookIn(milliseconds) {
    window.clearTimeout(timer);
    timer = window.setTimeout(look, milliseconds);
  }

  function look() {
    fetch("/_simulate/sign-ins/" + id).then(function (answer) {
      return answer.json();
    }).then(function (signIn) {
      if (decided) { return; }
      if (signIn.status !== "waiting") {
        // The server knows where it leads.
        window.location.replace("/_simulate/page/" + id + "?lang=" + lang);
        return;
      }
      lookIn(1000);
    }).catch(function () {
      // The simulator is away for now.
      lookIn(3000);
    });
  }

  form.addEventListener("submit", function () {
    decided = true;
    window.clearTimeout(timer);
  });

  // Also when somebody comes back to the page by the browser's history.
  window.addEventListener("pageshow", function () {
    decided = false;
    lookIn(1000);
  });
})();
