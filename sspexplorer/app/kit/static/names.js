// Names for those who do not see the page: what Bokeh and Tabulator leave without one.
(() => {
  const later = 150; // ms
  const watched = new WeakSet();
  const waiting = new Set();
  const changes = { childList: true, subtree: true, characterData: true, attributes: true };
  changes.attributeFilter = ["aria-sort"]; // Tabulator sets it anew with other rows

  // A slider says its value as the words over it do: "10 Gyr", and not the number of a step.
  function nameSliders(root) {
    const handles = [...root.querySelectorAll(".noUi-handle")];
    if (!handles.length) return;
    const before = root.host?.previousElementSibling?.shadowRoot;
    const own = root.querySelector(".bk-slider-title")?.textContent.trim();
    const words = own || before?.querySelector(".bk-clearfix, div")?.textContent.trim() || "";
    const end = words.lastIndexOf(":");
    const [name, value] = end < 0 ? [words, ""] : [words.slice(0, end), words.slice(end + 1).trim()];
    for (const [k, handle] of handles.entries()) {
      const which = handles.length > 1 ? [", from", ", to"][k] : "";
      handle.setAttribute("aria-label", `${name}${which}`);
      if (value && handles.length === 1) handle.setAttribute("aria-valuetext", value);
    }
  }

  function nameInputs(root) {
    for (const [kind, word] of [["up", "More"], ["down", "Less"]]) {
      for (const button of root.querySelectorAll(`.bk-spin-btn-${kind}`)) {
        button.setAttribute("aria-label", word);
      }
    }
    for (const input of root.querySelectorAll('input[type="file"]:not([aria-label])')) {
      input.setAttribute("aria-label", "Choose a file");
    }
    for (const box of root.querySelectorAll('input[type="checkbox"]')) {
      const words = box.closest("label") ? "" : box.nextElementSibling?.textContent.trim();
      if (words) box.setAttribute("aria-label", words);
    }
  }

  function sayWhetherOpen(root) {
    for (const header of root.querySelectorAll("button.card-header")) {
      const open = header.querySelector(".icon-tabler-chevron-down");
      header.setAttribute("aria-expanded", open ? "true" : "false");
    }
  }

  // A grid holds rows of cells and nothing else, and each heading has words.
  function tidyGrids(root) {
    for (const grid of root.querySelectorAll('.tabulator[role="grid"]')) {
      grid.querySelector(".tabulator-tableholder")?.setAttribute("role", "rowgroup");
      grid.querySelector(".tabulator-table")?.setAttribute("role", "presentation");
      grid.querySelector(".tabulator-footer")?.setAttribute("role", "rowgroup");
      grid.querySelector(".tabulator-footer-contents")?.setAttribute("role", "row");
      grid.querySelector(".tabulator-paginator")?.setAttribute("role", "gridcell");
      for (const heading of grid.querySelectorAll(".tabulator-col[role]")) {
        if (heading.textContent.trim()) continue;
        heading.setAttribute("role", "presentation");
        heading.removeAttribute("aria-sort");
      }
    }
  }

  // A table that is wider than its place is scrolled by keyboard as well.
  function reachWide(root) {
    const host = root.host;
    if (!host || !root.querySelector("table")) return;
    if (host.scrollWidth > host.clientWidth + 1) {
      host.tabIndex = 0;
      host.setAttribute("role", "group");
      host.setAttribute("aria-label", "Numbers");
    } else if (host.getAttribute("aria-label") === "Numbers") {
      for (const name of ["tabindex", "role", "aria-label"]) host.removeAttribute(name);
    }
  }

  function look(root) {
    if (!watched.has(root)) {
      watched.add(root);
      observer.observe(root, changes);
    }
    nameSliders(root);
    nameInputs(root);
    sayWhetherOpen(root);
    tidyGrids(root);
    reachWide(root);
    for (const part of root.querySelectorAll("*")) if (part.shadowRoot) look(part.shadowRoot);
  }

  const observer = new MutationObserver((records) => {
    if (!waiting.size) {
      setTimeout(() => {
        const roots = [...waiting];
        waiting.clear();
        for (const root of roots) if (root === document || root.isConnected) look(root);
      }, later);
    }
    for (const record of records) waiting.add(record.target.getRootNode());
  });
  let sized = null;
  addEventListener("resize", () => {
    clearTimeout(sized);
    sized = setTimeout(() => look(document), later);
  });
  look(document);
})();
