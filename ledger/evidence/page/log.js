// The log: tree, signed notes, checkpoints, proofs that travel (docs/formats/checkpoint.md).

const leafHash = (data) => sha256(Uint8Array.of(0), data);
const nodeHash = (left, right) => sha256(Uint8Array.of(1), left, right);

// The Merkle tree hash over leaf hashes (RFC 6962, 2.1). A node without a neighbour moves up unchanged.
async function treeHash(leaves) {
  if (!leaves.length) return sha256();
  let level = leaves;
  while (level.length > 1) {
    const above = [];
    for (let n = 0; n + 1 < level.length; n += 2) above.push(await nodeHash(level[n], level[n + 1]));
    if (level.length % 2) above.push(level[level.length - 1]);
    level = above;
  }
  return level[0];
}

// The root that an inclusion proof leads to (RFC 9162, 2.1.3.2); exactly as many hashes as there must be.
async function foldInclusion(leaf, index, size, proof) {
  let position = BigInt(index);
  let last = BigInt(size) - 1n;
  if (position < 0n || position > last) refuse("inclusion", `position ${index} is not in a tree of ${size}`);
  let computed = leaf;
  for (const sibling of proof) {
    if (last === 0n) refuse("inclusion", "the inclusion proof has more hashes than the tree has levels");
    if (position & 1n || position === last) {
      computed = await nodeHash(sibling, computed);
      while (position && !(position & 1n)) {
        position >>= 1n;
        last >>= 1n;
      }
    } else {
      computed = await nodeHash(computed, sibling);
    }
    position >>= 1n;
    last >>= 1n;
  }
  if (last) refuse("inclusion", "the inclusion proof has fewer hashes than the tree has levels");
  return computed;
}

