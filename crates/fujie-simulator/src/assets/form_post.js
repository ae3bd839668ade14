// Posts the answer to the client as soon as the page is there.
document.getElementById("form_post").submit();
