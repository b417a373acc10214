// An address holds some kilobytes. Of a longer text the words that could be names go into it, each once.
for (const form of document.querySelectorAll("form.search")) {
  form.addEventListener("submit", () => {
    const field = form.elements.q;
    if (encodeURIComponent(field.value).length > 6500) {
      const words = new Set(field.value.match(/[A-Za-z0-9_.-]{3,255}/g));
      field.value = [...words].join(" ").slice(0, 4900);
    }
  });
}
