// Without this script everything is there but the map, the names under the pointer, and sorting.
(() => {
  const map = JSON.parse(document.getElementById("map-data").textContent);
  const groups = [...document.querySelectorAll(".group")];
  const { showTip, hideTip, tipImage, colour } = page;

  // Chosen images, in the order of the strata, as in map.chosen.
  const chosen = [];
  for (const figure of document.querySelectorAll("figure")) {
    const stratum = figure.querySelector("b").textContent;
    const group = figure.closest(".group");
    figure.querySelectorAll("li").forEach((item, place) => {
      chosen.push({ name: item.textContent, stratum, group, figure, place });
    });
  }

  // The sheet on which an image is, and where on it; none when it is not shown.
  const tileOf = ({ figure, place }) => {
    for (const image of figure.querySelectorAll(".sheet img")) {
      const { columns, count } = image.dataset;
      if (place < count) return { image, x: place % columns, y: Math.floor(place / columns), columns };
      place -= count;
    }
    return null;
  };
  const showPicture = (entry) => {
    const tile = tileOf(entry);
    if (!tile) return;
    const sheet = new Image();
    sheet.onload = () => {
      const size = sheet.naturalWidth / tile.columns;
      tipImage.width = tipImage.height = size;
      tipImage.getContext("2d").drawImage(sheet, tile.x * size, tile.y * size, size, size, 0, 0, size, size);
      tipImage.style.display = "block";
    };
    sheet.src = tile.image.src;
  };

  // Names under the pointer, on the sheets.
  document.addEventListener("mousemove", (event) => {
    const image = event.target;
    if (!(image instanceof HTMLImageElement)) return;
    const { columns, count, from } = image.dataset;
    const size = image.clientWidth / columns;
    const place = Math.floor(event.offsetY / size) * columns + Math.floor(event.offsetX / size);
    const item = image.closest("figure").querySelectorAll("li")[Number(from) + place];
    if (place < count && item) showTip(event, item.textContent);
    else hideTip();
  });
  document.addEventListener("mouseout", (event) => {
    if (event.target instanceof HTMLImageElement) hideTip();
  });

  // The map. What is chosen lies above what is not; groups that are open stand out.
  const canvas = document.querySelector(".map canvas");
  const margin = 14;
  let scale, dots;
  const draw = () => {
    const width = canvas.clientWidth;
    const height = Math.round(Math.min(width * 0.62, 620));
    const density = window.devicePixelRatio || 1;
    canvas.style.height = height + "px";
    canvas.width = width * density;
    canvas.height = height * density;
    const context = canvas.getContext("2d");
    context.scale(density, density);
    scale = Math.min((width - 2 * margin) / map.width, (height - 2 * margin) / map.height);
    const left = (width - scale * map.width) / 2, top = (height - scale * map.height) / 2;
    dots = [];
    const dot = (x, y, radius, entry) => {
      x = left + scale * x;
      y = height - top - scale * y;
      context.beginPath();
      context.arc(x, y, radius, 0, 2 * Math.PI);
      context.fill();
      dots.push({ x, y, entry });
    };
    const many = chosen.length > 3000;
    context.fillStyle = colour("--other");
    context.globalAlpha = map.others.x.length > 3000 ? 0.45 : 0.7;
    map.others.x.forEach((x, i) => dot(x, map.others.y[i], many ? 1.2 : 2, { name: map.others.names[i] }));
    context.fillStyle = colour("--chosen");
    context.globalAlpha = many ? 0.6 : 1;
    chosen.forEach((entry, i) => dot(map.chosen.x[i], map.chosen.y[i], many ? 1.5 : 3, entry));
    context.fillStyle = colour("--mark");
    context.globalAlpha = 1;
    if (groups.some((group) => !group.open)) chosen.forEach((entry, i) => {
      if (entry.group.open) dot(map.chosen.x[i], map.chosen.y[i], many ? 3 : 4, entry);
    });
    index();
  };

  // Dots by squares of 16 pixels.
  let squares;
  const side = 16;
  const index = () => {
    squares = new Map();
    for (const dot of dots) {
      const key = Math.floor(dot.x / side) + "," + Math.floor(dot.y / side);
      if (!squares.has(key)) squares.set(key, []);
      squares.get(key).push(dot);
    }
  };
  const nearest = (x, y) => {
    let best = null, least = 100;
    for (let i = -1; i <= 1; ++i) {
      for (let j = -1; j <= 1; ++j) {
        const key = Math.floor(x / side) + i + "," + (Math.floor(y / side) + j);
        for (const dot of squares.get(key) || []) {
          const distance = (dot.x - x) ** 2 + (dot.y - y) ** 2;
          if (distance <= least) [best, least] = [dot, distance];
        }
      }
    }
    return best && best.entry;
  };
  let pointed = null;
  canvas.addEventListener("mousemove", (event) => {
    const entry = nearest(event.offsetX, event.offsetY);
    if (entry !== pointed) hideTip();
    if (entry) {
      const title = entry.group && entry.group.dataset.title;
      const why = entry.group ? "chosen: " + [title, entry.stratum].filter(Boolean).join(", ") : "not chosen";
      showTip(event, entry.name + " \u2013 " + why);
      if (entry !== pointed && entry.figure) showPicture(entry);
    }
    pointed = entry;
  });
  canvas.addEventListener("mouseleave", () => { pointed = null; hideTip(); });
  canvas.addEventListener("click", (event) => {
    const entry = nearest(event.offsetX, event.offsetY);
    if (!entry || !entry.group) return;
    entry.group.open = true;
    entry.group.scrollIntoView({ block: "center" });
  });
  const drawSoon = page.drawing(draw);
  for (const group of groups) group.addEventListener("toggle", drawSoon);

  // Sorting, and opening all.
  const list = document.getElementById("groups");
  const buttons = [...document.querySelectorAll("button[data-key]")];
  for (const button of buttons) {
    button.addEventListener("click", () => {
      const key = button.dataset.key;
      const descends = button.dataset.order ? button.dataset.order !== "descending" : key !== "place";
      const sign = descends ? -1 : 1;
      const value = (group) => Number(group.dataset[key]);
      groups.sort((a, b) => sign * (value(a) - value(b)) || a.dataset.place - b.dataset.place);
      list.append(...groups);
      for (const other of buttons) {
        other.setAttribute("aria-pressed", other === button);
        other.querySelector("span").textContent = other === button ? (descends ? " \u2193" : " \u2191") : "";
        delete other.dataset.order;
      }
      button.dataset.order = descends ? "descending" : "ascending";
    });
  }
  const all = document.getElementById("open-all");  // none, where one group is all there is
  if (all) all.addEventListener("click", () => {
    const open = all.dataset.opens !== "no";
    for (const group of groups) group.open = open;
    all.dataset.opens = open ? "no" : "yes";
    all.textContent = open ? "Close all" : "Open all";
  });
})();
