// The chrestomathy: choose its rows, and order them by the error or the cost of a task.
//
// Without this script the table stands whole. The controls are made here, so that
// nobody meets one that does nothing.

(() => {
  const box = document.querySelector(".dm-chrestomathy");
  if (!box) return;
  const [head, body] = [box.querySelector("thead tr"), box.querySelector("tbody")];
  const rows = [...body.rows];
  const columns = [...head.cells].slice(1);

  function made(tag, properties = {}, ...children) {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  }

  function field(words, control) {
    return made("label", {}, words, control);
  }

  // Rows: by words, by family, by what a method is

  const words = made("input", { type: "search", autocomplete: "off" });
  const families = [...new Set(rows.map((row) => row.dataset.family))];
  const family = made(
    "select", {},
    made("option", { value: "", textContent: "all families" }),
    ...families.map((name) => made("option", { value: name, textContent: name })),
  );
  const task = made(
    "select", {},
    made("option", { value: "", textContent: "all tasks" }),
    ...columns.map((cell, i) =>
      made("option", { value: String(i), textContent: cell.textContent })),
  );
  const exact = made("input", { type: "checkbox" });
  const alone = made("input", { type: "checkbox" });
  const status = made("p", { className: "dm-controls__status" });
  status.setAttribute("role", "status");

  function wanted(row) {
    const text = `${row.cells[0].textContent} ${row.dataset.family}`.toLowerCase();
    return words.value.toLowerCase().split(/\s+/).every((word) => text.includes(word))
      && (!family.value || row.dataset.family === family.value)
      && (!exact.checked || row.dataset.exact === "True")
      && (!alone.checked || row.dataset.libraries === "");
  }

  function choose() {
    for (const row of rows) {
      row.hidden = !wanted(row);
    }
    for (const row of [head, ...rows]) {
      [...row.cells].slice(1).forEach((cell, i) => {
        cell.hidden = task.value !== "" && task.value !== String(i);
      });
    }
    const shown = rows.filter((row) => !row.hidden).length;
    status.textContent = `${shown} of ${rows.length} methods shown.`;
  }

  const controls = made(
    "form", { className: "dm-controls" },
    field("Method", words), field("Family", family), field("Task", task),
    field("exact only", exact), field("needs nothing but NumPy", alone),
    made("button", { type: "reset", textContent: "Show all" }),
    status,
  );
  controls.setAttribute("aria-label", "Choose what the table shows");
  controls.addEventListener("input", choose);
  controls.addEventListener("submit", (event) => event.preventDefault());
  controls.addEventListener("reset", () => setTimeout(() => {
    order(null, "");
    choose();
  }));
  box.before(controls);

  // Order: each head of a column has two buttons, for its error and for its cost

  function order(cell, by) {
    const place = cell ? columns.indexOf(cell) + 1 : 0;
    const number = (row) =>
      place ? Number(row.cells[place].dataset[by] ?? Infinity) : rows.indexOf(row);
    const ordered = [...rows].sort((a, b) => {
      const [left, right] = [number(a), number(b)];
      return left === right ? rows.indexOf(a) - rows.indexOf(b) : left - right;
    });
    body.append(...ordered);
    for (const each of columns) {
      each.removeAttribute("aria-sort");
      for (const button of each.querySelectorAll("button")) {
        button.setAttribute("aria-pressed", String(each === cell && button.value === by));
      }
    }
    cell?.setAttribute("aria-sort", "ascending");
  }

  for (const cell of columns) {
    const name = cell.textContent;
    for (const by of ["error", "cost"]) {
      const button = made("button", { type: "button", value: by, textContent: by });
      button.setAttribute("aria-label", `Order by the ${by} of: ${name}`);
      button.setAttribute("aria-pressed", "false");
      button.addEventListener("click", () => {
        const pressed = button.getAttribute("aria-pressed") === "true";
        order(pressed ? null : cell, pressed ? "" : by);
      });
      cell.append(button);
    }
  }
  choose();
})();
