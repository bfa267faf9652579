// Whom the reader trusts: a C2SP tlog-policy and, beside it, the parties' root keys (docs/formats/policy.md).
// Both come from the reader, never from the file that asks to be trusted.

const MOST_POLICY_BYTES = 1 << 20;
const LOG_TYPES = [1, 6];
const WITNESS_TYPES = [4, 6];

// {logs, witnesses: [{name, key}], groups: [{name, least, members}], quorum, roots: Map, sha256}; either file may be null.
async function parsePolicy(policyBytes, authorsBytes) {
  const policy = { logs: [], witnesses: [], groups: [], quorum: "none", roots: new Map(), sha256: "" };
  if (policyBytes) {
    await readPolicyLines(policyBytes, policy);
    policy.sha256 = toHex(await sha256(policyBytes));
    if (!policy.logs.length) refuse("policy-no-log", "the policy names no log; add 'log <vkey>' for the ledger that you trust");
  }
  if (authorsBytes) policy.roots = parseAuthors(authorsBytes);
  return policy;
}

async function readPolicyLines(bytes, policy) {
  const bad = (why) => refuse("policy", `policy: ${why}`);
  if (bytes.length > MOST_POLICY_BYTES) bad("it is too long");
  if (bytes.some((byte) => (byte < 0x20 && byte !== 9 && byte !== 10) || byte === 0x7f)) bad("a control character other than tab and newline");
  if (bytes[bytes.length - 1] !== 10) bad("each line ends in a newline, the last one too");
  // Bytes above ASCII are opaque: read one by one, they are equal where they are the same.
  const lines = Array.from(bytes.subarray(0, -1), (byte) => String.fromCharCode(byte)).join("").split("\n");
  if (lines.length > 4096) bad("more than 4096 lines");
  const state = { names: new Set(), members: new Set(), quorum: null, bad };
  for (const line of lines) {
    const words = line.split(/[ \t]+/).filter((word) => word);
    if (words.length && !words[0].startsWith("#")) await readPolicyLine(words, policy, state);
  }
  if (state.quorum === null) bad("there is no quorum line; write 'quorum none' to ask for no witness");
  policy.quorum = state.quorum;
}

async function readPolicyLine(words, policy, state) {
  const { bad } = state;
  const [what, name, third, ...rest] = words;
  if (what === "log" && (words.length === 2 || words.length === 3)) {
    const key = await policyKey(name, LOG_TYPES);
    if (policy.logs.some((log) => equal(log.publicKey, key.publicKey))) bad("this log's key stands in it already");
    if (policy.logs.length === 128) bad("more than 128 logs");
    policy.logs.push(key);
  } else if (what === "witness" && (words.length === 3 || words.length === 4)) {
    const key = await policyKey(third, WITNESS_TYPES);
    if (policy.witnesses.some((each) => equal(each.key.publicKey, key.publicKey))) bad("this witness's key stands in it already");
    if (policy.witnesses.length === 128) bad("more than 128 witnesses");
    define(name, state);
    policy.witnesses.push({ name, key });
  } else if (what === "group" && rest.length) {
    for (const member of rest) {
      if (!state.names.has(member)) bad(`${short(member)} is defined by no line above`);
      if (state.members.has(member)) bad(`${short(member)} is a member of a group already`);
      state.members.add(member);
    }
    const least = third === "all" ? BigInt(rest.length) : third === "any" ? 1n : fromDecimal(third);
    if (least < 1n || least > BigInt(rest.length)) bad(`${least} of ${rest.length} members can never be, or ask for nothing`);
    if (policy.groups.length === 128) bad("more than 128 groups");
    define(name, state);
    policy.groups.push({ name, least: Number(least), members: rest });
  } else if (what === "quorum" && words.length === 2) {
    if (state.quorum !== null) bad("a second quorum");
    if (name !== "none" && !state.names.has(name)) bad(`the quorum ${short(name)} is defined by no line above`);
    state.quorum = name;
  } else {
    bad(`${short(words.join(" "))} is no log, witness, group or quorum line`);
  }
}

function define(name, state) {
  if (name === "none" || state.names.has(name)) state.bad(`the name ${short(name)} is taken`);
  state.names.add(name);
}

async function policyKey(vkey, types) {
  const key = await parseVerifierKey(vkey);
  if (!types.includes(key.type)) refuse("note-key", `policy: the key of ${key.name} is of a type that does not belong in this line`);
  return key;
}

function parseAuthors(bytes) {
  const bad = (why) => refuse("authors", `author policy: ${why}`);
  if (bytes.length > MOST_POLICY_BYTES) bad("it is too long");
  let value;
  try {
    value = JSON.parse(fromUtf8(bytes, "json", "author policy: it is not UTF-8"));
  } catch {
    refuse("json", "author policy: it is not JSON");
  }
  const { roots } = members(value, "roots");
  if (roots === null || typeof roots !== "object" || Array.isArray(roots)) bad("roots is no object of GLN -> array of thumbprints");
  const found = new Map();
  for (const [gln, keys] of Object.entries(roots)) {
    if (!/^[0-9]{13}$/.test(gln)) bad(`${short(gln)} is no GLN of 13 digits, so it would pin nothing`);
    found.set(gln, new Set(array(keys, 1, 100).map((key) => toHex(hexOf(key, 32)))));
  }
  return found;
}

// The policy's witnesses that cosigned a note: {seen: [{name, seconds}], unjudged: [name]}; refuses below the quorum.
async function checkWitnesses(note, policy) {
  const seen = [];
  const unjudged = [];
  for (const { name, key } of policy.witnesses) {
    const lines = note.signatures.filter((line) => line.name === key.name && equal(line.keyId, key.keyId));
    if (!lines.length) continue;
    if (key.type === 6) {
      unjudged.push(key.name);
      seen.push({ policyName: name, name: key.name, seconds: null });
      continue;
    }
    const times = [];
    for (const line of lines) times.push(await checkLine(note, key, line));
    seen.push({ policyName: name, name: key.name, seconds: times.reduce((a, b) => (a < b ? a : b)) });
  }
  const witnessed = new Set(seen.map((each) => each.policyName));
  for (const group of policy.groups) {
    if (group.members.filter((member) => witnessed.has(member)).length >= group.least) witnessed.add(group.name);
  }
  if (policy.quorum !== "none" && !witnessed.has(policy.quorum)) {
    refuse("quorum", `the policy's quorum ${short(policy.quorum)} is not reached by who cosigned: ${seen.map((each) => each.name).join(", ") || "none"}`);
  }
  return { seen: seen.filter((each) => each.seconds !== null), unjudged };
}
