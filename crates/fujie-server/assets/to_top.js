// Out of the frame at once; the link on the page does the same.
window.top.location.replace(document.getElementById("on").href);
