// The nine steps, in their order, each as the verifier in Python takes it (docs/formats/evidence.md). The first that fails
// ends it. Nothing here reads a clock or a network.

// The report of a file, or a Refusal with its step. `policy` as `parsePolicy` gives it, or null: then the ledger's key is
// the one in the file, and the report says so. `passed` is told each step that holds.
async function verifyFile(bytes, policy, passed = () => {}) {
  const file = await at(1, null, null, () => parseFile(bytes));
  passed(1);
  const { head, proofs, witnesses, unjudged } = await at(2, null, null, () => checkCheckpoint(file, policy));
  passed(2);
  for (const [n, raw] of file.entries.entries()) await checkInclusion(raw, proofs[n], head);
  passed(3);
  const read = [];
  for (const [n, raw] of file.entries.entries()) read.push(await checkEntry(raw, proofs[n], head));
  await checkOnce(read);
  passed(4);
  const keyring = await checkKeys(read, policy);
  passed(5);
  const told = read.filter((item) => item.entry.kind !== "key");
  for (const item of told) await checkSignatures(item, keyring);
  passed(6);
  const shown = [];
  for (const item of told) for (const record of item.raw.records) shown.push({ item, record: record.n, event: await readFields(item, record, 7) });
  for (const item of told) await checkRoot(item, 7);
  passed(7);
  for (const each of shown) each.event.by = partyOf(each.item, keyring);
  await checkSubject(file, shown);
  passed(8);
  await at(9, null, null, () => checkDigest(bytes, file));
  passed(9);
  const leaves = new Map(told.map((item) => [toHex(item.raw.leaf), item.index]));
  return { file, head, witnesses, unjudged, keyring, events: shown, policy, leaves };
}

// Step 2: one checkpoint in all proofs, signed by a log that is trusted, cosigned as the policy asks.
async function checkCheckpoint(file, policy) {
  const named = await parseVerifierKey(file.log);
  if (named.type !== 1) refuse("note-key", "a log's key is of type 0x01");
  const proofs = file.entries.map((raw) => (file.checkpoint === null ? parseLogProof(raw.proof) : { ...raw.proof, checkpoint: file.checkpoint }));
  if (proofs.some((proof) => !equal(proof.checkpoint, proofs[0].checkpoint))) refuse("checkpoint", "the proofs lead to different checkpoints");
  const head = await openCheckpoint(proofs[0].checkpoint, policy?.logs.length ? policy.logs : [named]);
  const witnesses = policy ? await checkWitnesses(head.note, policy) : { seen: [], unjudged: [] };
  return { head, proofs, witnesses: witnesses.seen, unjudged: [...head.unjudged, ...witnesses.unjudged] };
}

// Step 3: the entry is in the tree, at the index that it says itself.
function checkInclusion(raw, proof, head) {
  return at(3, proof.index, null, async () => {
    const index = link(raw.entry);
    if (index !== proof.index) refuse("inclusion", `the entry says it stands at ${index}`);
    raw.leaf = await leafHash(raw.entry);
    const root = await foldInclusion(raw.leaf, index, head.size, proof.hashes);
    if (!equal(root, head.root)) refuse("inclusion", `the inclusion proof of position ${index} leads to another root`);
  });
}

// Step 4: entry and statement are well-formed, of this log, and of one type.
function checkEntry(raw, proof, head) {
  return at(4, proof.index, null, () => {
    const entry = decodeEntry(raw.entry);
    const statement = parseStatement(entry.statement);
    if (statement.ledger !== head.origin) refuse("other-ledger", `the statement was made for the ledger ${statement.ledger}`);
    if (statement.type !== entry.kind) refuse("kind", `an entry of kind ${entry.kind} holds a statement of type ${statement.type}`);
    if (!["captured", "received", "key"].includes(entry.kind)) refuse("kind", `a ${entry.kind} entry has no place in evidence`);
    return { raw, entry, statement, index: entry.index };
  });
}

// Step 4: no statement stands at two indexes; who signed it signed one act, and ended one suspension.
async function checkOnce(read) {
  const found = new Map();
  for (const item of read) {
    await at(4, item.index, null, () => {
      const statement = toHex(item.entry.statement);
      const first = found.get(statement) ?? item.index;
      found.set(statement, first);
      if (first !== item.index) refuse("repeated", `its statement is the one of entry ${first}: signed once, it stands twice`);
    });
  }
}

// Step 5: every key record is shown whole, leads to its root, and was signed by who may register or revoke.
async function checkKeys(read, policy) {
  const keyring = new Keyring();
  let before = -1n;
  for (const item of read) {
    await at(5, item.index, null, async () => {
      if (item.index <= before) refuse("order", "the entries are not in ascending order of index");
      before = item.index;
      if (item.entry.kind !== "key") return;
      const event = await readFields(item, item.raw.records[0], 5);
      await checkRoot(item, 5);
      if (event.hidden || event.many.size) refuse("key-record", "a key record must be shown whole");
      const record = await parseKeyRecord(Object.fromEntries(event.one));
      const known = new Map(keyring.all().map((each) => [each.key, each.verifier]));
      known.set(record.key, record.verifier);
      await verifySignatures(item.entry, item.statement, known);
      const pins = record.role === "root" && record.action === "register" ? policy?.roots.get(record.party) : undefined;
      if (pins && !pins.has(record.key)) refuse("not-pinned", `the policy pins other root keys for ${record.party}`);
      keyring.add(item.index, record, item.entry.signatures.map((each) => each.key));
    });
  }
  keyring.settle();
  return keyring;
}

