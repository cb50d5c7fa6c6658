// Sends a table to programs on the visitor's computer by SAMP, the Web Profile of version 1.3
// (https://www.ivoa.net/documents/SAMP/): the browser, and not the server, talks to the hub there.
const HUB = "http://localhost:21012/";
const TABLE = "table.load.votable";

class Refused extends Error {}

const escaped = (text) =>
  text.replace(/[&<>]/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[sign]);

// SAMP has strings and maps of them; the rest of XML-RPC it does not need.
function written(value) {
  if (typeof value === "string") return `<string>${escaped(value)}</string>`;
  const members = Object.entries(value).map(
    ([name, inner]) =>
      `<member><name>${escaped(name)}</name><value>${written(inner)}</value></member>`,
  );
  return `<struct>${members.join("")}</struct>`;
}

function read(value) {
  const struct = [...value.children].find((part) => part.tagName === "struct");
  if (!struct) return value.textContent;
  const parts = (member, name) => [...member.children].find((part) => part.tagName === name);
  return Object.fromEntries(
    [...struct.children].map((member) => [
      parts(member, "name").textContent,
      read(parts(member, "value")),
    ]),
  );
}

async function call(method, ...values) {
  const params = values.map((value) => `<param><value>${written(value)}</value></param>`).join("");
  const body =
    `<?xml version="1.0"?><methodCall><methodName>samp.webhub.${method}</methodName>` +
    `<params>${params}</params></methodCall>`;
  const answer = await fetch(HUB, { method: "POST", headers: { "Content-Type": "text/xml" }, body });
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
  const tell = (said) => model.send_msg(said);

  async function connect() {
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
      takers = await call("getSubscribedClients", key, TABLE);
      if (!Object.keys(takers).length) {
        await leave();
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
        await leave();
        tell({ trouble: "unserved" });
        return;
      }
      await call("notifyAll", key, {
        "samp.mtype": TABLE,
        "samp.params": { url, "table-id": url, name },
      });
      const said = await Promise.all(
        Object.keys(takers).map((taker) => call("getMetadata", key, taker)),
      );
      await leave();
      tell({ sent: said.map((about, k) => about["samp.name"] ?? Object.keys(takers)[k]) });
    } catch {
      tell({ trouble: "lost" });
    }
  }

  async function leave() {
    await call("unregister", key);
    key = "";
  }

  model.on("msg:custom", (message) => {
    if (message.connect) connect();
    else if (message.leave) leave().catch(() => {});
    else send(message);
  });
}
