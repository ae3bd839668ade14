// Copies what stands beside a button. Without script, or where no page may copy, there is no button.
for (const button of document.querySelectorAll("button[data-copy]")) {
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    const place = document.getElementById(button.dataset.copy);
    try {
      await navigator.clipboard.writeText(place.textContent);
      button.textContent = button.dataset.done;
    } catch {
      // Refused after all: marked, so that the person can copy it.
      getSelection().selectAllChildren(place);
    }
  });
}
