// Addresses are limited to some kilobytes. A longer text is reduced to the words that could be names, each once.
const LONGEST_IN_ADDRESS = 6500;
const LONGEST_SHORTENED = 4900;
for (const form of document.querySelectorAll("form.search")) {
  form.addEventListener("submit", () => {
    const field = form.elements.q;
    if (encodeURIComponent(field.value).length > LONGEST_IN_ADDRESS) {
      const words = new Set(field.value.match(/[A-Za-z0-9_.-]{3,255}/g));
      field.value = [...words].join(" ").slice(0, LONGEST_SHORTENED);
    }
  });
}
