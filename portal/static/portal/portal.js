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

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-check-all]");
    if (!button) return;
    const boxes = [...document.getElementsByName(button.dataset.checkAll)];
    const missing = boxes.some((box) => !box.checked);
    boxes.forEach((box) => { box.checked = missing; });
  });

  document.addEventListener("change", (event) => {
    const field = event.target.closest("[data-autosubmit]");
    if (field) field.form.requestSubmit();
  });

  // On a phone the rows of a wide table stand below each other, each cell beside the heading of its column.
  const stack = (table) => {
    const heads = [...table.querySelectorAll(":scope > thead th")].map((h) => (h.querySelector(".visually-hidden") ? "" : h.textContent.trim()));
    if (heads.length < 5) return;
    table.classList.add("stacked");
    table.querySelectorAll(":scope > tbody > tr").forEach((row) => [...row.cells].forEach((cell, i) => {
      if (i > 0 && cell.colSpan === 1) cell.dataset.label = heads[i] || "";
      cell.classList.toggle("blank", cell.textContent.trim() === "—");
    }));
  };

  const improve = (root) => {
    root.querySelectorAll("[data-copy], [data-check-all]").forEach((b) => { b.hidden = false; });
    root.querySelectorAll("table.card-table").forEach(stack);
  };

  if (window.matchMedia("(max-width: 991.98px)").matches) document.querySelectorAll("details.facets").forEach((d) => { d.open = false; });
  improve(document);
  document.addEventListener("htmx:load", (event) => improve(event.target));
})();
