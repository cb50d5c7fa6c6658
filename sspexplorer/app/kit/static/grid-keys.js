// Rows of a table that are chosen one at a time, by keyboard: arrows walk, Enter chooses, Page keys turn.
(() => {
  const within = (event, name) =>
    event.composedPath().find((part) => part.classList?.contains(name));

  function walk(rows, at, key) {
    if (key === "Home") return 0;
    if (key === "End") return rows.length - 1;
    if (at < 0) return Math.max(0, rows.findIndex((row) => row.matches(".tabulator-selected")));
    return Math.min(rows.length - 1, Math.max(0, at + (key === "ArrowDown" ? 1 : -1)));
  }

  document.addEventListener("keydown", (event) => {
    const holder = within(event, "tabulator-tableholder");
    if (!holder || !within(event, "walked")) return;
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    const rows = [...holder.querySelectorAll(".tabulator-row")];
    const at = rows.indexOf(within(event, "tabulator-row"));
    if (["ArrowDown", "ArrowUp", "Home", "End"].includes(event.key) && rows.length) {
      const row = rows[walk(rows, at, event.key)];
      row.tabIndex = -1;
      row.focus();
    } else if (["Enter", " "].includes(event.key) && at >= 0) {
      rows[at].querySelector(".tabulator-cell").click();
    } else if (["PageDown", "PageUp"].includes(event.key)) {
      const which = event.key === "PageDown" ? "next" : "prev";
      // Rows of another page take the place of these, the table itself stays.
      holder.focus();
      holder.parentElement.querySelector(`.tabulator-page[data-page="${which}"]`)?.click();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  });
})();
