// The page: it verifies what it carries, or what is dropped on it, and shows the nine steps and the report.
// Everything from a file reaches the page as text, never as markup.

const TITLES = [
  ["File", "size, JSON, exact writing, members and their types"],
  ["Checkpoint", "one signed head of the ledger; the witnesses that your policy asks for"],
  ["Inclusion", "each entry is in the ledger's tree, at its index"],
  ["Entry", "each entry and statement is well-formed, and of this ledger"],
  ["Keys", "each key was registered by who may, and its holder had it"],
  ["Signatures", "each statement is signed, by keys that counted at that index"],
  ["Fields", "each field shown is the one that was signed"],
  ["Subject", "each event is about this package, or what it was in then"],
  ["Digest", "the file has no accident in it"],
];

// The verdict on a file: {verdict: "accepted" | "refused" | "cannot-judge", step, code, entry, path, message, passed, report}.
async function judge(bytes, policyBytes = null, authorsBytes = null) {
  let passed = 0;
  try {
    const lack = await lacking();
    if (lack) throw new CannotJudge(lack);
    let policy = null;
    try {
      policy = policyBytes || authorsBytes ? await parsePolicy(policyBytes, authorsBytes) : null;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      throw new CannotJudge(`Your policy cannot be used, so nothing is judged by it. ${error.message}.`);
    }
    const found = await verifyFile(bytes, policy, (step) => (passed = step));
    if (found.unjudged.length) {
      const message = `Everything that a browser can check holds. What ${found.unjudged.join(" and ")} signed by ML-DSA-44 it cannot check: use packproof-verify.`;
      return { verdict: "cannot-judge", passed, message, report: reportWords(found) };
    }
    return { verdict: "accepted", passed, report: reportWords(found) };
  } catch (error) {
    if (error instanceof Refusal && error.step) {
      const { step, code, path, message } = error;
      return { verdict: "refused", passed, step, code, entry: error.entry === null ? null : String(error.entry), path, message };
    }
    const message = error instanceof CannotJudge ? error.message : `This page failed (${error}).`;
    return { verdict: "cannot-judge", passed, message };
  }
}

const $ = (id) => document.getElementById(id);

function make(tag, className, ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children.map((child) => (typeof child === "string" ? clean(child) : child)));
  return element;
}

// Values come from strangers: nothing in them may turn the direction of a line or hide in it.
function clean(text) {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, "\ufffd");
}

const state = { original: null, name: "packproof-evidence.json", bytes: null, policy: null, authors: null, flipped: null };

async function show() {
  document.body.classList.add("busy");
  const result = await judge(state.bytes, state.policy, state.authors);
  document.body.classList.remove("busy");
  document.body.dataset.verdict = result.verdict;
  showVerdict(result);
  showSteps(result);
  showReport(result.report);
  $("flip").textContent = state.flipped === null ? "Change one byte" : "Put the byte back";
  $("save").hidden = state.flipped !== null;
  return result;
}

function showVerdict(result) {
  const faces = {
    accepted: ["\u2714", "Accepted", "Every byte of this file holds together."],
    refused: ["\u2716", "Refused", "Do not rely on this file."],
    "cannot-judge": ["?", "Cannot judge", "This says nothing about the file, neither good nor bad."],
  };
  const [shape, word, said] = faces[result.verdict];
  $("shape").textContent = shape;
  $("word").textContent = word;
  const own = result.verdict === "accepted" && !result.report.trusted ? " Whose ledger it is, only a policy of yours can tell." : "";
  $("said").textContent = said + own;
  $("subject").textContent = result.report ? clean(labelled(result.report.subject)) : "";
  $("epc").textContent = result.report ? clean(result.report.subject) : "";
  const where = [result.entry === null || result.entry === undefined ? "" : `entry ${result.entry}`, result.path ?? ""].filter(Boolean).join(", ");
  const step = result.step ? `Step ${result.step}, ${TITLES[result.step - 1][0].toLowerCase()}${where ? ` (${where})` : ""}: ` : "";
  $("why").textContent = result.message ? clean(`${step}${result.message}`) : "";
  $("flipped").textContent = state.flipped === null ? "" : state.flipped;
}

// (01)GTIN (21)serial, as on the label; another name stays as it is.
function labelled(epc) {
  const found = /^https:\/\/id\.gs1\.org\/01\/(\d{14})\/21\/([^/]+)$/.exec(epc);
  if (!found) return epc;
  let serial = found[2];
  try {
    serial = decodeURIComponent(serial);
  } catch {
    return epc;
  }
  return `(01) ${found[1]} (21) ${serial}`;
}

function showSteps(result) {
  const list = $("steps");
  list.replaceChildren();
  TITLES.forEach(([title, about], n) => {
    const step = n + 1;
    const kind = step <= result.passed ? "holds" : step === result.step ? "fails" : "unreached";
    const words = { holds: "\u2714 holds", fails: "\u2716 fails", unreached: "not reached" }[kind];
    const item = make("li", kind, make("b", "", title), make("span", "about", about), make("span", "state", words));
    list.append(item);
  });
}

function showReport(report) {
  $("report").hidden = !report;
  if (!report) return;
  $("facts").replaceChildren(...report.facts.flatMap(([name, lines]) => [make("dt", "", name), make("dd", "", ...lines.map((line) => make("p", "", line)))]));
  $("events").replaceChildren(...report.events.map(showEvent));
  $("keys").replaceChildren(...report.keys.map((key) => make("li", "", make("b", "", key.who), make("span", "", key.life), make("code", "", key.thumbprint))));
  $("log-key").replaceChildren(...report.logKeys.map((key) => make("code", "", key)));
  $("by-word").hidden = !report.byWord;
}

