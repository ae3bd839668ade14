// Loads the overview anew when a sign-in came, went or changed, unless somebody is choosing.
(function () {
  "use strict";
  var seen = null;

  function look() {
    fetch("/_simulate/sign-ins").then(function (answer) {
      return answer.json();
    }).then(function (signIns) {
      var now = signIns.map(function (one) { return one.id + one.status; }).join();
      var choosing = document.activeElement && document.activeElement.closest("form");
      if (seen !== null && now !== seen && !choosing) {
        window.location.reload();
      }
      seen = seen === null ? now : seen;
    }).catch(function () { /* The simulator is away; the next look will tell. */ }).then(function () {
      window.setTimeout(look, 1500);
    });
  }

  look();
})();
