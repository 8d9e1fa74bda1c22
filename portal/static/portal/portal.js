// Small improvements; every page works without this file.
(() => {
  "use strict";

  document.addEventListener("submit", (event) => {
    const form = event.target;
    const asker = (event.submitter && event.submitter.dataset.confirm) || form.dataset.confirm;
    if (asker && !window.confirm(asker)) {
      event.preventDefault();
      event.stopPropagation();
      return;
    }
    if (form.method === "post" && !form.hasAttribute("hx-post")) {
      window.setTimeout(() => form.querySelectorAll("button[type=submit]").forEach((b) => { b.disabled = true; }), 0);
    }
  }, true);

  window.addEventListener("pageshow", (event) => {
    if (event.persisted) document.querySelectorAll("form[method=post] button[type=submit]").forEach((b) => { b.disabled = false; });
  });

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const target = document.querySelector(button.dataset.copy);
    try {
      await navigator.clipboard.writeText(target.textContent);
      (button.querySelector("span") || button).textContent = button.dataset.copied;
    } catch {
      const range = document.createRange();
      range.selectNodeContents(target);
      const selection = window.getSelection();
      selection.removeAllRanges();
      selection.addRange(range);
    }
  });

  document.addEventListener("change", (event) => {
    const field = event.target.closest("[data-autosubmit]");
    if (field) field.form.requestSubmit();
  });

  document.querySelectorAll("[data-copy]").forEach((b) => { b.hidden = false; });
  document.addEventListener("htmx:load", (event) => event.target.querySelectorAll("[data-copy]").forEach((b) => { b.hidden = false; }));
})();
