"use strict";
// What the pages share: text under the pointer, pictures that open, tables that sort, drawings that follow the window.
const page = (() => {
  const tip = document.getElementById("tip");
  const tipImage = tip.querySelector("canvas");
  const tipText = tip.querySelector("span");

  // Shows a text or a node beside the pointer.
  const showTip = (event, content) => {
    tipText.replaceChildren(content);
    tip.style.display = "block";
    const left = Math.min(event.pageX + 14, scrollX + document.documentElement.clientWidth - tip.offsetWidth - 8);
    tip.style.left = Math.max(8, left) + "px";
    tip.style.top = event.pageY + 16 + "px";
  };
  const hideTip = () => { tip.style.display = tipImage.style.display = "none"; };

  // Calls `draw` now, and again before the next frame after the size or the colours have changed; the function
  // that it returns asks for that, too.
  const drawing = (draw) => {
    let waiting = 0;
    const soon = () => {
      cancelAnimationFrame(waiting);
      waiting = requestAnimationFrame(draw);
    };
    addEventListener("resize", soon);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", soon);
    // Printing has the light colours, and does not wait for the next frame.
    matchMedia("print").addEventListener("change", draw);
    draw();
    return soon;
  };

  // A value of the style sheet, such as "--chosen".
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  // Pictures of the class "open" are shown large when they are clicked; arrow keys show the next ones.
  let viewer = null, shown = null;
  const show = (image) => {
    shown = image;
    if (!viewer) {
      viewer = document.createElement("dialog");
      viewer.id = "viewer";
      viewer.append(new Image(), document.createElement("p"));
      viewer.addEventListener("click", () => viewer.close());
      viewer.addEventListener("keydown", (event) => {
        const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
        if (!step) return;
        const all = [...document.querySelectorAll("img.open")];
        show(all[(all.indexOf(shown) + step + all.length) % all.length]);
      });
      document.body.append(viewer);
    }
    viewer.querySelector("img").src = image.src;
    viewer.querySelector("img").alt = viewer.querySelector("p").textContent = image.alt;
    if (!viewer.open) viewer.showModal();
  };
  for (const image of document.querySelectorAll("img.open")) {
    image.tabIndex = 0;
    image.setAttribute("role", "button");
  }
  document.addEventListener("click", (event) => {
    if (event.target.matches("img.open")) show(event.target);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.matches("img.open")) show(event.target);
  });

  // Tables of the class "sortable" sort by the column whose head is clicked: by data-value or the text of its cells,
  // as numbers where both are numbers; empty cells come last.
  const valueOf = (row, column) => {
    const cell = row.cells[column];
    return cell.dataset.value !== undefined ? cell.dataset.value : cell.textContent.trim();
  };
  const compare = (a, b) => {
    const [x, y] = [Number(a), Number(b)];
    return isNaN(x) || isNaN(y) ? a.localeCompare(b, "en", { numeric: true }) : x - y;
  };
  for (const table of document.querySelectorAll("table.sortable")) {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      const button = document.createElement("button");
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const order = head.getAttribute("aria-sort") === "ascending" ? "descending" : "ascending";
        for (const other of heads) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", order);
        const sign = order === "ascending" ? 1 : -1;
        const rows = [...table.tBodies[0].rows].sort((a, b) => {
          const [x, y] = [valueOf(a, column), valueOf(b, column)];
          if (x === "" || y === "") return (x === "") - (y === "");
          return sign * compare(x, y);
        });
        table.tBodies[0].append(...rows);
      });
    });
  }

  // What has a data-tip shows it under the pointer; after a touch until the next one.
  let tipped = null;
  const overTipped = (event) => {
    const target = event.target.closest("[data-tip]");
    if (!target) {
      if (tipped && event.pointerType !== "touch") hideTip();
      if (event.pointerType !== "touch") tipped = null;
      return;
    }
    tipped = target;
    showTip(event, target.dataset.tip);
  };
  document.addEventListener("pointermove", overTipped);
  document.addEventListener("pointerdown", (event) => {
    if (tipped) hideTip();
    tipped = null;
    overTipped(event);
  });

  return { showTip, hideTip, tipImage, drawing, colour };
})();
