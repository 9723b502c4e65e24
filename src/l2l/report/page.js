// Tables that sort and filter, figures that open large, curves that tell their numbers.
// The page has all its content without this.
"use strict";
(() => {
  const FILTERED_FROM = 8; // rows
  const make = (tag, name, ...content) => {
    const element = document.createElement(tag);
    if (tag === "button") element.type = "button";
    element.className = name;
    element.append(...content);
    return element;
  };

  // A row whose first cell is empty goes on with the row above: they stay together.
  const groupsOf = (table) => {
    const groups = [];
    for (const row of table.tBodies[0].rows) {
      if (groups.length && !row.cells[0].textContent.trim()) groups.at(-1).push(row);
      else groups.push([row]);
    }
    return groups;
  };

  // By their numbers, else by their words; what has neither comes last in both directions.
  const compare = (a, b, sign) => {
    const missing = (value) => value === undefined || Number.isNaN(value);
    if (missing(a) || missing(b)) return missing(a) - missing(b);
    if (typeof a === "number" && typeof b === "number") return sign * (a - b || 0);
    return sign * String(a).localeCompare(String(b), "en", { numeric: true });
  };

  const sortable = (table, groups) => {
    const heads = [...table.tHead.rows[0].cells];
    const key = (group, column, sign) => {
      const values = group.map((row) => {
        const { dataset, textContent } = row.cells[column];
        return "value" in dataset ? Number(dataset.value) : textContent.trim() || undefined;
      });
      return values.sort((a, b) => compare(a, b, sign))[0];
    };
    heads.forEach((head, column) => {
      const button = make("button", "sort", ...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const order = { ascending: "descending", descending: "" }[head.getAttribute("aria-sort")] ?? "ascending";
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        if (order) head.setAttribute("aria-sort", order);
        const sign = order === "descending" ? -1 : 1;
        const keyed = groups.map((group) => [order ? key(group, column, sign) : 0, group]);
        keyed.sort(([a], [b]) => compare(a, b, sign));
        table.tBodies[0].append(...keyed.flatMap(([, group]) => group));
      });
    });
  };

  const filterable = (table, groups) => {
    const verdict = (mark) => mark.textContent.split(":")[0].trim();
    const marks = groups.map((group) => group.flatMap((row) => [...row.querySelectorAll(".verdict")].map(verdict)));
    const words = groups.map((group) => group.map((row) => row.textContent).join(" ").toLowerCase());
    const ariaLabel = `Filter rows: ${table.caption.textContent}`;
    const input = Object.assign(make("input", ""), { type: "search", placeholder: "Filter rows", ariaLabel });
    const chips = [...new Set(marks.flat())].map((name) => make("button", "chip", name));
    const count = make("output", "soft");
    const show = () => {
      const wanted = input.value.toLowerCase().split(/\s+/);
      const pressed = chips.filter((chip) => chip.ariaPressed === "true").map((chip) => chip.textContent);
      let shown = 0;
      groups.forEach((group, k) => {
        const fits = wanted.every((word) => words[k].includes(word));
        const visible = fits && (!pressed.length || marks[k].some((mark) => pressed.includes(mark)));
        group.forEach((row) => (row.hidden = !visible));
        shown += visible;
      });
      count.textContent = shown === groups.length ? "" : `${shown} of ${groups.length}`;
    };
    input.addEventListener("input", show);
    chips.forEach((chip) => {
      chip.ariaPressed = "false";
      chip.addEventListener("click", () => {
        chip.ariaPressed = String(chip.ariaPressed === "false");
        show();
      });
    });
    table.closest(".scroll").before(make("div", "filter", input, ...chips, count));
  };

  // The numbers of the lines at the point nearest to the pointer, or to the last arrow key.
  const telling = (paper, panels) => {
    const picture = paper.querySelector("img");
    const [rule, tip] = [make("span", "rule"), make("span", "tip")];
    tip.role = "status";
    paper.append(rule);
    paper.after(tip);
    const hide = () => (rule.hidden = tip.hidden = true);
    const nearest = ({ at: places }, at) =>
      places.reduce((best, x, k) => (Math.abs(x - at) < Math.abs(places[best] - at) ? k : best), 0);
    const show = (panel, at, left, top) => {
      const points = panel.groups.map((group) => [group, nearest(group, at)]);
      points.sort(([a, i], [b, j]) => Math.abs(a.at[i] - at) - Math.abs(b.at[j] - at));
      tip.replaceChildren(make("b", "", [panel.title, panel.y].filter(Boolean).join(": ")));
      let said;
      for (const [group, k] of points) {
        if (group.x[k] !== said) tip.append(make("span", "", `${panel.x} ${group.x[k]}`.trim()));
        said = group.x[k];
        // From the top down, as the lines are; one that is no number has left through the top.
        const level = (line) => line.y[k] ?? Infinity;
        for (const line of [...group.lines].sort((a, b) => level(b) - level(a) || 0)) {
          const swatch = make("i", "");
          swatch.style.background = line.color;
          tip.append(make("span", "line", swatch, `${line.name} `, make("b", "", line.y[k] ?? "not finite")));
        }
      }
      rule.hidden = tip.hidden = false;
      const [, upper, , lower] = panel.box;
      rule.style.left = `${picture.offsetLeft + points[0][0].at[points[0][1]] * picture.offsetWidth}px`;
      rule.style.top = `${picture.offsetTop + upper * picture.offsetHeight}px`;
      rule.style.height = `${(lower - upper) * picture.offsetHeight}px`;
      const [width, height] = [tip.offsetWidth, tip.offsetHeight];
      const beside = left + 14 + width > innerWidth - 8 ? left - 14 - width : left + 14;
      tip.style.left = `${Math.max(beside, 8)}px`;
      tip.style.top = `${Math.max(Math.min(top + 14, innerHeight - height - 8), 8)}px`;
    };
    const point = (event) => {
      const { left, top, width, height } = picture.getBoundingClientRect();
      const [x, y] = [(event.clientX - left) / width, (event.clientY - top) / height];
      const panel = panels.find(({ box: [l, t, r, b] }) => l <= x && x <= r && t <= y && y <= b);
      if (panel) show(panel, x, event.clientX, event.clientY);
      else hide();
    };
    const stops = panels.flatMap((panel) => {
      const places = new Set(panel.groups.flatMap((group) => group.at));
      return [...places].sort((a, b) => a - b).map((at) => [panel, at]);
    });
    let stop = -1;
    const step = (event) => {
      const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!by) return;
      event.preventDefault();
      stop = Math.min(Math.max(stop + by, 0), stops.length - 1);
      const [panel, at] = stops[stop];
      const { left, top, width, height } = picture.getBoundingClientRect();
      show(panel, at, left + at * width, top + panel.box[1] * height);
    };
    for (const kind of ["pointermove", "pointerdown"]) paper.addEventListener(kind, point);
    // A finger that leaves the large picture leaves its numbers there.
    const stays = (event) => event.pointerType === "touch" && paper.closest("dialog");
    paper.addEventListener("pointerleave", (event) => stays(event) || hide());
    paper.addEventListener("blur", hide);
    paper.addEventListener("keydown", step);
    hide();
  };

  const large = make("dialog", "large");
  const open = (shown, panels) => {
    const picture = shown.cloneNode();
    const copy = make("div", "paper", picture);
    const close = make("button", "close", "Close");
    close.addEventListener("click", () => large.close());
    copy.tabIndex = 0;
    copy.style.setProperty("--aspect", shown.naturalWidth / shown.naturalHeight);
    // Fingers have a zoom of their own.
    if (matchMedia("(hover: hover)").matches) picture.addEventListener("click", () => copy.classList.toggle("full"));
    large.ariaLabel = picture.alt;
    large.replaceChildren(close, copy);
    if (panels.length) telling(copy, panels);
    large.showModal();
    copy.focus();
  };

  for (const table of document.querySelectorAll(".scroll table")) {
    const groups = groupsOf(table);
    if (groups.length > 1) sortable(table, groups);
    if (groups.length >= FILTERED_FROM) filterable(table, groups);
  }
  for (const picture of document.querySelectorAll(".paper img, .output img")) {
    const paper = picture.closest("a") ?? make("button", "paper");
    if (!paper.contains(picture)) {
      picture.replaceWith(paper);
      paper.append(picture);
    }
    const data = paper.parentElement.querySelector("script.lines");
    const panels = data ? JSON.parse(data.textContent) : [];
    if (panels.length) telling(paper, panels);
    paper.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return; // in a tab of its own
      event.preventDefault();
      open(picture, panels);
    });
  }
  document.body.append(large);
})();
