// Follows a decision that was made elsewhere: on the phone's overview or by the control API.
(function () {
  "use strict";
  var form = document.getElementById("sign_in");
  var id = encodeURIComponent(form.dataset.id);
  var lang = form.elements.lang.value;

  function look() {
    fetch("/_simulate/sign-ins/" + id).then(function (answer) {
      return answer.json();
    }).then(function (signIn) {
      if (signIn.status !== "waiting") {
        // The server knows where it leads.
        window.location.replace("/_simulate/page/" + id + "?lang=" + lang);
        return;
      }
      window.setTimeout(look, 1000);
    }).catch(function () {
      // The simulator is away for now.
      window.setTimeout(look, 3000);
    });
  }

  window.setTimeout(look, 1000);
})();
