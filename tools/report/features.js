// The map of the features.
(() => {
  const map = JSON.parse(document.getElementById("feature-map-data").textContent);
  const canvas = document.querySelector("#feature-map canvas");
  const sheet = document.getElementById("feature-sheet");  // none where the images are gone
  const hueOf = (label) => (label * 137.508 + 212) % 360;
  const labels = [...new Set(map.labels)].sort((a, b) => a - b);
  const nameOf = (label) => (label < 0 ? "" : map.classes[label] || "class " + label);
  const colourOf = (label, lightness) => (label < 0 ? page.colour("--other") : `hsl(${hueOf(label)} 62% ${lightness})`);

  const least = (values) => values.reduce((a, b) => Math.min(a, b), Infinity);
  const most = (values) => values.reduce((a, b) => Math.max(a, b), -Infinity);
  const low = [least(map.x), least(map.y)], high = [most(map.x), most(map.y)];
  const margin = 14;
  let dots = [];
  page.drawing(() => {
    const width = canvas.clientWidth, height = Math.round(Math.min(width * 0.62, 620));
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
      context.fillStyle = colourOf(map.labels[i], lightness);
      context.beginPath();
      context.arc(dot.x, dot.y, 3, 0, 2 * Math.PI);
      context.fill();
      return dot;
    });
  });
  const key = document.getElementById("feature-key");
  if (labels.length > 1 && labels.length <= 30) for (const label of labels) {
    const entry = document.createElement("span"), mark = document.createElement("i");
    mark.style.background = colourOf(label, "var(--curve)");
    entry.append(mark, nameOf(label) || "no label");
    key.append(entry);
  }
  canvas.addEventListener("mousemove", (event) => {
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
    page.showTip(event, [map.names[best.i], nameOf(map.labels[best.i])].filter(Boolean).join(", "));
  });
  canvas.addEventListener("mouseleave", page.hideTip);
})();
