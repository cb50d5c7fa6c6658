// Rows of a table that are chosen one at a time, by keyboard: arrows walk, Enter chooses, Page keys turn.
(() => {
  const within = (event, name) =>
    event.composedPath().find((part) => part.classList?.contains(name));

  function walk(rows, at, key) {
    if (key === "Home") return 0;
    if (key === "End") return rows.length - 1;
    return Math.min(rows.length - 1, Math.max(0, at + (key === "ArrowDown" ? 1 : -1)));
  }

  document.addEventListener("keydown", (event) => {
    const holder = within(event, "tabulator-tableholder");
    if (!holder || !within(event, "walked")) return;
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    const rows = [...holder.querySelectorAll(".tabulator-row")];
    // From the table itself it goes on from the row that is chosen.
    const here = rows.indexOf(within(event, "tabulator-row"));
    const at = here < 0 ? rows.findIndex((row) => row.matches(".tabulator-selected")) : here;
    if (["ArrowDown", "ArrowUp", "Home", "End"].includes(event.key) && rows.length) {
      const row = rows[walk(rows, at, event.key)];
      row.tabIndex = -1;
      row.focus();
    } else if (["Enter", " "].includes(event.key) && here >= 0) {
      // Rows may be drawn anew when one is chosen, the table itself stays.
      holder.focus();
      // Cells without words, such as a hidden index, are not heard.
      const cells = [...rows[here].querySelectorAll(".tabulator-cell")];
      cells.find((cell) => cell.offsetWidth > 1 && cell.textContent.trim())?.click();
    } else if (["PageDown", "PageUp"].includes(event.key)) {
      const which = event.key === "PageDown" ? "next" : "prev";
      holder.focus();
      holder.parentElement.querySelector(`.tabulator-page[data-page="${which}"]`)?.click();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  });
})();
