// The map of the features.
(() => {
  const map = JSON.parse(document.getElementById("feature-map-data").textContent);
  const canvas = document.querySelector("#feature-map canvas");
  const sheet = document.getElementById("feature-sheet");  // none where the images are gone
  const hueOf = (group) => (group * 137.508 + 212) % 360;
  const nameOf = (i) => (map.labels[i] < 0 ? "" : map.classes[map.labels[i]]);
  const colourOf = (group, lightness) => (group < 0 ? page.colour("--other") : `hsl(${hueOf(group)} 62% ${lightness})`);
  // What the colours are: labels, where there are some, or clusters.
  const ways = [
    ["Labels", map.labels, (group) => (group < 0 ? "no label" : map.classes[group])],
    ["Clusters", map.clusters, (group) => "cluster " + (group + 1)],
  ].filter(([, groups]) => groups.some((group) => group >= 0));
  let way = ways[0];

  const least = (values) => values.reduce((a, b) => Math.min(a, b), Infinity);
  const most = (values) => values.reduce((a, b) => Math.max(a, b), -Infinity);
  const low = [least(map.x), least(map.y)], high = [most(map.x), most(map.y)];
  const margin = 14;
  let dots = [];
  const draw = () => {
    const width = canvas.clientWidth, height = Math.round(Math.min(Math.max(width * 0.62, Math.min(width, 340)), 620));
    const density = devicePixelRatio || 1;
    canvas.style.height = height + "px";
    canvas.width = width * density;
    canvas.height = height * density;
    const context = canvas.getContext("2d");
    context.scale(density, density);
    const scale = Math.min((width - 2 * margin) / (high[0] - low[0] || 1), (height - 2 * margin) / (high[1] - low[1] || 1));
    const lightness = page.colour("--curve");
    context.globalAlpha = 0.8;
    dots = map.x.map((x, i) => {
      const dot = {
        x: width / 2 + scale * (x - (low[0] + high[0]) / 2), y: height / 2 - scale * (map.y[i] - (low[1] + high[1]) / 2), i,
      };
      context.fillStyle = colourOf(way[1][i], lightness);
      context.beginPath();
      context.arc(dot.x, dot.y, 3, 0, 2 * Math.PI);
      context.fill();
      return dot;
    });
  };
  const redraw = page.drawing(draw);
  const key = document.getElementById("feature-key"), bar = document.getElementById("feature-bar");
  const choose = (chosen) => {
    way = chosen;
    const [title, of, name] = way;
    for (const button of bar.children) button.setAttribute("aria-pressed", button.textContent === title);
    const groups = [...new Set(of)].sort((a, b) => a - b);
    key.replaceChildren();
    if (groups.length > 1 && groups.length <= 30) for (const group of groups) {
      const entry = document.createElement("span"), mark = document.createElement("i");
      mark.style.background = colourOf(group, "var(--curve)");
      entry.append(mark, name(group));
      key.append(entry);
    }
    redraw();
  };
  if (ways.length > 1) for (const made of ways) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = made[0];
    button.addEventListener("click", () => choose(made));
    bar.append(button);
  }
  choose(ways[0]);
  const point = (event) => {
    let best = null, distance = 144;
    for (const dot of dots) {
      const d = (dot.x - event.offsetX) ** 2 + (dot.y - event.offsetY) ** 2;
      if (d < distance) [best, distance] = [dot, d];
    }
    page.hideTip();
    if (!best) return;
    if (sheet && sheet.complete && sheet.naturalWidth > 0) {
      const size = sheet.naturalWidth / map.columns;
      const column = best.i % map.columns, row = Math.floor(best.i / map.columns);
      page.tipImage.width = page.tipImage.height = size;
      page.tipImage.getContext("2d").drawImage(sheet, column * size, row * size, size, size, 0, 0, size, size);
      page.tipImage.style.display = "block";
    }
    page.showTip(event, [map.names[best.i], nameOf(best.i), ways.length > 1 ? "" : ways[0][2](map.clusters[best.i])]
      .filter(Boolean).join(", "));
  };
  canvas.addEventListener("pointermove", point);
  canvas.addEventListener("pointerdown", point);
  // What a finger pointed at stays until the next touch elsewhere.
  canvas.addEventListener("pointerleave", (event) => { if (event.pointerType !== "touch") page.hideTip(); });
  document.addEventListener("pointerdown", (event) => { if (event.target !== canvas) page.hideTip(); }, true);
})();
