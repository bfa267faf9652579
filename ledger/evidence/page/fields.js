// What is shown of a commitment, and the file that shows it (docs/formats/statement.md, evidence.md).

const MAX_CHILDREN = 2 ** 32 - 1;
const MAX_FILE_BYTES = 32 * 1024 * 1024;
const FORMAT = "packproof-evidence/2";
const FORMAT_1 = "packproof-evidence/1"; // the checkpoint in each entry's proof

const leafCommitment = (path, salt, value) => sha256(Uint8Array.of(0), salt, utf8(path), Uint8Array.of(0), value);
const subtreeCommitment = (path, count, root) => sha256(Uint8Array.of(2), utf8(path), Uint8Array.of(0), u32(count), root);
const subtreeOver = async (path, children) => subtreeCommitment(path, children.length, await treeHash(children));

function isHidden(value) {
  return value !== null && typeof value === "object" && !Array.isArray(value) && Object.keys(value).length === 1 && Object.hasOwn(value, "hash");
}

function parseLeaf(value) {
  if (isHidden(value)) return { kind: "hidden", hash: hexOf(value.hash, 32) };
  members(value, "path", "salt", "value");
  return { kind: "shown", path: text(value.path), salt: hexOf(value.salt, 16), value: base64Of(value.value) };
}

function parseField(value) {
  if (value === null || typeof value !== "object" || !Object.hasOwn(value, "elements")) return parseLeaf(value);
  members(value, "path", "n", "elements");
  const n = integer(value.n, 1, MAX_CHILDREN);
  const elements = array(value.elements, 1, n).map((item) => {
    members(item, "i", "salt", "value", "proof");
    return { i: integer(item.i, 0, n - 1), salt: hexOf(item.salt, 16), value: base64Of(item.value), proof: hashesOf(item.proof) };
  });
  if (elements.some((item, k) => k && elements[k - 1].i >= item.i)) refuse("elements", "the elements of a list are not in order");
  return { kind: "list", path: text(value.path), n, elements };
}

function parseIntake(value) {
  if (isHidden(value)) return parseLeaf(value);
  members(value, "path", "nodes");
  const nodes = array(value.nodes, 0, 64).map(parseLeaf);
  if (value.path !== "intake") refuse("shape", "the intake's path is 'intake'");
  return { kind: "subtree", nodes };
}

async function foldField(node) {
  if (node.kind === "hidden") return node.hash;
  if (node.kind === "shown") return leafCommitment(node.path, node.salt, node.value);
  let root = null;
  for (const item of node.elements) {
    const leaf = await leafCommitment(`${node.path}/${item.i}`, item.salt, item.value);
    const folded = await foldInclusion(leaf, item.i, node.n, item.proof);
    if (root && !equal(root, folded)) refuse("elements", `the elements shown of ${node.path} are not of one list`);
    root = folded;
  }
  return subtreeCommitment(node.path, node.n, root);
}

async function foldIntake(node) {
  if (node.kind === "hidden") return node.hash;
  return subtreeOver("intake", await Promise.all(node.nodes.map(foldField)));
}

async function foldRecord(record) {
  const hashes = [];
  for (const field of record.fields) hashes.push(await foldField(field));
  return subtreeOver(`e${record.n}`, hashes);
}

// Step 1: shapes and exact writing. Nothing in it is believed yet.
function parseFile(bytes) {
  if (bytes.length > MAX_FILE_BYTES) refuse("size", `the file has more than ${MAX_FILE_BYTES} bytes`);
  const value = readJson(bytes, "writing", "the file is not written exactly: white space, order, escapes, or a member twice");
  const known = value !== null && typeof value === "object" && !Array.isArray(value) ? value.format : FORMAT;
  if (known !== FORMAT && known !== FORMAT_1) refuse("format", `this is no file of format ${FORMAT}`);
  const first = known === FORMAT_1;
  members(value, "format", "subject", "log", "policy", "entries", "digest", ...(first ? [] : ["checkpoint"]));
  if (text(value.policy)) hexOf(value.policy, 32);
  hexOf(value.digest, 32);
  const checkpoint = first ? null : utf8(text(value.checkpoint, MAX_NOTE_BYTES));
  const entries = array(value.entries, 1, 4096).map((entry) => parseFileEntry(entry, first));
  if (entries.reduce((sum, entry) => sum + entry.records.length, 0) > 10000) refuse("size", "more than 10000 records are shown");
  return { subject: text(value.subject), log: text(value.log), policy: value.policy, digest: value.digest, checkpoint, entries };
}

function parseFileEntry(value, first) {
  const unnamed = value !== null && typeof value === "object" && Object.hasOwn(value, "signers") ? ["signers"] : [];
  members(value, "proof", "entry", "document", "intake", "records", "count", "head", ...(first ? [] : ["index"]), ...unnamed);
  let document = value.document;
  if (!isHidden(document)) {
    members(document, "salt", "value");
    document = { path: "document", salt: document.salt, value: toBase64(hexOf(document.value, 32)) };
  }
  const count = integer(value.count, 2, MAX_CHILDREN);
  const head = array(value.head, 2, 2);
  const records = array(value.records, 1, count).map((item) => {
    members(item, "n", "proof", "fields");
    const fields = array(item.fields, 1, 10000).map(parseField);
    return { n: integer(item.n, 0, MAX_CHILDREN), proof: hashesOf(item.proof), fields };
  });
  if (records.some((record, k) => k && records[k - 1].n >= record.n)) refuse("shape", "the records of an entry are not in order");
  return {
    proof: first ? utf8(text(value.proof, MAX_NOTE_BYTES + 8192)) : { index: BigInt(integer(value.index, 0, Number.MAX_SAFE_INTEGER)), hashes: hashesOf(value.proof) },
    entry: base64Of(value.entry, 65535),
    document: parseLeaf(document),
    intake: parseIntake(value.intake),
    records,
    count,
    head: [hashesOf(head[0]), hashesOf(head[1])],
    signers: unnamed.length ? array(value.signers, 1, 4).map((key) => base64Of(key)) : [],
  };
}
