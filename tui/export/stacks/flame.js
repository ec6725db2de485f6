// Zoom and search of a flamegraph. Every frame is a <g> with its place as shares of the whole: data-x
// and data-w; names stand in attributes and are only ever set as text.
"use strict";
document.querySelectorAll("svg.flame").forEach((svg) => {
  const frames = Array.from(svg.querySelectorAll("g.frame"));
  const told = svg.querySelector(".told");
  const input = svg.querySelector(".query");
  const WIDTH = Number(svg.dataset.width);
  const CHAR = Number(svg.dataset.char);
  let view = { x: 0, w: 1, row: 0 };

  function place(frame) {
    const x = (Number(frame.dataset.x) - view.x) / view.w;
    const w = Number(frame.dataset.w) / view.w;
    const isAbove = Number(frame.dataset.row) < view.row;
    const left = Math.max(x, 0);
    const right = Math.min(x + w, 1);
    const isSeen = right - left > 1e-9 && (right - left) * WIDTH >= 0.3;
    frame.style.display = isSeen ? "" : "none";
    if (!isSeen) return;
    const rect = frame.querySelector("rect");
    const text = frame.querySelector("text");
    const width = Math.max((right - left) * WIDTH - 0.5, 0.3);
    rect.setAttribute("x", left * WIDTH);
    rect.setAttribute("width", width);
    frame.classList.toggle("above", isAbove);
    const room = Math.floor((width - 6) / CHAR);
    const name = frame.dataset.short;
    text.setAttribute("x", left * WIDTH + 3);
    text.textContent = room < 3 ? "" : name.length > room ? `${name.slice(0, room - 1)}…` : name;
  }

  function zoom(frame) {
    view = {
      x: Number(frame.dataset.x),
      w: Number(frame.dataset.w),
      row: Number(frame.dataset.row),
    };
    frames.forEach(place);
  }

  function tell(frame) {
    told.textContent = frame ? frame.dataset.told : "";
  }

  function search(pattern) {
    let expression = null;
    try {
      expression = pattern ? new RegExp(pattern, /[A-Z]/.test(pattern) ? "" : "i") : null;
    } catch (error) {
      told.textContent = String(error.message);
      return;
    }
    const found = [];
    for (const frame of frames) {
      const isMatch = expression !== null && expression.test(frame.dataset.name);
      frame.classList.toggle("match", isMatch);
      frame.classList.toggle("other", expression !== null && !isMatch);
      if (isMatch) found.push([Number(frame.dataset.x), Number(frame.dataset.w)]);
    }
    found.sort((a, b) => a[0] - b[0] || b[1] - a[1]);
    let end = -1;
    let share = 0;
    for (const [x, w] of found) {
      // What stands below another match is not counted again.
      if (x + 1e-12 < end) continue;
      share += w;
      end = x + w;
    }
    const matches = found.length === 1 ? "1 match" : `${found.length} matches`;
    told.textContent = expression ? `${matches}, ${(100 * share).toFixed(1)}%` : "";
  }

  for (const frame of frames) {
    frame.addEventListener("click", () => zoom(frame));
    frame.addEventListener("mouseenter", () => tell(frame));
  }
  input.addEventListener("input", () => search(input.value));
  input.addEventListener("keydown", (event) => event.stopPropagation());
  svg.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && frames.length) zoom(frames[0]);
  });
  frames.forEach(place);
});
