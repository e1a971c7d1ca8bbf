"use strict";
(() => {
  const { drawn, files } = JSON.parse(document.getElementById("data").textContent);
  const at = (id) => document.getElementById(id);
  const COLOUR = { congruent: "#0072B2", incongruent: "#D55E00", neutral: "#6B6B6B" };
  const WRITTEN = { ...COLOUR, incongruent: "#B34700" }; // dark enough to be read
  const INK = "#222222", SOFT = "#5b5b60", ACCENT = "#0072B2";
  document.body.classList.add("scripted");

  // --- drawing -------------------------------------------------------------------------------------------------------

  const svg = (name, attributes, parent, text) => {
    const node = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    if (text !== undefined) node.textContent = text;
    if (parent) parent.append(node);
    return node;
  };
  const html = (name, text, parent) => {
    const node = document.createElement(name);
    if (text !== undefined) node.textContent = text;
    if (parent) parent.append(node);
    return node;
  };
  const known = (value) => value !== null && value !== undefined;
  const range = (values, room = 0.06) => {
    const all = values.flat(3).filter(known);
    let [low, high] = [Math.min(...all), Math.max(...all)];
    if (!all.length) return [0, 1];
    if (low === high) [low, high] = [low - 0.5, high + 0.5];
    return [low - room * (high - low), high + room * (high - low)];
  };
  const ticks = ([low, high], most) => {
    const raw = (high - low) / most, power = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 5, 10].map((k) => k * power).find((k) => k >= raw);
    const found = [];
    for (let k = Math.ceil(low / step); k * step <= high + 1e-9 * step; k++) found.push(+(k * step).toPrecision(12));
    return found;
  };
  const minus = (value) => String(value).replace("-", "−");
  const shown = (value) => (known(value) ? minus(+(+value).toPrecision(3)) : "–");

  /** Axes with ticks and names; gives the node and the maps from values to places. */
  const axes = ({ title, x, y, xname, yname, width = 300, height = 210, xticks }) => {
    const [left, right, top, bottom] = [44, 8, title ? 22 : 8, 36];
    const node = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": title || `${yname} over ${xname}` });
    const X = (value) => left + ((value - x[0]) / (x[1] - x[0])) * (width - left - right);
    const Y = (value) => height - bottom - ((value - y[0]) / (y[1] - y[0])) * (height - top - bottom);
    if (title) svg("text", { x: left, y: 13, "font-size": 11, "font-weight": 600, fill: INK }, node, title);
    svg("path", { d: `M${left},${top}V${height - bottom}H${width - right}`, fill: "none", stroke: INK, "stroke-width": 0.7 }, node);
    for (const tick of xticks || ticks(x, 5)) {
      svg("line", { x1: X(tick), x2: X(tick), y1: height - bottom, y2: height - bottom + 3, stroke: INK, "stroke-width": 0.7 }, node);
      svg("text", { x: X(tick), y: height - bottom + 14, "font-size": 9.5, "text-anchor": "middle", fill: SOFT }, node, minus(tick));
    }
    for (const tick of ticks(y, 4)) {
      svg("line", { x1: left - 3, x2: left, y1: Y(tick), y2: Y(tick), stroke: INK, "stroke-width": 0.7 }, node);
      svg("text", { x: left - 6, y: Y(tick) + 3.3, "font-size": 9.5, "text-anchor": "end", fill: SOFT }, node, minus(tick));
    }
    svg("text", { x: (left + width - right) / 2, y: height - 5, "font-size": 10, "text-anchor": "middle", fill: INK }, node, xname);
    const middle = (top + height - bottom) / 2;
    svg("text", { x: 10, y: middle, "font-size": 10, "text-anchor": "middle", fill: INK, transform: `rotate(-90 10 ${middle})` }, node, yname);
    return { node, X, Y, left, right: width - right };
  };
  const polygon = (plot, points, colour) => {
    const whole = points.filter(([x, y]) => known(x) && known(y));
    const d = whole.map(([x, y], i) => `${i ? "L" : "M"}${plot.X(x).toFixed(1)},${plot.Y(y).toFixed(1)}`).join("");
    if (whole.length > 2) svg("path", { d: `${d}Z`, fill: colour, opacity: 0.24 }, plot.node);
  };
  /** The edges of a band, so that conditions can be told apart in grey. */
  const edges = (plot, lines, level) => {
    for (const points of lines) {
      const d = points.filter(([x, y]) => known(x) && known(y)).map(([x, y], i) => `${i ? "L" : "M"}${plot.X(x).toFixed(1)},${plot.Y(y).toFixed(1)}`).join("");
      if (d) svg("path", { d, fill: "none", stroke: COLOUR[level] || INK, "stroke-width": 0.7, "stroke-dasharray": level === "incongruent" ? "3 2" : "none" }, plot.node);
    }
  };
  const band = (plot, xs, low, high, colour) => polygon(plot, [...xs.map((x, i) => [x, low[i]]), ...xs.map((x, i) => [x, high[i]]).reverse()], colour);
  const mark = (plot, x, y, level) => {
    if (!known(x) || !known(y)) return;
    const [px, py] = [plot.X(x), plot.Y(y)], colour = COLOUR[level] || INK;
    if (level === "incongruent") svg("rect", { x: px - 3, y: py - 3, width: 6, height: 6, fill: colour }, plot.node);
    else if (level === "congruent") svg("circle", { cx: px, cy: py, r: 3.2, fill: colour }, plot.node);
    else svg("path", { d: `M${px},${py - 4}L${px + 4},${py}L${px},${py + 4}L${px - 4},${py}Z`, fill: colour }, plot.node);
  };
  /** Names of conditions in a corner, each with its mark. */
  const named = (plot, levels, x, y) =>
    levels.forEach((level, i) => {
      const place = { ...plot, X: () => x, Y: () => y + 13 * i };
      mark(place, 0, 0, level);
      svg("text", { x: x + 8, y: y + 13 * i + 3.5, "font-size": 10, fill: WRITTEN[level] || INK }, plot.node, level);
    });

  const distribution = ({ levels }) => {
    const names = Object.keys(levels), all = Object.values(levels).map((level) => level.quantiles);
    const plot = axes({ title: "RT distribution", x: range(all.map((q) => [q.observed, q.low, q.high])), y: [0, 1], xname: "RT of correct answers (ms)", yname: "share of trials" });
    for (const name of names) {
      const q = levels[name].quantiles;
      const low = q.low.map((x, i) => [x, q.predicted[i]]), high = q.high.map((x, i) => [x, q.predicted[i]]);
      polygon(plot, [...low, ...[...high].reverse()], COLOUR[name]);
      edges(plot, [low, high], name);
      q.observed.forEach((x, i) => mark(plot, x, q.share[i], name));
    }
    named(plot, names, plot.left + 10, 30);
    return plot.node;
  };
  const accuracy = ({ levels }) => {
    const names = Object.keys(levels), all = Object.values(levels).map((level) => level.accuracy);
    const n = all[0].observed.length, xs = [...Array(n).keys()].map((i) => i + 1);
    const lowest = Math.min(...all.flatMap((a) => [...a.observed, ...a.low]).filter(known), 0.9);
    const plot = axes({ title: "Conditional accuracy (CAF)", x: [0.6, n + 0.4], y: [Math.max(0, lowest - 0.25 * (1 - lowest)), 1.01], xname: "RT bin, from fast to slow", yname: "share correct", xticks: xs });
    for (const name of names) {
      const a = levels[name].accuracy;
      band(plot, xs, a.low, a.high, COLOUR[name]);
      edges(plot, [a.low, a.high].map((ys) => xs.map((x, i) => [x, ys[i]])), name);
      const aside = name === "congruent" ? -0.06 : name === "incongruent" ? 0.06 : 0; // points of the same height stay visible
      a.observed.forEach((y, i) => mark(plot, xs[i] + aside, y, name));
    }
    named(plot, names, plot.right - 80, 210 - 36 - 13 * names.length);
    return plot.node;
  };
  const delta = ({ delta: d }) => {
    const plot = axes({ title: "Delta function", x: range([d.at, d.predicted]), y: range([d.observed, d.low, d.high, [0]]), xname: "mean RT of the quantile (ms)", yname: "incongruent − congruent (ms)" });
    svg("line", { x1: plot.left, x2: plot.right, y1: plot.Y(0), y2: plot.Y(0), stroke: INK, "stroke-width": 0.6 }, plot.node);
    band(plot, d.predicted, d.low, d.high, INK);
    d.observed.forEach((y, i) => mark(plot, d.at[i], y, ""));
    return plot.node;
  };

  // --- people --------------------------------------------------------------------------------------------------------

  let chosen = null;
  const rows = [...document.querySelectorAll("tr[data-person]")];

  /** Every two parameters against each other: draws of one person, or means of all people. */
  const pairs = (points) => {
    const { parameters } = drawn, n = parameters.length, size = 96, gap = 10, left = 40, bottom = 34;
    const whole = left + n * (size + gap), node = svg("svg", { viewBox: `0 0 ${whole} ${whole + bottom - left + 14}`, role: "img", "aria-label": "Parameters against each other" });
    const ranges = parameters.map((_, j) => range([points.map((point) => point[j])]));
    for (let row = 0; row < n; row++)
      for (let column = 0; column <= row; column++) {
        const x0 = left + column * (size + gap), y0 = 14 + row * (size + gap);
        const X = (value) => x0 + ((value - ranges[column][0]) / (ranges[column][1] - ranges[column][0])) * size;
        const Y = (value) => y0 + size - ((value - ranges[row][0]) / (ranges[row][1] - ranges[row][0])) * size;
        svg("path", { d: `M${x0},${y0}V${y0 + size}H${x0 + size}`, fill: "none", stroke: INK, "stroke-width": 0.6 }, node);
        if (row === column) {
          const bins = Array(16).fill(0);
          for (const point of points) bins[Math.min(15, Math.floor((16 * (point[row] - ranges[row][0])) / (ranges[row][1] - ranges[row][0])))]++;
          const most = Math.max(...bins);
          bins.forEach((count, i) => svg("rect", { x: x0 + (i * size) / 16, y: y0 + size - (0.85 * size * count) / most, width: size / 16, height: (0.85 * size * count) / most, fill: ACCENT, opacity: 0.55 }, node));
          const unit = parameters[row].unit ? ` (${parameters[row].unit})` : "";
          svg("text", { x: x0 + size / 2, y: y0 - 3, "font-size": 10.5, "font-weight": 600, "text-anchor": "middle", fill: INK }, node, parameters[row].name + unit);
        } else {
          const d = points.map((point) => `M${X(point[column]).toFixed(1)},${Y(point[row]).toFixed(1)}h0`).join("");
          svg("path", { d, stroke: ACCENT, "stroke-width": 2.6, "stroke-linecap": "round", opacity: 0.4, fill: "none" }, node);
        }
        if (row === n - 1)
          for (const tick of ticks(ranges[column], 3)) svg("text", { x: X(tick), y: y0 + size + 12, "font-size": 8.5, "text-anchor": "middle", fill: SOFT }, node, minus(tick));
        if (column === 0 && row > 0)
          for (const tick of ticks(ranges[row], 3)) svg("text", { x: x0 - 4, y: Y(tick) + 3, "font-size": 8.5, "text-anchor": "end", fill: SOFT }, node, minus(tick));
      }
    return node;
  };

  const estimates = (person) => {
    const table = html("table");
    const head = html("tr", undefined, html("thead", undefined, table));
    for (const name of ["parameter", "mean", "90 % interval", "50 % interval", "prior, 90 %"]) html("th", name, head).scope = "col";
    const body = html("tbody", undefined, table);
    drawn.parameters.forEach((parameter, j) => {
      const line = html("tr", undefined, body), [a, b, c, d] = person.intervals.map((interval) => interval[j]);
      html("td", parameter.name + (parameter.unit ? ` (${parameter.unit})` : ""), line).title = parameter.meaning;
      for (const text of [shown(person.mean[j]), `${shown(a)} to ${shown(d)}`, `${shown(b)} to ${shown(c)}`, drawn.prior[j].map(shown).join(" to ")]) html("td", text, line);
    });
    return table;
  };

  const show = (place) => {
    chosen = place;
    const person = place === null ? null : drawn.people[place];
    at("chosen").value = place === null ? "" : String(place);
    at("name").textContent = person ? person.name || "(no name)" : `All ${drawn.people.length} people together`;
    at("so-many").textContent = person ? "as many trials of this person" : "a study of this size";
    at("concerns").replaceChildren(...(person ? person.concerns : []).map((sentence) => html("li", sentence)));
    at("facts").replaceChildren(
      ...(person ? person.facts : []).map(([what, value]) => {
        const line = html("div");
        html("dt", what, line);
        html("dd", value, line);
        return line;
      })
    );
    const curves = person ? person.curves : drawn.group.curves;
    at("predictions").replaceChildren(...[distribution(curves), accuracy(curves), curves.delta ? delta(curves) : null].filter(known));
    at("estimates").replaceChildren(...(person ? [estimates(person)] : []));
    at("pairs-title").textContent = person ? "Posterior of two parameters at a time" : "People's posterior means, two parameters at a time";
    at("pairs").replaceChildren(...(person || drawn.people.length > 2 ? [pairs(person ? person.points : drawn.people.map((p) => p.mean))] : []));
    at("pairs-note").textContent = person ? `Points: ${person.points.length} of the draws.` : "Points: people.";
    for (const node of document.querySelectorAll(".row")) node.classList.toggle("chosen", Number(node.dataset.person) === place);
    for (const row of rows) row.classList.toggle("chosen", Number(row.dataset.person) === place);
  };
  const choose = (place, move) => {
    show(place);
    if (move) at("person").scrollIntoView({ behavior: "smooth" });
  };

  const forest = (j, order) => {
    const parameter = drawn.parameters[j], n = order.length, step = n > 60 ? 7 : n > 25 ? 10 : 14, names = n <= 60;
    const width = 300, left = names ? 78 : 12, top = 22, height = top + n * step + 34, x = range([drawn.people.map((p) => p.intervals.map((i) => i[j]))]);
    const node = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "group", "aria-label": `${parameter.meaning} of every person` });
    const X = (value) => left + ((value - x[0]) / (x[1] - x[0])) * (width - left - 8), foot = top + n * step;
    svg("text", { x: left, y: 12, "font-size": 11, "font-weight": 600, fill: INK }, node, parameter.name + (parameter.unit ? ` (${parameter.unit})` : ""));
    const [low, high] = drawn.group.interval.map((edge) => edge[j]);
    svg("rect", { x: X(low), y: top, width: X(high) - X(low), height: foot - top, fill: INK, opacity: 0.12 }, node);
    svg("line", { x1: X(drawn.group.mean[j]), x2: X(drawn.group.mean[j]), y1: top, y2: foot, stroke: INK, "stroke-width": 0.8, "stroke-dasharray": "3 2" }, node);
    order.forEach((place, i) => {
      const person = drawn.people[place], y = top + (i + 0.5) * step, [a, b, c, d] = person.intervals.map((interval) => interval[j]);
      const row = svg("g", { class: "row", "data-person": place, tabindex: 0, role: "button" }, node);
      svg("title", {}, row, `${person.name}: ${shown(person.mean[j])}, 90 % ${shown(a)} to ${shown(d)}`);
      svg("rect", { x: 0, y: y - step / 2, width, height: step, fill: "transparent" }, row);
      svg("line", { class: "span", x1: X(a), x2: X(d), y1: y, y2: y, stroke: ACCENT, "stroke-width": 0.9 }, row);
      svg("line", { class: "span", x1: X(b), x2: X(c), y1: y, y2: y, stroke: ACCENT, "stroke-width": 2.4 }, row);
      svg("circle", { cx: X(person.mean[j]), cy: y, r: n > 60 ? 1.6 : 2.4, fill: ACCENT }, row);
      if (names) {
        const letters = [...person.name];
        svg("text", { x: left - 5, y: y + 3, "font-size": Math.min(9.5, step), "text-anchor": "end", fill: SOFT }, row, letters.length > 11 ? `${letters.slice(0, 10).join("")}…` : person.name);
      }
      row.addEventListener("click", () => choose(place, true));
      row.addEventListener("keydown", (event) => {
        if (event.key === "Enter" || event.key === " ") {
          event.preventDefault();
          choose(place, true);
        }
      });
    });
    svg("path", { d: `M${left},${foot}H${width - 8}`, stroke: INK, "stroke-width": 0.7 }, node);
    for (const tick of ticks(x, 5)) {
      svg("line", { x1: X(tick), x2: X(tick), y1: foot, y2: foot + 3, stroke: INK, "stroke-width": 0.7 }, node);
      svg("text", { x: X(tick), y: foot + 14, "font-size": 9.5, "text-anchor": "middle", fill: SOFT }, node, minus(tick));
    }
    return node;
  };
  const plant = (by) => {
    const order = drawn.people.map((_, place) => place);
    if (by !== "") order.sort((a, b) => drawn.people[b].mean[by] - drawn.people[a].mean[by]);
    at("forest").replaceChildren(...drawn.parameters.map((_, j) => forest(j, order)));
    show(chosen);
  };

  if (drawn) {
    at("chosen").append(new Option(`All ${drawn.people.length} people together`, ""));
    drawn.people.forEach((person, place) => at("chosen").append(new Option([...person.name].slice(0, 60).join("") || "(no name)", place)));
    drawn.parameters.forEach((parameter, j) => at("order").append(new Option(`by ${parameter.name}`, j)));
    at("chosen").addEventListener("change", () => choose(at("chosen").value === "" ? null : Number(at("chosen").value)));
    at("order").addEventListener("change", () => plant(at("order").value));
    const step = (by) => {
      const n = drawn.people.length + 1, now = chosen === null ? 0 : chosen + 1, then = (now + by + n) % n;
      choose(then === 0 ? null : then - 1);
    };
    at("previous").addEventListener("click", () => step(-1));
    at("next").addEventListener("click", () => step(1));
    for (const row of rows) row.querySelector(".who").addEventListener("click", () => choose(Number(row.dataset.person), true));
    plant("");
  }

  // --- table, files, print -------------------------------------------------------------------------------------------

  const compare = new Intl.Collator(undefined, { numeric: true }).compare;
  for (const table of document.querySelectorAll("table.sortable")) {
    const heads = [...table.tHead.rows[0].cells], body = table.tBodies[0];
    heads.forEach((head, column) =>
      head.querySelector("button").addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") === "ascending", number = head.classList.contains("number");
        for (const other of heads) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        const key = (row) => row.cells[column].dataset.value, absent = (text) => text === "" || (number && Number.isNaN(Number(text)));
        const sorted = [...body.rows].sort((a, b) => {
          const [x, y] = [key(a), key(b)];
          if (absent(x) || absent(y)) return absent(x) - absent(y);
          return (down ? -1 : 1) * (number ? (Number(x) > Number(y)) - (Number(x) < Number(y)) : compare(x, y));
        });
        body.append(...sorted);
      })
    );
    at("find").addEventListener("input", () => {
      const word = at("find").value.toLowerCase();
      for (const row of body.rows) row.hidden = !row.textContent.toLowerCase().includes(word);
    });
  }
  for (const [name, text] of Object.entries(files)) {
    const button = html("button", name, at("files"));
    button.type = "button";
    button.addEventListener("click", () => {
      const link = html("a");
      link.href = URL.createObjectURL(new Blob(["\ufeff", text], { type: "text/csv;charset=utf-8" }));
      link.download = name;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    });
  }
  at("copy").addEventListener("click", () => {
    const text = [...at("methods").querySelectorAll("#prose p, .references li")].map((node) => node.textContent).join("\n\n");
    const field = html("textarea", text, document.body); // works in a frame, where the clipboard may not be asked
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    at("copy").textContent = done ? "Copied" : "Could not copy: select the text and press Ctrl+C";
  });
  const closed = [];
  addEventListener("beforeprint", () => {
    for (const part of document.querySelectorAll("details:not([open])")) closed.push(part) && (part.open = true);
  });
  addEventListener("afterprint", () => {
    for (const part of closed.splice(0)) part.open = false;
  });
})();
