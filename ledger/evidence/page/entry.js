// Entry and statement (docs/formats/entry.md, statement.md): what was appended, and what in it was signed.

const KINDS = [null, "captured", "received", "key", "redaction", "policy", "audit", "checkpoint", "void-seq"];
const HEAD_BYTES = 55;
const MAX_JSON_INT = Number.MAX_SAFE_INTEGER;

// Index and magic alone: what the step before reads.
function link(bytes) {
  if (bytes.length < HEAD_BYTES || fromLatin(bytes.subarray(0, 4)) !== "PPL1") refuse("entry", "entry: it does not begin with PPL1");
  return new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(5);
}

function fromLatin(bytes) {
  return String.fromCharCode(...bytes);
}

function decodeEntry(bytes) {
  const bad = (why) => refuse("entry", `entry: ${why}`);
  if (bytes.length > 65535) bad("it has more than 65,535 bytes");
  const index = link(bytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const kind = KINDS[bytes[4]];
  if (!kind) bad(`there is no kind ${bytes[4]}`);
  const receivedMs = view.getBigUint64(13);
  if (index >= 1n << 63n || receivedMs >= 1n << 63n) bad("a number is out of range");
  const previous = bytes.subarray(21, 53);
  if (index === 0n && previous.some((byte) => byte)) bad("entry 0 has no entry before it, so its prev_leaf must be zero");
  const end = HEAD_BYTES + view.getUint16(53);
  const statement = bytes.subarray(HEAD_BYTES, end);
  if (end >= bytes.length) bad("the bytes end before the entry does");
  if (!statement.length || statement.length > 16384) bad("a statement has 1 to 16,384 bytes");
  const count = bytes[end];
  if (count < 1 || count > 4) bad(`${count} signatures; 1 to 4 are allowed`);
  if (bytes.length !== end + 1 + count * 99) bad("a length is wrong or something follows");
  const signatures = [];
  for (let n = end + 1; n < bytes.length; n += 99) {
    const alg = bytes[n];
    if ((alg !== ED25519 && alg !== P256) || view.getUint16(n + 33) !== 64) bad("a signature of an algorithm or length not known here");
    signatures.push({ alg, key: toHex(bytes.subarray(n + 1, n + 33)), sig: bytes.subarray(n + 35, n + 99) });
  }
  if (new Set(signatures.map((each) => each.key)).size !== count) bad("two signatures by one key");
  return { kind, index, receivedMs, statement, signatures };
}

function parseStatement(bytes) {
  const bad = (why) => refuse("statement", `statement: ${why}`);
  const value = readJson(bytes, "statement", "statement: its bytes are not the canonical writing (RFC 8785) of what they say");
  const chained = value !== null && typeof value === "object" && Object.hasOwn(value, "stream");
  members(value, "v", "ledger", "author", "type", "id", "commit", "refs", ...(chained ? ["stream", "seq", "prev"] : []));
  if (value.v !== 1) bad("another version than 1");
  checkName(text(value.ledger));
  hexOf(value.author, 32);
  if (!KINDS.includes(value.type) || typeof value.type !== "string") bad(`${short(String(value.type))} is no type of statement`);
  hexOf(value.id, 16);
  members(value.commit, "alg", "root", "n");
  if (value.commit.alg !== "salted-sha256-v1") bad("another way to commit than salted-sha256-v1");
  const many = value.type === "captured" || value.type === "received";
  const root = hexOf(value.commit.root, 32);
  const n = integer(value.commit.n, many ? 0 : 1, many ? 2 ** 32 - 3 : 1);
  for (const ref of array(value.refs, 0, 64)) hexOf(ref, 32);
  if (chained) {
    if (value.type !== "captured" && value.type !== "void-seq") bad(`a statement of type ${value.type} carries no stream, seq and prev`);
    hexOf(value.stream, 16);
    integer(value.seq, 1, MAX_JSON_INT);
    hexOf(value.prev, 32);
  }
  return { ledger: value.ledger, author: value.author, type: value.type, root, n, refs: value.refs };
}

// DSSE's pre-authentication encoding: the bytes that are signed.
function pae(statement) {
  const type = "application/vnd.packproof.statement.v1+json";
  return concat(utf8(`DSSEv1 ${type.length} ${type} ${statement.length} `), statement);
}

// Refuses unless each signature of an entry fits the statement's exact bytes; `known` are verifiers by thumbprint.
async function verifySignatures(entry, statement, known) {
  if (entry.signatures[0].key !== statement.author) refuse("author", "the first signature is not by the statement's author");
  const data = pae(entry.statement);
  for (const signature of entry.signatures) {
    const verifier = known.get(signature.key);
    if (!verifier) refuse("unknown-key", `no key with thumbprint ${signature.key} is known`);
    if (verifier.alg !== signature.alg) refuse("signature", `the entry gives key ${signature.key.slice(0, 16)} another algorithm`);
    await verifier.verify(signature.sig, data);
  }
}
