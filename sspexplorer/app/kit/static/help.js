// Help: the welcome, the dialog, the tour and the keys. All of it is in the page already.
(() => {
  const root = document.documentElement;
  const find = (selector, within = document) => within.querySelector(selector);
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const link = (key) => find(`nav.pages a[data-page="${key}"]`);
  const kept = {
    get: (name) => {
      try {
        return localStorage.getItem(name);
      } catch {
        return null;
      }
    },
    set: (name, value) => {
      try {
        localStorage.setItem(name, value);
      } catch {
        // A browser that keeps nothing asks again.
      }
    },
  };

  // The welcome
  const welcome = find(".welcome");
  function welcomed(yes) {
    root.toggleAttribute("data-welcomed", yes);
    kept.set("ssp_welcomed", yes ? "1" : "");
  }
  find(".close", welcome).addEventListener("click", () => {
    welcomed(true);
    find("button.help").focus();
  });

  // The dialog
  const dialog = find("dialog.help");
  function open(part, term) {
    leave();
    for (const section of all("section", dialog)) section.hidden = section.dataset.part !== part;
    for (const tab of all("nav button", dialog)) {
      tab.toggleAttribute("aria-current", tab.dataset.part === part);
    }
    if (!dialog.open) dialog.showModal();
    if (!term) return;
    const entry = all("dt", dialog).find((one) => one.dataset.term === term);
    entry?.scrollIntoView({ block: "start" });
    entry?.focus();
  }
  function go(key) {
    dialog.close();
    link(key).click();
  }
  find(".close", dialog).addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  find("button.help").addEventListener("click", () => open("shortcuts"));
  find(".again", dialog).addEventListener("click", () => {
    dialog.close();
    welcomed(false);
    scrollTo(0, 0);
    find("a", welcome).focus();
  });
  find(".copy", dialog).addEventListener("click", async (event) => {
    const status = find("[role=status]", event.target.parentElement);
    try {
      await navigator.clipboard.writeText(find("pre", dialog).textContent);
      status.textContent = "Copied.";
    } catch {
      getSelection().selectAllChildren(find("pre", dialog));
      status.textContent = "Selected: copy it with the keyboard.";
    }
  });
  const keysOn = find(".keys-on", dialog);
  keysOn.checked = kept.get("ssp_keys") !== "off";
  keysOn.addEventListener("change", () => kept.set("ssp_keys", keysOn.checked ? "on" : "off"));

  // Terms, tabs and links; those inside of components are in trees of their own.
  document.addEventListener("click", (event) => {
    const path = event.composedPath().filter((one) => one instanceof Element);
    const term = path.find((one) => one.matches("button[data-term]"));
    const part = path.find((one) => one.matches("nav button[data-part], .doors a[data-part]"));
    const page = path.find((one) => one.matches(".doors a[data-page], dialog.help a[data-page]"));
    if (term) open("words", term.dataset.term);
    if (part) open(part.dataset.part);
    if (!part && !page) return;
    if (path.includes(welcome)) welcomed(true);
    event.preventDefault();
    if (page) go(page.dataset.page);
  });

  // The tour
  const steps = JSON.parse(find("#tour").textContent);
  const [spot, stop] = [find(".spot"), find(".stop")];
  let at = -1;
  let before = null;
  function start() {
    dialog.close();
    welcomed(true);
    before = document.activeElement;
    go("sed");
    show(0);
  }
  function leave() {
    if (at < 0) return;
    at = -1;
    spot.hidden = stop.hidden = true;
    (before?.isConnected && before !== document.body ? before : find("button.help")).focus();
  }
  function show(number) {
    at = number;
    const step = steps[at];
    spot.hidden = stop.hidden = false;
    find("h2", stop).textContent = step.title;
    find("p", stop).textContent = step.text;
    find("span", stop).textContent = `${at + 1} of ${steps.length}`;
    find(".back", stop).disabled = at === 0;
    find(".next", stop).textContent = at === steps.length - 1 ? "Done" : "Next";
    place();
    stop.focus();
  }
  // Around what is pointed at, as far as it is in the window; the words below it, or over it.
  function place() {
    if (at < 0) return;
    const target = find(steps[at].target);
    const box = target.getBoundingClientRect();
    const edge = { top: Math.max(box.top, 4), left: Math.max(box.left, 4) };
    const height = Math.min(box.bottom, innerHeight - 4) - edge.top;
    const width = Math.min(box.right, innerWidth - 4) - edge.left;
    Object.assign(spot.style, px({ ...edge, height, width }));
    const below = edge.top + height + 12;
    const fits = below + stop.offsetHeight < innerHeight;
    const top = fits ? below : Math.max(12, (innerHeight - stop.offsetHeight) / 2);
    const left = Math.min(edge.left + (fits ? 0 : 24), innerWidth - stop.offsetWidth - 12);
    Object.assign(stop.style, px({ top, left: Math.max(12, left) }));
  }
  const px = (sizes) =>
    Object.fromEntries(Object.entries(sizes).map(([name, value]) => [name, `${value}px`]));
  const onward = () => (at === steps.length - 1 ? leave() : show(at + 1));
  for (const button of all("button.tour")) button.addEventListener("click", start);
  find(".next", stop).addEventListener("click", onward);
  find(".back", stop).addEventListener("click", () => show(at - 1));
  find(".leave", stop).addEventListener("click", leave);
  addEventListener("resize", place);

  // Keys
  function beside(step) {
    const links = all("nav.pages a");
    const now = links.findIndex((one) => one.getAttribute("aria-current") === "page");
    links[now + step]?.click();
  }
  const keys = {
    "?": () => (dialog.open ? dialog.close() : open("shortcuts")),
    w: () => open("words"),
    i: () => {
      const guide = find("details.guide:not([hidden])");
      guide.open = !guide.open;
      find("summary", guide).focus();
    },
    "[": () => beside(-1),
    "]": () => beside(1),
    s: () => find("button.fold").click(),
    d: () => find("button.theme").click(),
  };
  all("nav.groups a").forEach((group, place) => (keys[place + 1] = () => group.click()));
  const typing = "input, textarea, select, [contenteditable], [role=slider], [role=gridcell]";
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") leave();
    const from = event.composedPath()[0];
    const written = from instanceof Element && from.matches(typing);
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if ((written && from.type !== "checkbox") || !keysOn.checked || !keys[event.key]) return;
    if (dialog.open && event.key !== "?") return;
    event.preventDefault();
    keys[event.key]();
  });
})();