const MAX_NOTE_BYTES = 256 * 1024;
const SPACE = /[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/;

function checkName(name) {
  if (!/^[!-*,-~]{1,255}$/.test(name)) refuse("name", `${short(name)} cannot name a log or a key`);
  return name;
}

// A signed note (c2sp.org/signed-note): {text, signatures: [{name, keyId, sig}]}. Verifies nothing.
function parseNote(bytes) {
  const bad = (why) => refuse("note", `signed note: ${why}`);
  if (bytes.length > MAX_NOTE_BYTES) bad("too long");
  const whole = fromUtf8(bytes, "note", "signed note: not UTF-8");
  if (/[\x00-\x09\x0b-\x1f]/.test(whole)) bad("a control character");
  const gap = whole.lastIndexOf("\n\n");
  if (gap < 1 || !whole.endsWith("\n") || gap + 2 >= whole.length) bad("no text, or no signature lines below an empty line");
  const lines = whole.slice(gap + 2, -1).split("\n");
  if (lines.length > 64) bad("too many signature lines");
  const signatures = lines.map((line) => {
    const parts = line.split(" ");
    if (parts.length !== 3 || parts[0] !== "\u2014") bad(`${short(line)} is no signature line`);
    if (!parts[1] || parts[1].includes("+") || SPACE.test(parts[1])) bad(`${short(line)} names no key`);
    const raw = fromBase64(parts[2]);
    if (raw.length < 5) bad(`the signature of ${parts[1]} is too short`);
    return { name: parts[1], keyId: raw.subarray(0, 4), sig: raw.subarray(4) };
  });
  return { text: whole.slice(0, gap + 1), signatures };
}

const NOTE_KEY_BYTES = { 1: 32, 4: 32, 6: 1312 };

// A verifier key: name+hex key id+base64(type || public key).
async function parseVerifierKey(vkey) {
  const first = vkey.indexOf("+");
  const second = vkey.indexOf("+", first + 1);
  if (first < 0 || second < 0 || vkey.length > 4096) refuse("note-key", "a verifier key is written name+keyid+base64");
  const name = vkey.slice(0, first);
  const raw = fromBase64(vkey.slice(second + 1));
  checkName(name);
  if (NOTE_KEY_BYTES[raw[0]] !== raw.length - 1) refuse("note-key", `the key of ${name} is of a type or length not known here`);
  const keyId = (await sha256(utf8(`${name}\n`), raw)).subarray(0, 4);
  if (toHex(keyId) !== toHex(fromHex(vkey.slice(first + 1, second), 4))) refuse("note-key", `the key id of ${name} does not belong to its key`);
  return { name, type: raw[0], publicKey: raw.subarray(1), keyId, vkey };
}

// The verifiers that signed a note. One wrong line of a known key refuses the note; so does none at all. What ML-DSA-44
// (type 6) signed no browser can check yet: those names are `unjudged`, and whoever calls this must say so.
async function verifyNote(note, verifiers) {
  const signed = [];
  const unjudged = [];
  for (const verifier of verifiers) {
    const lines = note.signatures.filter((line) => line.name === verifier.name && equal(line.keyId, verifier.keyId));
    if (verifier.type !== 6) for (const line of lines) await checkLine(note, verifier, line);
    if (lines.length) (verifier.type === 6 ? unjudged : signed).push(verifier.name);
  }
  if (!signed.length && !unjudged.length) refuse("note-unsigned", "the note is signed by none of the keys it must be signed by");
  return unjudged;
}

async function checkLine(note, verifier, line) {
  let signed = utf8(note.text);
  let raw = line.sig;
  let seconds = null;
  if (verifier.type === 4) {
    seconds = bigEndian(raw.subarray(0, 8));
    if (raw.length <= 8 || seconds >= 1n << 63n) refuse("cosignature", "a cosignature begins with the time, u64 below 2^63");
    signed = concat(utf8(`cosignature/v1\ntime ${seconds}\n`), signed);
    raw = raw.subarray(8);
  }
  if (raw.length !== 64 || !(await ed25519(verifier.publicKey, raw, signed))) {
    refuse("note-signature", `the note's signature by ${verifier.name} is wrong`);
  }
  return seconds;
}

// A checkpoint of exactly three lines, signed by one of `logs` under its own origin (c2sp.org/tlog-checkpoint).
async function openCheckpoint(bytes, logs) {
  const bad = (why) => refuse("checkpoint", `checkpoint: ${why}`);
  const note = parseNote(bytes);
  const lines = note.text.split("\n");
  if (lines.length !== 4 || lines[3]) bad("it has not exactly the lines origin, size and root");
  const size = fromDecimal(lines[1]);
  const root = fromBase64(lines[2], 32);
  const origin = checkName(lines[0]);
  if (size === 0n && !equal(root, await sha256())) bad("a tree without entries has another root");
  const keys = logs.filter((log) => log.name === origin);
  if (!keys.length) refuse("unknown-log", `the checkpoint is of ${origin}, a log that is not trusted here`);
  return { origin, size, root, note, keys, unjudged: await verifyNote(note, keys) };
}

// A proof that travels (c2sp.org/tlog-proof): {index, hashes, checkpoint}.
function parseLogProof(bytes) {
  const bad = (why) => refuse("log-proof", `log proof: ${why}`);
  if (bytes.length > MAX_NOTE_BYTES + 8192) bad("too long");
  const whole = fromUtf8(bytes, "log-proof", "log proof: not UTF-8");
  const gap = whole.indexOf("\n\n");
  const [header, index, ...hashes] = whole.slice(0, Math.max(gap, 0)).split("\n");
  if (gap < 0 || header !== "c2sp.org/tlog-proof@v1" || !index?.startsWith("index ")) bad("it does not begin with its header and an index");
  if (hashes.length > 64) bad("it has more hashes than any tree is high");
  return { index: fromDecimal(index.slice(6)), hashes: hashes.map((line) => fromBase64(line, 32)), checkpoint: utf8(whole.slice(gap + 2)) };
}
