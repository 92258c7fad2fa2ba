// The curves. Without this script everything else is there, but tables do not sort and pictures do not open.
(() => {
  const { runs, charts } = JSON.parse(document.getElementById("curves").textContent);
  const holder = document.getElementById("charts"), bar = document.getElementById("curve-bar");
  if (charts.length === 0) {
    holder.textContent = "There are no numbers to draw.";
    return;
  }
  const hues = [212, 24, 140, 290, 48, 180, 340, 95];
  const colourOf = (run) => `hsl(${run < hues.length ? hues[run] : (run * 137.508) % 360} 62% var(--curve))`;
  for (const mark of document.querySelectorAll("i.run")) mark.style.background = colourOf(mark.dataset.run);
  const escape = (text) => String(text).replace(/[<>&"]/g, (c) => `&#${c.charCodeAt(0)};`);
  const several = runs.length > 1;

  // What is shown: the runs, the unit of x, and the part of it ([from, to], or null for all).
  const hidden = new Set();
  let epochs = false, part = null;

  const xOf = (chart, series, x) => (epochs && !chart.log ? x / runs[series.run].perEpoch : x);
  const visible = (chart) => chart.series.filter((s) => !hidden.has(s.run) && s.x.length > 0 &&
    (!epochs || chart.log || runs[s.run].perEpoch > 0));
  const rangeOf = (chart) => {
    const shared = chart.log ? [chart] : charts.filter((c) => !c.log);
    let low = Infinity, high = -Infinity;
    for (const c of shared) for (const s of visible(c)) {
      low = Math.min(low, xOf(c, s, s.x[0]));
      high = Math.max(high, xOf(c, s, s.x[s.x.length - 1]));
    }
    if (low > high) return [0, 1];
    if (part && !chart.log) return part;
    return high > low ? [low, high] : chart.log ? [low / 2, low * 2] : [low - 0.5, low + 0.5];
  };

  // At most `count` round numbers from low to high.
  const ticks = (low, high, count) => {
    const step = (high - low) / count, power = 10 ** Math.floor(Math.log10(step));
    const size = power * [1, 2, 5, 10].find((f) => f * power >= step * 0.999);
    const all = [];
    for (let i = Math.ceil(low / size - 1e-9); i <= high / size + 1e-9; ++i) all.push(i * size + 0);  // never -0
    return all;
  };
  const logTicks = (low, high, count) => {
    const all = [], first = Math.ceil(Math.log10(low) - 1e-9), last = Math.floor(Math.log10(high) + 1e-9);
    for (let e = first; e <= last; e += Math.ceil((last - first + 1) / count)) all.push(10 ** e);
    return all.length > 1 ? all : [low, high];
  };
  const number = (value) => {
    const size = Math.abs(value);
    if (Number.isInteger(value)) return value.toLocaleString("en");
    if (size >= 1e7 || size < 1e-4) return value.toExponential(2).replace(/\.?0+e/, "e");
    return Number(value.toPrecision(5)).toLocaleString("en", { maximumFractionDigits: 8 });
  };
  const amount = (chart, value) => (chart.percent ? number(Number((100 * value).toPrecision(4))) + " %" : number(value));

  // The first index whose x is at least `value`.
  const lowerBound = (xs, value) => {
    let low = 0, high = xs.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (xs[middle] < value) low = middle + 1; else high = middle;
    }
    return low;
  };
  // The indices of a series that the range shows, and one to each side.
  const shownPart = (chart, series, [from, to]) => {
    const scale = xOf(chart, series, 1);
    return [Math.max(0, lowerBound(series.x, from / scale) - 1),
      Math.min(series.x.length, lowerBound(series.x, to / scale) + 2)];
  };

  const left = 58, right = 22, top = 8, bottom = 36;
  const dashes = ["", "7 4", "2 3", "9 3 2 3"];
  const namesOf = (chart) => [...new Set(chart.series.map((s) => s.name))];
  // Of several runs, colours are runs and dashes are numbers; of one run, colours are numbers.
  const styleOf = (chart, series) => {
    const lines = [...new Set(chart.series.filter((s) => !s.thin).map((s) => s.name))];
    const place = Math.max(0, lines.indexOf(series.name));
    return several ? { colour: colourOf(series.run), dash: dashes[place % dashes.length] }
      : { colour: colourOf(place), dash: "" };
  };

  const draw = (chart) => {
    const width = Math.max(240, chart.plot.clientWidth), height = width < 420 ? 214 : 254;
    const [from, to] = rangeOf(chart);
    const across = (x) => chart.log ? (Math.log(x) - Math.log(from)) / (Math.log(to) - Math.log(from)) : (x - from) / (to - from);
    const innerWidth = width - left - right, innerHeight = height - top - bottom;
    const shown = visible(chart);
    let low = Infinity, high = -Infinity;
    for (const s of shown) {
      const [begin, end] = shownPart(chart, s, [from, to]);
      for (let i = begin; i < end; ++i) {
        low = Math.min(low, s.y[i]);
        high = Math.max(high, s.y[i]);
      }
    }
    const levels = chart.levels.filter((level) => !hidden.has(level.run));
    for (const level of levels) {
      low = Math.min(low, level.y);
      high = Math.max(high, level.y);
    }
    if (low > high) [low, high] = [0, 1];
    const space = high > low ? 0.05 * (high - low) : Math.abs(high) * 0.1 || 0.5;
    [low, high] = [low >= 0 && low < space ? 0 : low - space, high + space];
    const px = (x) => left + innerWidth * across(x), py = (y) => top + innerHeight * (high - y) / (high - low);
    chart.scale = { from, to, px, py, across, width, innerWidth };

    let svg = `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escape(chart.title)}">`;
    for (const y of ticks(low, high, 5)) {
      svg += `<line class="grid" x1="${left}" x2="${width - right}" y1="${py(y)}" y2="${py(y)}"/>` +
        `<text x="${left - 6}" y="${py(y) + 4}" text-anchor="end">${amount(chart, y)}</text>`;
    }
    for (const x of chart.log ? logTicks(from, to, Math.max(2, Math.floor(width / 55))) : ticks(from, to, Math.max(2, Math.floor(width / 110)))) {
      svg += `<text x="${px(x)}" y="${height - 20}" text-anchor="middle">${number(x)}</text>`;
    }
    svg += `<text x="${left + innerWidth / 2}" y="${height - 4}" text-anchor="middle">${escape(chart.log ? chart.xTitle : epochs ? "epoch" : "step")}</text>`;
    // An inner drawing cuts off what lies outside.
    svg += `<svg x="${left}" y="${top}" width="${innerWidth}" height="${innerHeight}" viewBox="${left} ${top} ${innerWidth} ${innerHeight}">`;
    // A normal phase: grey in a single run; of several runs, a line in the colour of each where it ends.
    for (const span of chart.spans) {
      if (hidden.has(span.run) || (epochs && !(runs[span.run].perEpoch > 0))) continue;
      const scale = xOf(chart, span, 1), begin = px(span.from * scale), end = px(span.to * scale);
      if (several) {
        svg += `<line class="phase" style="stroke:${colourOf(span.run)}" x1="${end}" x2="${end}" y1="${top}" y2="${top + innerHeight}"><title>${escape(runs[span.run].name)}: ${escape(span.name)}</title></line>`;
        continue;
      }
      svg += `<rect class="span" x="${begin}" y="${top}" width="${Math.max(0, end - begin)}" height="${innerHeight}"/>` +
        (begin > left + innerWidth / 2  // where there is more space for the name
          ? `<text x="${begin - 4}" y="${top + innerHeight - 6}" text-anchor="end">${escape(span.name)}</text>`
          : `<text x="${begin + 4}" y="${top + innerHeight - 6}">${escape(span.name)}</text>`);
    }
    for (const level of levels) {
      svg += `<line class="level" style="stroke:${several ? colourOf(level.run) : "var(--text)"}" x1="${left}" x2="${width - right}" y1="${py(level.y)}" y2="${py(level.y)}"/>`;
      if (!several) svg += `<text x="${width - right - 4}" y="${py(level.y) + (py(level.y) < top + 16 ? 13 : -4)}" text-anchor="end">${escape(level.name)}</text>`;
    }
    for (const s of [...shown].sort((a, b) => b.thin - a.thin)) {
      const [begin, end] = shownPart(chart, s, [from, to]);
      const { colour, dash } = styleOf(chart, s);
      let path = "";
      for (let i = begin; i < end; ++i) {
        path += `${path ? "L" : "M"}${px(xOf(chart, s, s.x[i])).toFixed(1)} ${py(s.y[i]).toFixed(1)}`;
      }
      if (end - begin === 1) path += "h0.01";
      svg += `<path class="${s.thin ? "thin" : "line"}" style="stroke:${colour}"` +
        `${dash ? ` stroke-dasharray="${dash}"` : ""}${end - begin === 1 ? ` stroke-linecap="round" stroke-width="6"` : ""} d="${path}"/>`;
    }
    chart.drawing.innerHTML = svg + "</svg></svg>";
  };
  // The values at the pointer: of each curve the nearest point; of many curves the nearest ones.
  const most = 14;
  const valuesAt = (chart, x, yPixel) => {
    const rows = [];
    for (const s of visible(chart)) {
      const wanted = x / xOf(chart, s, 1);
      let i = lowerBound(s.x, wanted);
      if (i === s.x.length || (i > 0 && wanted - s.x[i - 1] < s.x[i] - wanted)) --i;
      rows.push({ s, i, far: Math.abs(chart.scale.py(s.y[i]) - yPixel) });
    }
    const near = [...rows].sort((a, b) => a.far - b.far).slice(0, most);
    return { rows: rows.filter((row) => near.includes(row)), left: rows.length - near.length };
  };
  const tipOf = (chart, x, yPixel) => {
    const { rows, left: more } = valuesAt(chart, x, yPixel);
    const table = document.createElement("table");
    const add = (...cells) => {
      const row = table.insertRow();
      for (const cell of cells) row.insertCell().append(cell);
      return row;
    };
    for (const { s, i } of rows) {
      const mark = document.createElement("i");
      mark.className = "run";
      mark.style.background = styleOf(chart, s).colour;
      const name = document.createElement("span");
      name.append(mark, (several ? runs[s.run].name + " " : "") + s.name);
      const at = chart.log ? chart.xTitle + " " + number(s.x[i])
        : epochs ? "epoch " + number(Number(xOf(chart, s, s.x[i]).toPrecision(4))) : "step " + number(s.x[i]);
      add(name, amount(chart, s.y[i]), at);
    }
    if (more > 0) add(`and ${more} more`);
    return table;
  };

  for (const chart of charts) {
    const figure = document.createElement("div");
    figure.className = "chart";
    const title = document.createElement("h3");
    title.textContent = chart.title;
    const note = document.createElement("p");
    note.className = "quiet";
    note.textContent = chart.note;
    chart.plot = document.createElement("div");
    chart.plot.className = "plot";
    chart.drawing = document.createElement("div");
    const hair = document.createElement("div"), selected = document.createElement("div");
    hair.className = "hair";
    selected.className = "part";
    chart.plot.append(chart.drawing, hair, selected);
    const key = document.createElement("div");
    key.className = "key";
    const names = namesOf(chart);
    if (names.length > 1 && names.length <= 24) for (const name of names) {
      const series = chart.series.find((s) => s.name === name);
      const { colour, dash } = styleOf(chart, series);
      const entry = document.createElement("span");
      entry.innerHTML = `<svg viewBox="0 0 26 8"><line x1="0" x2="26" y1="4" y2="4" style="${several ? "" : `stroke:${colour};`}${series.thin ? "opacity:.45" : ""}"${dash ? ` stroke-dasharray="${dash}"` : ""}/></svg>`;
      entry.append(name);
      key.append(entry);
    }
    figure.append(title, note, chart.plot, key);
    holder.append(figure);

    const place = (event) => {
      const box = chart.plot.getBoundingClientRect();
      const x = Math.min(Math.max(event.clientX - box.left, left), left + chart.scale.innerWidth);
      const share = (x - left) / chart.scale.innerWidth, { from, to } = chart.scale;
      return { x, y: event.clientY - box.top, value: chart.log ? from * (to / from) ** share : from + share * (to - from) };
    };
    let start = null;
    const leave = () => {
      if (hair.style.display !== "block") return;
      hair.style.display = "none";
      page.hideTip();
    };
    const point = (event) => {
      const at = place(event);
      hair.style.display = "block";
      hair.style.left = at.x + "px";
      page.showTip(event, tipOf(chart, at.value, at.y));
      return at;
    };
    chart.plot.addEventListener("pointermove", (event) => {
      const at = point(event);
      if (!start || Math.abs(at.x - start.x) <= 5) return;
      selected.style.display = "block";
      selected.style.left = Math.min(at.x, start.x) + "px";
      selected.style.width = Math.abs(at.x - start.x) + "px";
    });
    // A finger leaves when it is lifted; what it pointed at stays until the next touch elsewhere.
    chart.plot.addEventListener("pointerleave", (event) => {
      if (!start && event.pointerType !== "touch") leave();
    });
    document.addEventListener("pointerdown", (event) => {
      if (!chart.plot.contains(event.target)) leave();
    }, true);
    chart.plot.addEventListener("pointercancel", () => {
      start = null;
      selected.style.display = "none";
      leave();
    });
    chart.plot.addEventListener("pointerdown", (event) => {
      const at = point(event);
      if (event.button !== 0 || chart.log) return;
      start = at;
      chart.plot.setPointerCapture(event.pointerId);
    });
    chart.plot.addEventListener("pointerup", (event) => {
      selected.style.display = "none";
      if (!start) return;
      const from = start, to = place(event);
      start = null;
      if (Math.abs(to.x - from.x) <= 5) return;
      setPart([Math.min(from.value, to.value), Math.max(from.value, to.value)]);
    });
    chart.plot.addEventListener("dblclick", () => setPart(null));
  }
  const redraw = page.drawing(() => { for (const chart of charts) draw(chart); });

  // The bar: the part that is shown, the unit of x, and the runs.
  const button = (text, act) => {
    const made = document.createElement("button");
    made.type = "button";
    made.append(text);
    made.addEventListener("click", () => act(made));
    bar.append(made);
    return made;
  };
  const whole = () => {
    const kept = part;
    part = null;
    const range = rangeOf(charts.find((chart) => !chart.log) || charts[0]);
    part = kept;
    return range;
  };
  const parts = [];
  const setPart = (range, pressed = range ? null : parts[0]) => {
    part = range;
    for (const other of parts) other.setAttribute("aria-pressed", other === pressed);
    redraw();
  };
  if (charts.some((chart) => !chart.log)) {
    for (const [text, share] of [["All", 1], ["Last half", 0.5], ["Last tenth", 0.1]]) {
      const made = button(text, () => {
        const [from, to] = whole();
        setPart(share === 1 ? null : [to - share * (to - from), to], made);
      });
      made.setAttribute("aria-pressed", share === 1);
      parts.push(made);
    }
    if (runs.some((run) => run.perEpoch > 0)) button("Epochs", (made) => {
      epochs = !epochs;
      made.setAttribute("aria-pressed", epochs);
      setPart(null);
    }).setAttribute("aria-pressed", false);
  }
  if (several) runs.forEach((run, r) => {
    const mark = document.createElement("i");
    mark.className = "run";
    mark.style.background = colourOf(r);
    const made = button(mark, () => {
      if (!hidden.delete(r)) hidden.add(r);
      made.setAttribute("aria-pressed", !hidden.has(r));
      redraw();
    });
    made.append(run.name);
    made.setAttribute("aria-pressed", true);
  });
  // On paper nothing can be opened. Of several runs, it would be too much.
  if (!several) addEventListener("beforeprint", () => {
    for (const details of document.querySelectorAll("details")) details.open = true;
  });
  // A link to a run opens its details.
  addEventListener("hashchange", () => {
    const target = document.getElementById(location.hash.slice(1));
    if (target && target.tagName === "DETAILS") target.open = true;
  });
})();
