// This browser remembers the last signed head of the ledger that it saw, and wants the next one to continue it
// (docs/formats/checkpoint.md). What it keeps, in `localStorage`: {v: 1, log: verifier key, note, seen_at}. An answer of a
// ledger that shows another past is taken off the screen; two heads that contradict each other are given as a file
// (docs/formats/conflict.md). The page comes from the node itself: this finds a database that was put back, and not a node
// that serves another script. For that there are benches and witnesses.
const STORE = "packproof.trust";
const NAMED = "\u2014 ";

class Refused extends Error {
  constructor(message, path = []) {
    super(message);
    this.path = path;
  }
}

const utf8 = (text) => new TextEncoder().encode(text);
const bytesOf = (base64) => Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
const equal = (a, b) => a.length === b.length && a.every((byte, n) => byte === b[n]);

async function sha256(...parts) {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", Uint8Array.from(parts.flatMap((part) => [...part]))));
}

const nodeHash = (left, right) => sha256([1], left, right);

async function get(path) {
  const answer = await fetch(path, { cache: "no-store", credentials: "same-origin" });
  if (!answer.ok) throw Object.assign(new Error(`${path} answered ${answer.status}`), { status: answer.status });
  return answer;
}

// A verifier key, name+id+base64(0x01 || Ed25519 key), and the signature line that it wrote in a note, if it did.
async function signedBy(vkey, note) {
  const [name, id, key] = [vkey.slice(0, vkey.indexOf("+")), ...vkey.slice(vkey.indexOf("+") + 1).split(/\+(.*)/s)];
  const raw = bytesOf(key);
  if (raw[0] !== 1 || raw.length !== 33) return false;
  const imported = await crypto.subtle.importKey("raw", raw.subarray(1), { name: "Ed25519" }, false, ["verify"]);
  const gap = note.lastIndexOf("\n\n") + 1;
  for (const line of note.slice(gap + 1).split("\n").filter((each) => each.startsWith(`${NAMED}${name} `))) {
    const signature = bytesOf(line.slice(NAMED.length + name.length + 1));
    const hex = [...signature.subarray(0, 4)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    if (hex !== id) continue;
    if (!(await crypto.subtle.verify({ name: "Ed25519" }, imported, signature.subarray(4), utf8(note.slice(0, gap))))) {
      throw new Refused("Its signature on the head it shows is wrong.");
    }
    return true;
  }
  return false;
}

function headOf(note) {
  const [origin, size, root, end] = note.slice(0, note.lastIndexOf("\n\n") + 1).split("\n");
  if (end !== "" || !/^[1-9][0-9]{0,15}$/.test(size)) throw new Refused("What it shows is no head of a ledger.");
  return { origin, size: Number(size), root: bytesOf(root) };
}

// RFC 9162, 2.1.4.2: whether the tree of `later` begins with that of `before`.
async function continues(before, later, hashes) {
  const path = [...hashes];
  if (Math.log2(before.size) % 1 === 0) path.unshift(before.root);
  const half = (number) => Math.floor(number / 2);
  let [at, last] = [before.size - 1, later.size - 1];
  while (at % 2) [at, last] = [half(at), half(last)];
  if (!path.length) return false;
  let [old, fresh] = [path[0], path[0]];
  for (const sibling of path.slice(1)) {
    if (!last) return false;
    if (at % 2 || at === last) {
      old = await nodeHash(sibling, old);
      fresh = await nodeHash(sibling, fresh);
      while (at && !(at % 2)) [at, last] = [half(at), half(last)];
    } else {
      fresh = await nodeHash(fresh, sibling);
    }
    [at, last] = [half(at), half(last)];
  }
  return !last && equal(old, before.root) && equal(fresh, later.root);
}

// Refuses unless the two heads belong to one history.
async function compare(kept, shown) {
  if (kept.origin !== shown.origin) throw new Refused(`It is the ledger ${shown.origin}, and this browser knows ${kept.origin} here.`);
  if (kept.size === shown.size) {
    if (!equal(kept.root, shown.root)) throw new Refused(`It signed two different heads of ${kept.size} entries.`);
    return;
  }
  const [before, later] = kept.size < shown.size ? [kept, shown] : [shown, kept];
  let hashes = [];
  try {
    hashes = (await (await get(`/ledger/consistency?from=${before.size}&to=${later.size}`)).json()).hashes.map(bytesOf);
  } catch (error) {
    if (error.status !== 422) throw error;
    throw new Refused(`It has ${shown.size} entries now, and showed this browser ${kept.size} before.`);
  }
  if (await continues(before, later, hashes)) return;
  const whole = Math.log2(before.size) % 1 !== 0 && hashes.length <= 66;
  throw new Refused(`Its ${shown.size} entries do not continue the ${kept.size} that this browser saw.`, whole ? hashes : []);
}

function conflict(kept, shown) {
  const [before, after] = [headOf(kept.note).size, headOf(shown.note).size];
  const kind = after < before ? "log-rolled-back" : after === before ? "log-forked" : "log-rewritten";
  const path = shown.path.map((hash) => btoa(String.fromCharCode(...hash)));
  const seen = ({ note, seen_at }) => ({ note, seen_at });
  const value = { format: "packproof-conflict/1", kind, log: kept.log, path, remembered: seen(kept), shown: seen(shown) };
  return JSON.stringify(value).replace(/[\u0080-\uffff]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

function remembered() {
  try {
    const kept = JSON.parse(localStorage.getItem(STORE));
    return kept?.v === 1 ? kept : null;
  } catch {
    return null;
  }
}

const box = document.getElementById("trust");

function tell(words) {
  box.querySelector("[data-said]").textContent = words;
  box.dataset.trust = "told";
}

function alarm(words, kept, shown) {
  for (const answer of document.querySelectorAll("main .verdict")) answer.remove();
  const notice = box.querySelector("[data-alarm]");
  notice.querySelector("[data-why]").textContent = words;
  const link = notice.querySelector("a");
  link.href = URL.createObjectURL(new Blob([conflict(kept, shown)], { type: "application/json" }));
  notice.hidden = false;
  box.dataset.trust = "refused";
}

async function look() {
  if (!globalThis.crypto?.subtle) return tell("This browser keeps no head of the ledger: pages without https get no cryptography.");
  const kept = remembered();
  const note = await (await get("/ledger/checkpoint")).text();
  const shown = { v: 1, log: kept?.log ?? "", note, seen_at: new Date().toISOString().replace(/\..*/, "+00:00"), path: [] };
  try {
    const head = headOf(note);
    let [log, other] = [kept?.log, ""];
    if (!log || !(await signedBy(log, note))) {
      const policy = await (await get("/ledger/policy")).text();
      const keys = [...policy.matchAll(/^log (\S+)/gm)].map((match) => match[1]).filter((key) => key.startsWith(`${head.origin}+`));
      log = undefined;
      for (const key of keys) if (!log && (await signedBy(key, note))) log = key;
      if (!log) throw new Refused("The head it shows is signed by no key of the ledger.");
      other = kept ? " It is signed by another key than before: ask the operator whether the key was changed." : "";
    }
    if (kept) await compare(headOf(kept.note), head);
    const now = remembered(); // another page may have seen more meanwhile
    if (!now || headOf(now.note).size <= head.size) localStorage.setItem(STORE, JSON.stringify({ v: 1, log, note, seen_at: shown.seen_at }));
    const size = head.size.toLocaleString("en");
    tell((kept ? `The ledger, of ${size} entries, continues what this browser saw before.` : `From now on this browser remembers the ledger: ${size} entries.`) + other);
  } catch (error) {
    if (!(error instanceof Refused) || !kept) throw error;
    alarm(error.message, kept, { ...shown, path: error.path });
  }
}

if (box) look().catch((error) => tell(`The ledger's head was not compared with the one this browser remembers: ${error.message}`));
