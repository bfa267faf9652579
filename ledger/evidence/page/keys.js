// Key records and the keyring: who may sign, and at which indexes it counts (docs/formats/statement.md).

// What may not stand in a label, by code point and not by anybody's Unicode version (ledger/signing/printable.py).
const UNPRINTABLE = new RegExp("[\\u0000-\\u001f\\u007f-\\u009f\\u00ad\\u061c\\u180e\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f"
  + "\\ud800-\\udfff\\ufeff\\ufff9-\\ufffb\\u{e0000}-\\u{e007f}]", "u");
const ROLES = ["root", "device", "person", "intake", "checkpoint"];
const ofNode = (role) => role === "intake" || role === "checkpoint";

// `fields` are all fields of a key record, as text by path.
async function parseKeyRecord(fields) {
  const bad = (why) => refuse("key-record", `key record: ${why}`);
  const names = Object.keys(fields).filter((name) => name !== "party" && name !== "suspectSince");
  if (names.sort().join() !== "action,key,label,role,type" || fields.type !== "key") bad("its fields are not those of a key record");
  if (!["register", "revoke", "suspend"].includes(fields.action) || !ROLES.includes(fields.role)) bad("an action or role that is none");
  const since = fields.suspectSince === undefined ? null : fromDecimal(fields.suspectSince);
  const party = fields.party === undefined ? null : fields.party;
  const verifier = await loadVerifier(fromBase64(fields.key));
  if (ofNode(fields.role) !== (party === null)) bad("a party's key names its party, a node's own key names none");
  if (party !== null && !/^[0-9]{13}$/.test(party)) bad("a party is not a GLN of 13 digits");
  const length = [...fields.label].length;
  if (length < 1 || length > 100 || UNPRINTABLE.test(fields.label)) bad("a label has 1 to 100 printable characters");
  if (since !== null && fields.action !== "revoke") bad("only a revocation says since which index the key is suspect");
  return { action: fields.action, role: fields.role, party, label: fields.label, suspectSince: since, verifier, key: verifier.thumbprint };
}

class Keyring {
  constructor() {
    this.registrations = new Map(); // thumbprint -> its registrations in order
  }

  all() {
    return [...this.registrations.values()].flat();
  }

  validAt(key, index) {
    return (this.registrations.get(key) ?? []).find((each) => each.registered < index && (each.ended === null || index < each.ended));
  }

  // The registration by which a signature at `index` counts; refuses with the reason why it does not.
  require(key, index) {
    const valid = this.validAt(key, index);
    if (valid) return valid;
    const known = this.registrations.get(key) ?? [];
    const name = key.slice(0, 16);
    if (!known.length) refuse("key-unknown", `key ${name} is not registered in this ledger`);
    if (known[0].registered >= index) refuse("key-early", `key ${name} was registered at ${known[0].registered} only`);
    const ended = known.filter((each) => each.registered < index).pop();
    const word = ended.revoked ? "revoked" : "suspended";
    return refuse(`key-${word}`, `key ${name} (${ended.label}) was ${word} at ${ended.ended}`);
  }

  // Applies the record at `index`; `signers` are the keys whose signatures over it verified, the author's first.
  add(index, record, signers) {
    if (record.action === "register") this.register(index, record, signers);
    else this.end(index, record, signers);
  }

  register(index, record, signers) {
    const before = this.registrations.get(record.key) ?? [];
    const last = before[before.length - 1];
    if (last && (last.revoked || last.ended === null)) refuse("key-again", `key ${record.key.slice(0, 16)} is registered already, or revoked for good`);
    if (last && (last.role !== record.role || last.party !== record.party)) refuse("key-again", "a suspended key comes back as what it was");
    if (!this.mayRegister(index, record, signers[0])) {
      refuse("key-author", `key ${signers[0].slice(0, 16)} may not register a ${record.role} key for ${record.party ?? "this node"}`);
    }
    if (record.role !== "checkpoint" && !signers.includes(record.key)) refuse("key-possession", "the new key did not sign along: its holder is not proven");
    if (record.role === "checkpoint") {
      const standing = this.all().filter((each) => each.role === "checkpoint" && this.counts(each, index)).map((each) => each.key);
      if (standing.length && !(signers.includes(record.key) && signers.some((key) => standing.includes(key)))) {
        refuse("key-possession", "a checkpoint key that follows another is signed along by both");
      }
    }
    const beside = signers.filter((key) => key !== signers[0] && key !== record.key).map((key) => this.validAt(key, index));
    if (!ofNode(record.role) && (beside.length > 1 || beside.some((each) => !each || each.role !== record.role || each.party !== record.party))) {
      refuse("key-replaced", "beside root and new key only the key whose place it takes signs a registration");
    }
    const { key, role, party, label, verifier } = record;
    const entry = { key, role, party, label, verifier, author: signers[0], registered: index, ended: null, revoked: false, suspectSince: null, registeredInDoubt: null };
    this.registrations.set(key, [...before, entry]);
  }

  // Says of each registration since when a key that it goes back to is suspected, if it was by then. Once all are in.
  settle() {
    for (const each of this.all().sort((a, b) => (a.registered < b.registered ? -1 : 1))) {
      const by = this.validAt(each.author, each.registered); // nothing where a key registered itself
      if (!by) each.registeredInDoubt = null;
      else if (by.suspectSince !== null && each.registered >= by.suspectSince) each.registeredInDoubt = by.suspectSince;
      else each.registeredInDoubt = by.registeredInDoubt;
    }
  }

  mayRegister(index, record, author) {
    if (record.role === "intake" && author === record.key) return index === 0n;
    if (record.role === "root" && author === record.key) {
      return !this.all().some((each) => each.role === "root" && each.party === record.party && this.counts(each, index));
    }
    return this.governs(index, record, author);
  }

  counts(each, index) {
    return each.registered < index && (each.ended === null || index < each.ended);
  }

  governs(index, record, author) {
    const entry = this.validAt(author, index);
    if (!entry) return false;
    return ofNode(record.role) ? entry.role === "intake" : entry.role === "root" && entry.party === record.party;
  }

  end(index, record, signers) {
    const before = this.registrations.get(record.key) ?? [];
    const last = before[before.length - 1];
    if (!last || last.revoked) refuse("key-unknown", `key ${record.key.slice(0, 16)} is not registered, or revoked already`);
    if (last.role !== record.role || last.party !== record.party) refuse("key-record", "the record names another role or party than the registration");
    if (!this.governs(index, record, signers[0])) refuse("key-author", `key ${signers[0].slice(0, 16)} may not ${record.action} this key`);
    if (last.ended === null) last.ended = index;
    last.revoked = record.action === "revoke";
    // A thief may have had it before it was suspended and came back: the doubt reaches over all its registrations.
    for (const each of before) each.suspectSince = record.suspectSince;
  }
}