// Step 6: signed over the exact bytes, by keys that counted at that index and may sign such a statement.
function checkSignatures(item, keyring) {
  return at(6, item.index, null, async () => {
    if (item.raw.signers.length) return checkUnnamed(item, keyring);
    const keys = item.entry.signatures.map((each) => keyring.require(each.key, item.index));
    const allowed = item.entry.kind === "received" ? ["intake"] : ["device", "person"];
    for (const key of keys) {
      if (!allowed.includes(key.role)) refuse("role", `a ${key.role} key does not sign a ${item.entry.kind} statement`);
      if (key.party !== keys[0].party) refuse("party", "it is signed by keys of different parties");
    }
    await verifySignatures(item.entry, item.statement, new Map(keys.map((each) => [each.key, each.verifier])));
  });
}

// Signed by keys that the file gives without saying whose they are: one for each signature, none of them named.
async function checkUnnamed(item, keyring) {
  const known = new Map();
  for (const spki of item.raw.signers) {
    const verifier = await loadVerifier(spki);
    known.set(verifier.thumbprint, verifier);
  }
  if (item.entry.kind !== "captured") refuse("signers", "only who captured it himself can be left unnamed");
  const given = [...known.keys()];
  if (given.length !== item.raw.signers.length || given.join() !== item.entry.signatures.map((each) => each.key).join()) {
    refuse("signers", "the signers given are not those of the signatures");
  }
  if (given.some((key) => keyring.registrations.has(key))) refuse("signers", "a signer is given as unnamed whom the file names");
  await verifySignatures(item.entry, item.statement, known);
}

// The fields that a record shows, as text; paths in order and of this record.
async function readFields(item, record, step) {
  const prefix = `e${record.n}/`;
  const event = { one: new Map(), many: new Map(), elements: new Map(), hidden: 0, by: "", mayRetract: false };
  let before = "";
  for (const node of record.fields) {
    if (node.kind === "hidden") {
      event.hidden += 1;
      continue;
    }
    await at(step, item.index, node.path, () => {
      if (!node.path.startsWith(prefix) || compareText(node.path, before) <= 0) refuse("path", "this field is out of place");
      before = node.path;
      const name = node.path.slice(prefix.length);
      const readText = (value) => fromUtf8(value, "value", "a value is not UTF-8");
      if (node.kind === "shown") event.one.set(name, readText(node.value));
      else {
        event.many.set(name, node.elements.map((each) => readText(each.value)));
        event.elements.set(name, node.n);
      }
    });
  }
  event.mayRetract = mayRetract(record.fields.map((node) => (node.kind === "hidden" ? null : node.path.slice(prefix.length))));
  return event;
}

// Step 7 (5 for keys): document, intake and every record shown fold into the root that was signed.
async function checkRoot(item, step) {
  const { raw, statement } = item;
  await at(step, item.index, null, () => {
    if (raw.count !== statement.n + 2) refuse("count", `${raw.count} children where ${statement.n} records were signed`);
  });
  const children = [
    [0, "document", () => foldField(raw.document), raw.head[0]],
    [1, "intake", () => foldIntake(raw.intake), raw.head[1]],
    ...raw.records.map((record) => [record.n + 2, `e${record.n}`, () => foldRecord(record), record.proof]),
  ];
  for (const [number, path, fold, proof] of children) {
    await at(step, item.index, path, async () => {
      const root = await subtreeCommitment("", raw.count, await foldInclusion(await fold(), number, raw.count, proof));
      if (!equal(root, statement.root)) refuse("root", "what is shown is not what was signed");
    });
  }
  await at(step, item.index, "intake", () => notedIn(item));
}

const CHANNELS = ["exchange", "file", "page", "rest"];

// What the node noted when it took the capture in, as far as it is shown.
function notedIn(item) {
  const shown = item.raw.intake.kind === "subtree" ? item.raw.intake.nodes.filter((node) => node.kind === "shown") : [];
  const noted = new Map();
  shown.forEach((node, k) => {
    if (!node.path.startsWith("intake/") || (k && compareText(shown[k - 1].path, node.path) >= 0)) {
      refuse("path", "the intake's paths are out of place");
    }
  });
  for (const node of shown) noted.set(node.path.slice(7), fromUtf8(node.value, "value", "a value is not UTF-8"));
  if (noted.has("onBehalfOf") && !/^[0-9]{13}$/.test(noted.get("onBehalfOf"))) refuse("intake", "on whose behalf it came is no GLN of 13 digits");
  if (noted.has("channel") && !CHANNELS.includes(noted.get("channel"))) refuse("intake", `it came by none of ${CHANNELS.join(", ")}`);
  return noted;
}

// The GLN of the party that vouches for an entry's events, empty where it is not shown.
function partyOf(item, keyring) {
  if (item.entry.kind === "received") return notedIn(item).get("onBehalfOf") ?? "";
  if (item.raw.signers.length) return "";
  return keyring.require(item.statement.author, item.index).party ?? "";
}

// Step 8: every event shown belongs to the subject's story.
async function checkSubject(file, shown) {
  const number = await at(8, null, null, () => {
    if (!shown.length) refuse("subject", "no event is shown");
    return foreign(shown.map((each) => each.event), file.subject);
  });
  if (number < 0) return;
  const { item, record } = shown[number];
  await at(8, item.index, `e${record}`, () => {
    refuse("subject", `this event names neither ${file.subject} nor anything shown to have held it then`);
  });
}

// Step 9: the file's digest over everything else. Members are sorted, so the digest's stands first.
async function checkDigest(bytes, file) {
  // In a text a quotation mark stands after a backslash, so that this is the member and nothing else.
  const whole = fromUtf8(bytes, "digest", "the file is not UTF-8");
  if (toHex(await sha256(utf8(whole.replace(`"digest":"${file.digest}",`, "")))) !== file.digest) refuse("digest", "the digest does not fit the file: it was changed by accident");
}
