// Swagger UI has a dark mode of its own, by a class: it follows the theme of the page, as chosen or as the system's.
const root = document.documentElement;
const system = matchMedia("(prefers-color-scheme: dark)");
const follow = () => {
  const theme = root.dataset.theme;
  root.classList.toggle("dark-mode", theme === "dark" || (theme !== "light" && system.matches));
};
new MutationObserver(follow).observe(root, { attributeFilter: ["data-theme"] });
system.addEventListener("change", follow);
follow();

// Swagger UI makes its list of addresses the page's main part. What it puts around that gets a name, as parts need.
const NAMES = { "section.schemes": "Token", "section.models": "Schemas" };
const nameParts = () => {
  for (const [selector, name] of Object.entries(NAMES)) {
    document.querySelector(`#swagger-ui ${selector}`)?.setAttribute("aria-label", name);
  }
};
new MutationObserver(nameParts).observe(root, { childList: true, subtree: true });
