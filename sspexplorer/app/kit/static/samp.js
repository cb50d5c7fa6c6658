// Sends tables to programs on the visitor's computer by SAMP, the Web Profile of version 1.3
// (https://www.ivoa.net/documents/SAMP/), and tells them and hears from them which of their rows
// are chosen. The browser, and not the server, talks to the hub there.
const HUB = "http://localhost:21012/";
const TABLE = "table.load.votable";
const ROWS = { "table.highlight.row": "row", "table.select.rowList": "row-list" };
const PATIENCE = "30"; // s; as long a hub may wait for a message before it answers
const PAUSE = 500; // ms; some hubs do not wait

class Refused extends Error {}

const escaped = (text) =>
  text.replace(/[&<>]/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[sign]);

// SAMP has strings, lists and maps of them; the rest of XML-RPC it does not need.
function written(value) {
  if (typeof value === "string") return `<string>${escaped(value)}</string>`;
  if (Array.isArray(value)) {
    const items = value.map((inner) => `<value>${written(inner)}</value>`);
    return `<array><data>${items.join("")}</data></array>`;
  }
  const members = Object.entries(value).map(
    ([name, inner]) =>
      `<member><name>${escaped(name)}</name><value>${written(inner)}</value></member>`,
  );
  return `<struct>${members.join("")}</struct>`;
}

function read(value) {
  const child = (parent, name) => [...parent.children].find((part) => part.tagName === name);
  const list = child(value, "array");
  if (list) return [...child(list, "data").children].map(read);
  const struct = child(value, "struct");
  if (!struct) return value.textContent;
  return Object.fromEntries(
    [...struct.children].map((member) => [
      child(member, "name").textContent,
      read(child(member, "value")),
    ]),
  );
}

async function call(method, ...values) {
  const params = values.map((value) => `<param><value>${written(value)}</value></param>`).join("");
  const body =
    `<?xml version="1.0"?><methodCall><methodName>samp.webhub.${method}</methodName>` +
    `<params>${params}</params></methodCall>`;
  const headers = { "Content-Type": "text/xml" };
  // Who leaves the page is gone before there is an answer.
  const keepalive = method === "unregister";
  const answer = await fetch(HUB, { method: "POST", headers, body, keepalive });
  const text = await answer.text();
  const found = new DOMParser().parseFromString(text, "text/xml");
  const value = found.querySelector("methodResponse > params > param > value");
  if (!value) throw new Refused(text);
  return read(value);
}

// What is in sight of the app's address has its tables beside it.
const whole = (address) => {
  const here = new URL(location.href);
  here.pathname = here.pathname.replace(/\/+$/, "");
  return new URL(address, here).href;
};

export function render({ model }) {
  let key = "";
  let takers = {};
  let turn = 0; // of listening; one at a time
  let told = Promise.resolve();
  const tables = new Map(); // what other programs know them by, and the server
  const tell = (said) => model.send_msg(said);

  async function connect() {
    if (key) {
      // A hub that was started again knows nobody.
      takers = await call("getSubscribedClients", key, TABLE).catch(forget);
      if (key) {
        tell(Object.keys(takers).length ? { connected: true } : { trouble: "nobody" });
        return;
      }
    }
    try {
      key = (await call("register", { "samp.name": "SSP Explorer" }))["samp.private-key"];
    } catch (error) {
      tell({ trouble: error instanceof Refused ? "refused" : "no hub" });
      return;
    }
    try {
      await call("declareMetadata", key, {
        "samp.name": "SSP Explorer",
        "samp.description.text": "Ages, metallicities and dust of galaxies from J-PAS photometry",
      });
      await call("allowReverseCallbacks", key, "1");
      const heard = Object.keys(ROWS).map((kind) => [kind, {}]);
      await call("declareSubscriptions", key, Object.fromEntries(heard));
      takers = await call("getSubscribedClients", key, TABLE);
      if (!Object.keys(takers).length) {
        leave();
        tell({ trouble: "nobody" });
      } else tell({ connected: true });
    } catch {
      tell({ trouble: "lost" });
    }
  }

  async function send({ address, name }) {
    try {
      const url = whole(address);
      if (!(await fetch(url, { method: "HEAD" })).ok) {
        if (!tables.size) leave();
        tell({ trouble: "unserved" });
        return;
      }
      await call("notifyAll", key, {
        "samp.mtype": TABLE,
        "samp.params": { url, "table-id": url, name },
      });
      tables.set(url, address);
      const said = await Promise.all(
        Object.keys(takers).map((taker) => call("getMetadata", key, taker)),
      );
      tell({ sent: said.map((about, k) => about["samp.name"] ?? Object.keys(takers)[k]) });
      listen();
    } catch {
      tell({ trouble: "lost" });
    }
  }

  // One after the other: what was chosen last is told last.
  function choose({ kind, table, rows }) {
    const url = whole(table);
    const params = { "table-id": url, url, [ROWS[kind]]: rows };
    const message = { "samp.mtype": kind, "samp.params": params };
    told = told.then(() => key && call("notifyAll", key, message)).catch(() => {});
  }

  async function listen() {
    const own = ++turn;
    while (key && own === turn) {
      try {
        const came = await call("pullCallbacks", key, PATIENCE);
        for (const message of came) hear(message);
        if (!came.length) await new Promise((go) => setTimeout(go, PAUSE));
      } catch {
        if (own !== turn) return;
        forget();
        tell({ trouble: "gone" });
      }
    }
  }

  function hear({ "samp.methodName": method, "samp.params": params }) {
    const message = params.at(-1);
    if (method === "receiveCall") {
      const answer = { "samp.status": "samp.ok", "samp.result": {} };
      call("reply", key, params[1], answer).catch(() => {});
    }
    const kind = message["samp.mtype"];
    const said = message["samp.params"];
    const table = tables.get(said?.["table-id"]) ?? tables.get(said?.url);
    if (table && kind in ROWS) tell({ kind, table, rows: said[ROWS[kind]] });
  }

  function forget() {
    key = "";
    turn += 1;
    tables.clear();
  }

  function leave() {
    if (key) call("unregister", key).catch(() => {});
    forget();
  }

  model.on("msg:custom", (message) => {
    if (message.connect) connect();
    else if (message.leave) leave();
    else if (message.kind) choose(message);
    else if (message.listen === true && tables.size) listen();
    else if (message.listen === false) turn += 1;
    else if (message.address) send(message);
  });
  model.on("remove", leave);
  addEventListener("pagehide", leave);
}