// A line of text; what it is written as stands behind it.
function showLine(line) {
  if (typeof line === "string") return make("p", "", line);
  const shown = make("p", "behind", line.text);
  shown.title = clean(line.uri);
  return shown;
}

function showEvent(event) {
  const rows = make("dl", "rows");
  const said = make("dl", "rows"); // the event's own fields, apart from where the report itself speaks
  const row = (name, lines, into = rows) => into.append(make("dt", "", name), make("dd", "", ...lines.map(showLine)));
  row("vouched for", [event.vouched.text]);
  row("stands as", [`entry ${event.entry}, which the node says it recorded at ${event.recorded}`]);
  if (event.valid.length) row("key valid then", event.valid.map((each) => each.text));
  if (event.refersTo.length) row("refers to", [`entry ${event.refersTo.join(", ")}, by its author's own words`]);
  if (event.hidden) row("hidden", [plural(event.hidden, "field")]);
  for (const [name, values] of event.rows) row(name, values.length > 12 ? [...values.slice(0, 12), `and ${values.length - 12} more`] : values, said);
  const head = make("div", "head", make("h3", "", event.step), make("span", `badge ${event.vouched.kind}`, BADGES[event.vouched.kind]));
  if (event.valid.some((each) => each.doubt)) head.append(make("span", "badge doubt", "key in doubt"));
  const own = event.rows.length ? [make("h4", "", "What it says"), said] : [];
  return make("li", "", head, make("p", "time", event.time), rows, ...own);
}

// A byte is changed as an operator would who changes what was recorded: one letter of a field's value, the digest made
// right again where the change still reads as a file. Each press of the button takes another.
let presses = 0;

async function flip() {
  if (state.flipped !== null) {
    state.bytes = state.original;
    state.flipped = null;
    return show();
  }
  const bytes = Uint8Array.from(state.original);
  const written = fromLatinLong(bytes);
  const marks = [...written.matchAll(/"path":"e[^"]*","salt":"[0-9a-f]{32}","value":"[A-Za-z0-9+/]{5}|"entry":"[A-Za-z0-9+/]{400}|"proof":\["[A-Za-z0-9+/]{9}/g)];
  const mark = marks.length ? marks[(presses * 7 + 1) % marks.length] : null;
  const position = mark ? mark.index + mark[0].length - 1 : bytes.length >> 1;
  bytes[position] = bytes[position] === 0x41 ? 0x42 : 0x41;
  const digest = written.indexOf('"digest":"'); // 10 bytes, 64 of hex, and a quotation mark with its comma
  const rest = concat(bytes.subarray(0, digest), bytes.subarray(digest + 76));
  if (digest >= 0) bytes.set(utf8(toHex(await sha256(rest))), digest + 10);
  presses += 1;
  state.bytes = bytes;
  state.flipped = `Byte ${position} of the file was changed, and its digest made to fit, as somebody would who tampers with it.`;
  return show();
}

function fromLatinLong(bytes) {
  let written = "";
  for (let n = 0; n < bytes.length; n += 0x8000) written += fromLatin(bytes.subarray(n, n + 0x8000));
  return written;
}

async function take(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const first = fromLatinLong(bytes.subarray(0, 2000)).trimStart();
  if (/^\{\s*"roots"/.test(first)) state.authors = bytes;
  else if (!first.startsWith("{") && /^(?:#|log |witness |group |quorum )/m.test(first)) state.policy = bytes;
  else {
    Object.assign(state, { original: bytes, bytes, name: file.name, flipped: null });
    $("name").textContent = file.name;
  }
  showTrust();
  return show();
}

function showTrust() {
  const parts = [state.policy ? "a policy for ledgers and witnesses" : "", state.authors ? "root keys of companies" : ""].filter(Boolean);
  $("trusting").textContent = parts.length ? `Checked with ${parts.join(" and ")} of yours.` : "Checked without a policy: the ledger's key is the file's own.";
}

function save() {
  const link = make("a", "");
  link.href = URL.createObjectURL(new Blob([state.original], { type: "application/json" }));
  link.download = state.name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

function pasted() {
  const policy = $("policy").value.replaceAll("\r\n", "\n").trim();
  const authors = $("authors").value.trim();
  state.policy = policy ? utf8(`${policy}\n`) : null;
  state.authors = authors ? utf8(authors) : null;
  showTrust();
  return show();
}

function start() {
  const carried = $("evidence").textContent.trim();
  state.original = carried ? fromBase64(carried) : new Uint8Array();
  state.bytes = state.original;
  $("flip").addEventListener("click", flip);
  $("save").addEventListener("click", save);
  $("print").addEventListener("click", () => window.print());
  $("apply").addEventListener("click", pasted);
  $("other").addEventListener("change", (event) => event.target.files[0] && take(event.target.files[0]));
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    document.body.classList.add("over");
  });
  document.addEventListener("dragleave", () => document.body.classList.remove("over"));
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    document.body.classList.remove("over");
    if (event.dataTransfer.files[0]) take(event.dataTransfer.files[0]);
  });
  showTrust();
  return show();
}

globalThis.packproof = { judge, fromBase64 };
start();
