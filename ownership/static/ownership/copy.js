// Buttons that copy a text. What was done is said in the button and, for screen readers, in a status line.
const status = document.createElement("p");
status.className = "unseen";
status.setAttribute("role", "status");
document.body.append(status);
for (const button of document.querySelectorAll("[data-copy]")) {
  const label = button.firstChild;
  const before = label.textContent;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
      label.textContent = "Copied";
    } catch {
      label.textContent = "Could not copy";
    }
    status.textContent = `${label.textContent}: ${button.dataset.copy}`;
    setTimeout(() => (label.textContent = before), 2000);
  });
  button.hidden = !navigator.clipboard; // browsers have it on HTTPS and on this machine alone
}
