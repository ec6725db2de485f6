// One cursor over all pictures that share the axis of time: it tells what each line says there.
// Texts come from a block of JSON and are only ever set as text.
"use strict";
(() => {
  const block = document.getElementById("trend-data");
  if (block === null) return;
  const data = JSON.parse(block.textContent);
  const plots = Array.from(document.querySelectorAll("svg.plot"));
  const values = Array.from(document.querySelectorAll("[data-series]"));
  const usual = new Map(values.map((value) => [value, value.textContent]));
  let shown = null;

  function show(column) {
    shown = column;
    for (const plot of plots) {
      const cursor = plot.querySelector(".cursor");
      cursor.setAttribute("visibility", column === null ? "hidden" : "visible");
      if (column === null) continue;
      cursor.setAttribute("transform", `translate(${data.centres[column]} 0)`);
      cursor.querySelector("text").textContent = data.times[column];
    }
    for (const value of values) {
      const texts = data.texts[value.dataset.series];
      value.textContent = column === null ? usual.get(value) : texts[column];
    }
  }

  function columnAt(plot, clientX) {
    const box = plot.getBoundingClientRect();
    const x = ((clientX - box.left) / box.width) * data.width;
    if (x < data.left || x > data.right) return null;
    let nearest = 0;
    data.centres.forEach((centre, column) => {
      if (Math.abs(centre - x) < Math.abs(data.centres[nearest] - x)) nearest = column;
    });
    return nearest;
  }

  function step(event) {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (event.key === "Escape") show(null);
    if (by === undefined) return;
    event.preventDefault();
    const last = data.centres.length - 1;
    show(shown === null ? (by > 0 ? 0 : last) : Math.min(last, Math.max(0, shown + by)));
  }

  for (const plot of plots) {
    plot.setAttribute("tabindex", "0");
    plot.addEventListener("pointermove", (event) => show(columnAt(plot, event.clientX)));
    plot.addEventListener("pointerleave", () => show(null));
    plot.addEventListener("keydown", step);
  }
})();

// Paper can't be unfolded.
addEventListener("beforeprint", () => {
  for (const folded of document.querySelectorAll("details")) folded.open = true;
});
