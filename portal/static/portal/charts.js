// Draws every element with data-chart="<id>" from the JSON data block with that id (template tag `chart`).
(() => {
  "use strict";

  const draw = (root) => root.querySelectorAll("[data-chart]").forEach((place) => {
    if (window.echarts.getInstanceByDom(place)) return;
    const option = JSON.parse(document.getElementById(place.dataset.chart).textContent);
    const instance = window.echarts.init(place, null, { renderer: "svg" });
    instance.setOption({ animation: false, textStyle: { fontFamily: getComputedStyle(document.body).fontFamily }, ...option });
    new ResizeObserver(() => instance.resize()).observe(place);
  });

  draw(document);
  document.addEventListener("htmx:load", (event) => draw(event.target));
})();
