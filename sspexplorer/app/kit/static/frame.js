(() => {
  const root = document.documentElement;
  const keys = [...document.querySelectorAll("nav.pages a")].map((link) => link.dataset.page);
  const pageOf = (url) => {
    const key = new URL(url, location.href).searchParams.get("page");
    return keys.includes(key) ? key : keys[0];
  };
  const session = () => window.Bokeh?.documents?.[0];

  const flag = (link, on, value) =>
    on ? link.setAttribute("aria-current", value) : link.removeAttribute("aria-current");

  // A group leads to the page of it that was seen last.
  function mark(key) {
    const links = [...document.querySelectorAll("nav.pages a")];
    const current = links.find((link) => link.dataset.page === key);
    const group = current.parentElement.dataset.group;
    root.toggleAttribute("data-bare", current.hasAttribute("data-bare"));
    for (const guide of document.querySelectorAll("details.guide")) {
      guide.hidden = guide.dataset.page !== key;
    }
    for (const link of links) flag(link, link === current, "page");
    for (const area of document.querySelectorAll("nav.pages > div")) {
      area.hidden = area.dataset.group !== group;
    }
    for (const link of document.querySelectorAll("nav.groups a")) {
      flag(link, link.dataset.group === group, "true");
      if (link.dataset.group === group) link.href = current.href;
    }
    current.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  // Only the browser goes from page to page in its history. Each visit has a number, which the
  // server hears and gives back with the address of the page; an answer for a page that was left
  // meanwhile is dropped. The present entry is replaced at most a few times a second, since
  // browsers refuse more.
  let visit = 0;
  let shown = pageOf(location.href);
  let waiting = null;
  let timer = null;
  const forget = () => {
    clearTimeout(timer);
    waiting = timer = null;
  };
  const flush = () => {
    if (waiting !== null) history.replaceState({}, "", waiting);
    forget();
  };

  function enter(key) {
    shown = key;
    mark(key);
    window.scrollTo(0, 0);
  }

  function tell(key) {
    visit += 1;
    enter(key);
    root.toggleAttribute("data-going", true);
    session().get_model_by_name("heard").value = JSON.stringify({ visit, page: key });
  }

  function hear(said) {
    const answer = JSON.parse(said.value || "{}");
    if (answer.visit !== visit) return;
    root.toggleAttribute("data-going", false);
    if (answer.page !== shown) {
      // A page itself led to another.
      flush();
      history.pushState({}, "", answer.query);
      enter(answer.page);
      return;
    }
    waiting = answer.query;
    timer ??= setTimeout(flush, 300);
  }

  function go(key) {
    if (!session()?.get_model_by_name("heard")) return false;
    if (key === shown) return true;
    flush();
    history.pushState({}, "", `?page=${key}`);
    tell(key);
    return true;
  }
  // Only the page is taken from an entry of the history: what was chosen since stays chosen.
  addEventListener("popstate", () => {
    forget();
    if (session()?.get_model_by_name("heard")) tell(pageOf(location.href));
    else location.reload();
  });
  function follow(event) {
    const link = event.target.closest("a");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    if (go(pageOf(link.href))) event.preventDefault();
  }
  for (const area of document.querySelectorAll("header.bar, nav.pages")) {
    area.addEventListener("click", follow);
  }

  function tellTheme() {
    const bridge = session()?.get_model_by_name("theme");
    if (bridge) bridge.active = root.dataset.theme === "dark";
    return Boolean(bridge);
  }

  // Repainting a plot misses the outermost pixels of its canvas; they would keep the old colour.
  function clearEdges(figure) {
    const layer = Bokeh.index.find_one_by_id(figure.id)?.canvas_view?.primary;
    layer?.undo_transform?.((ctx) => {
      ctx.clearRect(0, 0, ctx.canvas.width, 2);
      ctx.clearRect(0, 0, 2, ctx.canvas.height);
    });
  }
  document.querySelector("button.theme").addEventListener("click", () => {
    root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark";
    document.cookie = `ssp_theme=${root.dataset.theme}; path=/; max-age=31536000; samesite=lax`;
    tellTheme();
  });
  const fold = document.querySelector("button.fold");
  fold.addEventListener("click", () => {
    const folded = root.toggleAttribute("data-folded");
    fold.setAttribute("aria-expanded", String(!folded));
  });

  // Bokeh lays out every figure whenever one is repainted: also those of the pages out of sight,
  // which takes seconds when many have been seen, and those that have come but were not laid out
  // yet, over which it stumbles. Both are laid out as soon as they are in sight.
  function inSight(view) {
    for (let at = view; at; at = at.parent) if (at.model.visible === false) return false;
    return true;
  }

  function layOutOnlyWhatIsInSight() {
    const figure = Bokeh.require("models/plots/plot").PlotView.prototype;
    for (const name of ["_update_layout", "_measure_layout", "_after_layout"]) {
      const step = figure[name];
      figure[name] = function () {
        const isLaidOut = this.layout || name === "_update_layout";
        if (isLaidOut && inSight(this)) step.call(this);
      };
    }
  }

  // Tables write negative numbers as all else does.
  function writeMinus() {
    const formatter = Bokeh.require("models/widgets/tables/cell_formatters").NumberFormatter.prototype;
    const format = formatter.doFormat;
    formatter.doFormat = function (...cell) {
      return format.apply(this, cell).replace(/(^|>)-(?=\d)/, "$1−");
    };
  }

  const start = setInterval(() => {
    if (!tellTheme()) return;
    clearInterval(start);
    const said = session().get_model_by_name("said");
    said.properties.value.change.connect(() => hear(said));
    hear(said);
    layOutOnlyWhatIsInSight();
    writeMinus();
    session().on_event("connection_lost", () => root.setAttribute("data-connection", "lost"));
    session().on_event("client_reconnected", () => root.removeAttribute("data-connection"));
    session().on_change((event) => {
      if (event.attr === "border_fill_color") setTimeout(clearEdges, 150, event.model);
    });
  }, 50);
})();
