// A menu that saves `figure` as it is in sight: as PNG, as SVG, or the numbers in it as CSV.
const name = [document.querySelector("nav.pages a[aria-current]")?.dataset.page, figure.left[0]?.axis_label]
  .filter(Boolean)
  .join("-")
  .normalize("NFKD")
  .replace(/[^A-Za-z0-9]+/g, "-")
  .replace(/^-+|-+$/g, "")
  .toLowerCase();

function save(blob, ending) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = `${name || "figure"}.${ending}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

const isList = (value) => Array.isArray(value) || ArrayBuffer.isView(value);

// Rows of a grid of counts or means: the middle of each cell that is not empty, and its value.
function* cells(data) {
  for (const [i, image] of [...data.image].entries()) {
    const [height, width] = image.shape ?? [image.length, image[0].length];
    const values = image.shape ? image : image.flat();
    for (let k = 0; k < values.length; k++) {
      if (!values[k] || Number.isNaN(values[k])) continue;
      const x = data.x[i] + (data.dw[i] * ((k % width) + 0.5)) / width;
      const y = data.y[i] + (data.dh[i] * (Math.floor(k / width) + 0.5)) / height;
      yield { x, y, value: values[k] };
    }
  }
}

// Rows of a table; a row of lists (a line, an outline) becomes one row for each point.
function* points(data, columns) {
  for (let row = 0; row < data[columns[0]].length; row++) {
    const lists = columns.filter((column) => isList(data[column][row]));
    const count = lists.length ? data[lists[0]][row].length : 1;
    for (let k = 0; k < count; k++) {
      const value = (column) => (lists.includes(column) ? data[column][row][k] : data[column][row]);
      yield Object.fromEntries(columns.map((column) => [column, value(column)]));
    }
  }
}

function* rows() {
  for (const renderer of figure.renderers) {
    // What lies under the figure is decoration: the bands, say.
    if (!renderer.data_source || !renderer.visible || renderer.level === "underlay") continue;
    const source = renderer.data_source.data;
    const data = source instanceof Map ? Object.fromEntries(source) : source;
    const columns = Object.keys(data).filter((column) => isList(data[column]));
    if (!columns.length) continue;
    const layer = renderer.glyph.type.toLowerCase();
    for (const row of data.image ? cells(data) : points(data, columns)) yield { layer, ...row };
  }
}

function csv() {
  const table = [...rows()];
  const columns = [...new Set(table.flatMap((row) => Object.keys(row)))];
  const cell = (value) => {
    const text = value === undefined || value === null || Number.isNaN(value) ? "" : String(value);
    return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const lines = table.map((row) => columns.map((column) => cell(row[column])).join(","));
  return new Blob([[columns.map(cell).join(","), ...lines].join("\n"), "\n"], { type: "text/csv" });
}

const view = Bokeh.index.find_one_by_id(figure.id);

function picture(kind) {
  return view.export(kind, true).to_blob().then((blob) => save(blob, kind));
}

const kinds = {
  "Picture (PNG)": () => picture("png"),
  "Picture to edit (SVG)": () => picture("svg"),
  "Numbers (CSV)": () => save(csv(), "csv"),
};
const style = getComputedStyle(document.documentElement);
const colour = (variable, usual) => style.getPropertyValue(variable).trim() || usual;
const menu = document.createElement("div");
menu.setAttribute("role", "menu");
const box = view.el.getBoundingClientRect();
Object.assign(menu.style, {
  background: colour("--ssp-page", "#fff"),
  border: `1px solid ${colour("--ssp-line", "#d4d8df")}`,
  borderRadius: "8px",
  boxShadow: "0 6px 24px rgb(0 0 0 / 18%)",
  left: `${Math.max(8, box.right - 190)}px`,
  padding: "4px",
  position: "fixed",
  top: `${Math.max(8, box.top + 32)}px`,
  zIndex: 1000,
});
const close = (event) => {
  if (event.type === "keydown" ? event.key !== "Escape" : menu.contains(event.target)) return;
  removeEventListener("pointerdown", close, true);
  removeEventListener("keydown", close, true);
  menu.remove();
};
for (const [words, act] of Object.entries(kinds)) {
  const item = document.createElement("button");
  item.type = "button";
  item.setAttribute("role", "menuitem");
  item.textContent = words;
  item.style.cssText =
    "background: none; border: 0; border-radius: 5px; cursor: pointer; display: block; " +
    "font: 13px/1.4 system-ui, sans-serif; padding: 6px 12px; text-align: left; width: 100%";
  item.style.color = colour("--ssp-ink", "#1b1d22");
  item.onpointerenter = () => (item.style.background = colour("--ssp-hover", "#eef0f3"));
  item.onpointerleave = () => (item.style.background = "none");
  item.onclick = () => {
    close({ type: "click", target: null });
    act();
  };
  menu.append(item);
}
document.body.append(menu);
menu.firstChild.focus();
addEventListener("pointerdown", close, true);
addEventListener("keydown", close, true);
