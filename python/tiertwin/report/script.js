"use strict";
// Three small comforts; the page says everything without them: policies on and off, values under the cursor, the map's epoch.
const held = (id) => { const found = document.getElementById(id); return found && JSON.parse(found.textContent); };

for (const button of document.querySelectorAll("[data-toggle]")) {
  button.addEventListener("click", () => {
    const on = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", on);
    for (const path of document.querySelectorAll("[data-p]"))
      if (path.dataset.p === button.dataset.toggle) path.style.display = on ? "" : "none";
  });
}

const series = held("series");
for (const figure of series ? document.querySelectorAll("[data-chart]") : []) {
  const area = figure.querySelector(".area"), lines = series.charts[figure.dataset.chart];
  const percent = series.percent.includes(figure.dataset.chart), last = series.epochs.length - 1;
  const show = (v) => v === null ? "–" : percent ? `${+(100 * v).toPrecision(3)} %` : `${+v.toPrecision(4)}`;
  let cursor, tip;
  area.addEventListener("pointermove", (event) => {
    const box = area.getBoundingClientRect(), share = (event.clientX - box.left) / box.width;
    const at = Math.max(0, Math.min(last, Math.round(share * last)));
    cursor ??= area.appendChild(Object.assign(document.createElement("div"), { className: "cursor" }));
    tip ??= area.appendChild(Object.assign(document.createElement("div"), { className: "tip" }));
    cursor.style.left = `${last ? 100 * at / last : 0}%`;
    tip.replaceChildren(`epoch ${series.epochs[at]}`);
    for (const [policy, values] of Object.entries(lines)) {
      const row = tip.appendChild(document.createElement("div")), mark = document.createElement("i");
      mark.className = `c${series.colours[policy]}`;
      row.append(mark, `${policy} ${show(values[at])}`);
    }
    tip.style.left = share < .5 ? `calc(${100 * share}% + 12px)` : "";
    tip.style.right = share < .5 ? "" : `calc(${100 - 100 * share}% + 12px)`;
  });
  area.addEventListener("pointerleave", () => { cursor?.remove(); tip?.remove(); cursor = tip = undefined; });
}

const frames = held("frames");
if (frames) {
  const when = document.getElementById("when"), whose = document.getElementById("whose"), said = document.getElementById("epoch");
  const lines = document.querySelectorAll("#map .link"), sites = document.querySelectorAll("#map .site");
  const draw = () => {
    const at = +when.value, used = frames.links[whose.value]?.[at], load = frames.sites[whose.value]?.[at];
    said.textContent = frames.epochs[at];
    if (used) lines.forEach((line, index) => {
      const share = used[frames.drawn[index]], title = line.querySelector("title");
      line.setAttribute("class", `link u${frames.steps.filter((limit) => share >= limit).length}`);
      title.textContent = `${title.dataset.t}, ${share} % used`;
    });
    if (load) sites.forEach((site) => site.setAttribute("r", (2.5 + 9.5 * Math.sqrt(load[+site.dataset.s] / 100)).toFixed(1)));
  };
  when.addEventListener("input", draw);
  whose.addEventListener("change", draw);
}
