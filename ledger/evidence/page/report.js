// What a verified file proves, in the words of the verifier in Python (ledger/evidence/report.py): never more than was signed.

const SAID_ELSEWHERE = ["bizStep", "eventTime", "eventTimeZoneOffset", "type", "eventID", "action"];
const LAST_MS = 253402300799000;

// A document, sender or receiver with its type, as docs/formats/event.md writes it.
const TYPED = /^\{"(?:bizTransaction|source|destination)":"([^"\\]+)","type":"([^"\\]*)"\}$/;

// A place or party, and a document's number under the GLN of who gave it: people read the digits.
const GLN = /^https:\/\/id\.gs1\.org\/41[47]\/([0-9]{13})(?:\/254\/([!-~]{1,80}))?$/;
const NUMBERED = /^urn:epcglobal:cbv:bt:([0-9]{13}):(.{1,200})$/;

// A GLN by its digits, and a document by its number; anything else as it is written.
function spoken(uri) {
  const place = GLN.exec(uri);
  if (place) return `GLN ${place[1]}${place[2] ? `, extension ${place[2]}` : ""}`;
  const document = NUMBERED.exec(uri);
  return document ? `${document[2]}, numbered by GLN ${document[1]}` : uri;
}

// Text inside JSON is shown without its quotation marks, what has a type with the type in brackets. What is told in
// other words than it is written has the writing behind it: {text, uri}.
function fieldValue(value) {
  const typed = TYPED.exec(value);
  const bare = value.length > 1 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value;
  const uri = typed ? typed[1] : bare;
  const said = spoken(uri);
  const text = typed?.[2] ? `${said} (${typed[2].replaceAll("_", " ")})` : said;
  return said === uri ? text : { text, uri };
}

// Milliseconds since 1970 (BigInt) as people read them.
function momentWords(ms) {
  const capped = Number(ms > BigInt(LAST_MS) ? BigInt(LAST_MS) : ms);
  return `${new Date(capped).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

const plural = (count, noun) => `${count} ${noun}${count === 1 ? "" : "s"}`;

// The key's holder, and whose word that is before the label, which is the holder's own text.
function keyWords(key, policy) {
  if (key.party === null) return `this node (${key.role} key ${quoted(key.label)})`;
  const trust = policy?.roots.has(key.party) ? "root pinned by your policy" : "by this node's word";
  return `${key.party} (${trust}, ${key.role} key ${quoted(key.label)})`;
}

const bySuspect = (key) => `it was registered by a key that is suspected since entry ${key.registeredInDoubt}`;

// From when to when a key counted, and since when it is suspected.
function lifeWords(key) {
  const end = key.ended === null ? ", not shown to be revoked" : `, ${key.revoked ? "revoked" : "suspended"} in entry ${key.ended}`;
  const since = key.suspectSince === null ? "" : `, suspect since entry ${key.suspectSince}`;
  return `registered in entry ${key.registered}${end}${since}${key.registeredInDoubt === null ? "" : `, IN DOUBT: ${bySuspect(key)}`}`;
}

// Whether a key's signature at `index` counted, and whether it is in doubt since.
function validWords(key, index) {
  const since = `yes: registered in entry ${key.registered}`;
  const own = key.suspectSince !== null && index >= key.suspectSince;
  const text = key.ended === null ? `${since}, not shown to be revoked` : `${since}, ${key.revoked ? "revoked" : "suspended"} later, in entry ${key.ended}`;
  const doubts = [
    ...(own ? [`; IN DOUBT: its owner suspects it since entry ${key.suspectSince}`] : []),
    ...(key.registeredInDoubt === null ? [] : [`; IN DOUBT: ${bySuspect(key)}`]),
  ];
  return { text: text + doubts.join(""), doubt: doubts.length > 0 };
}

function vouchedWords(item, keyring, policy) {
  if (item.raw.signers.length) {
    const keys = item.entry.signatures.map((each) => each.key.slice(0, 16)).join(" and ");
    return { kind: "unnamed", text: `signed by somebody who is not named here (key ${keys}): that the key was registered is not shown` };
  }
  if (item.entry.kind === "captured") {
    const keys = item.entry.signatures.map((each) => keyring.require(each.key, item.index));
    const pinned = keys.every((key) => policy?.roots.has(key.party));
    return { kind: pinned ? "signed" : "word", text: `signed by ${keys.map((key) => keyWords(key, policy)).join(" and ")}` };
  }
  const noted = notedIn(item);
  const sender = noted.get("onBehalfOf") ?? "a party that is not shown";
  const channel = noted.has("channel") ? ` (by ${noted.get("channel")})` : "";
  return { kind: "received", text: `received from ${sender}${channel}, NOT signed by it; that it came is signed by the node` };
}

const BADGES = { signed: "signed by its author", word: "signed, whose key by this node's word", unnamed: "signed, by whom is hidden", received: "not signed by its author" };

function eventWords(number, each, found) {
  const { item, event } = each;
  const step = event.one.get("bizStep") ?? event.one.get("type") ?? "event";
  const rows = [];
  for (const [path, value] of event.one) if (!SAID_ELSEWHERE.includes(path)) rows.push([fieldName(path), [fieldValue(value)]]);
  for (const [path, values] of event.many) {
    const unshown = event.elements.get(path) - values.length;
    rows.push([fieldName(path), [...values.map(fieldValue), ...(unshown ? [`and ${unshown} more, hidden`] : [])]]);
  }
  return {
    number,
    step: plain(step).replaceAll("_", " ") + (declaredWrong(event) ? " (declared to be wrong)" : event.mayRetract ? " (OR ITS RETRACTION: what would tell is hidden)" : ""),
    time: event.one.has("eventTime") ? timeWords(event.one.get("eventTime")) : "at a time that is not shown",
    vouched: vouchedWords(item, found.keyring, found.policy),
    entry: String(item.index),
    recorded: momentWords(item.entry.receivedMs),
    valid: item.raw.signers.length ? [] : item.entry.signatures.map((signature) => validWords(found.keyring.require(signature.key, item.index), item.index)),
    refersTo: item.statement.refs.filter((leaf) => found.leaves.has(leaf)).map((leaf) => String(found.leaves.get(leaf))),
    rows,
    hidden: event.hidden,
  };
}

// Each name once, however many keys it cosigned by.
function witnessWords(witnesses) {
  return [...new Set(witnesses.map((each) => each.name))].map((name) => {
    const mine = witnesses.filter((each) => each.name === name).map((each) => each.seconds);
    const seconds = mine.filter((each) => each).reduce((a, b) => (a === 0n || b < a ? b : a), 0n);
    const when = seconds ? `by its clock at ${momentWords(seconds * 1000n)}` : "without a time";
    return `${name}, ${when}${mine.length > 1 ? `, by ${mine.length} keys` : ""}`;
  });
}

function madeFor(file, policy) {
  if (!policy?.sha256) return "you check with none";
  return `${file.policy === policy.sha256 ? "the one" : "which is not the one"} you check with`;
}

function hiddenWords(fields, elements) {
  const counted = [fields ? plural(fields, "field") : "", elements ? `${plural(elements, "list element")}` : ""].filter(Boolean);
  return [counted.length ? `${counted.join(" and ")}, each sealed: it can be shown later, not changed` : "none"];
}

// The whole report: facts (the rows that are told separately), events, keys, and what it does not prove.
function reportWords(found) {
  const { file, head, keyring, policy } = found;
  const events = found.events.map((each, n) => eventWords(n + 1, each, found));
  const hidden = events.reduce((sum, event) => sum + event.hidden, 0);
  const withheld = found.events.reduce((sum, { event }) => sum + [...event.many].reduce((n, [path, shown]) => n + event.elements.get(path) - shown.length, 0), 0);
  const trusted = Boolean(policy?.logs.length);
  const kinds = ["signed", "word", "unnamed", "received"].map((kind) => [kind, events.filter((event) => event.vouched.kind === kind).length]);
  const doubts = events.filter((event) => event.valid.some((each) => each.doubt)).length;
  const indexes = [...new Set(events.map((event) => event.entry))];
  return {
    subject: file.subject,
    trusted,
    facts: [
      ["Signed by whom", kinds.filter(([, count]) => count).map(([kind, count]) => `${plural(count, "event")} ${BADGES[kind]}`)],
      ["Logged at which index", [`${indexes.length === 1 ? "entry" : "entries"} ${indexes.join(", ")} of ${head.origin}, sealed at ${head.size} entries`,
        trusted ? "the ledger's key is named by your policy" : "the ledger's key is taken from this file itself: compare it with one you trust"]],
      ["Seen by which witnesses, when", found.witnesses.length
        ? witnessWords(found.witnesses)
        : ["none that a policy of yours names"]],
      ["Key valid then", [doubts ? `${plural(doubts, "event")} signed by a key IN DOUBT: see below` : "every signature counted at its index; see each event"]],
      ["Fields hidden", hiddenWords(hidden, withheld)],
      ...(file.policy ? [["Made for policy", [file.policy, madeFor(file, policy)]]] : []),
      ["Complete?", ["cannot be proven here: compare with the counterparties"]],
    ],
    logKeys: head.keys.filter((key) => head.note.signatures.some((line) => line.name === key.name && equal(line.keyId, key.keyId))).map((key) => key.vkey),
    unjudged: found.unjudged,
    events,
    keys: keyring.all().map((key) => ({
      who: keyWords(key, policy),
      thumbprint: key.key,
      life: lifeWords(key),
    })),
    byWord: keyring.all().some((key) => key.party !== null && !policy?.roots.has(key.party)),
  };
}
