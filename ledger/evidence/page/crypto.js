// SHA-256, Ed25519 and ECDSA P-256, all by the browser's own WebCrypto; and the keys that may sign statements.

const ED25519 = 1;
const P256 = 2;
const SPKI_ED25519 = fromHex("302a300506032b6570032100");
const SPKI_P256 = fromHex("3059301306072a8648ce3d020106082a8648ce3d03010703420004");
const P256_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

async function sha256(...parts) {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", concat(...parts)));
}

// Whether this browser has what a verdict needs, tried out on RFC 8032's first test and on a digest. An empty text: yes.
async function lacking() {
  if (!globalThis.crypto?.subtle) return "This browser gives a page opened in this way no cryptography (WebCrypto).";
  if (!String.prototype.isWellFormed || !Object.hasOwn) return "This browser is too old for this page.";
  const key = fromHex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
  const signature = fromHex(
    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
  );
  try {
    if (!(await ed25519(key, signature, new Uint8Array()))) return "This browser's Ed25519 is wrong.";
    if (await ed25519(key, signature, new Uint8Array(1))) return "This browser's Ed25519 accepts anything.";
    await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign", "verify"]);
    if (!toHex(await sha256()).startsWith("e3b0c44298fc1c149afbf4c8996fb924")) return "This browser's SHA-256 is wrong.";
  } catch {
    return "This browser's WebCrypto has no Ed25519, by which most of this is signed.";
  }
  return "";
}

// Whether a raw Ed25519 key (32 bytes) made `signature` over `data`. A key that the browser cannot take signed nothing.
async function ed25519(key, signature, data) {
  let imported;
  try {
    imported = await crypto.subtle.importKey("raw", key, { name: "Ed25519" }, false, ["verify"]);
  } catch (error) {
    if (error.name === "NotSupportedError") throw new CannotJudge("This browser's WebCrypto has no Ed25519.");
    return false;
  }
  return crypto.subtle.verify({ name: "Ed25519" }, imported, signature, data);
}

async function p256(point, signature, data) {
  const imported = await crypto.subtle.importKey("raw", point, { name: "ECDSA", namedCurve: "P-256" }, false, ["verify"]);
  return crypto.subtle.verify({ name: "ECDSA", hash: "SHA-256" }, imported, signature, data);
}

function bigEndian(bytes) {
  return bytes.length ? BigInt(`0x${toHex(bytes)}`) : 0n;
}

function startsWith(bytes, head) {
  return equal(bytes.subarray(0, head.length), head);
}

const KEYS = new Map();

// The verifier of a DER SubjectPublicKeyInfo: {alg, thumbprint (hex), verify(signature, data)}.
async function loadVerifier(spki) {
  const name = toHex(spki);
  if (!KEYS.has(name)) KEYS.set(name, await makeVerifier(spki));
  return KEYS.get(name);
}

async function makeVerifier(spki) {
  const thumbprint = toHex(await sha256(spki));
  const wrong = () => refuse("signature", `the signature by key ${thumbprint.slice(0, 16)} does not fit what it should sign`);
  if (spki.length === 44 && startsWith(spki, SPKI_ED25519)) {
    const key = spki.subarray(12);
    checkEdwardsPoint(key);
    const verify = async (signature, data) => (await ed25519(key, signature, data)) || wrong();
    return { alg: ED25519, thumbprint, verify };
  }
  if (spki.length === 91 && startsWith(spki, SPKI_P256)) {
    const point = spki.subarray(26);
    try {
      await p256(point, new Uint8Array(64), new Uint8Array());
    } catch {
      unfit("its point is not on the curve");
    }
    const verify = async (signature, data) => {
      if (bigEndian(signature.subarray(32)) > P256_ORDER / 2n) {
        refuse("signature", `the signature by key ${thumbprint.slice(0, 16)} has s in the upper half: a copy, bent`);
      }
      return (await p256(point, signature, data)) || wrong();
    };
    return { alg: P256, thumbprint, verify };
  }
  return unfit("only Ed25519 and P-256 keys sign here, written canonically");
}

const FIELD = (1n << 255n) - 19n;
const ORDER_8_Y = 0x05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826n;
const WEAK_Y = [0n, 1n, FIELD - 1n, ORDER_8_Y, FIELD - ORDER_8_Y];

function power(base, exponent) {
  let result = 1n;
  for (let square = ((base % FIELD) + FIELD) % FIELD; exponent; exponent >>= 1n) {
    if (exponent & 1n) result = (result * square) % FIELD;
    square = (square * square) % FIELD;
  }
  return result;
}

// RFC 8032, 5.1.3: y below the field's prime and on the curve; and not of small order.
function checkEdwardsPoint(encoded) {
  const y = bigEndian(Uint8Array.from(encoded).reverse()) & ((1n << 255n) - 1n);
  if (y >= FIELD) unfit("its point is not written canonically");
  if (WEAK_Y.includes(y)) unfit("its point is of small order: it would verify what nobody signed");
  const d = -121665n * power(121666n, FIELD - 2n);
  const square = (y * y - 1n) * power(d * y * y + 1n, FIELD - 2n);
  if (power(square, (FIELD - 1n) / 2n) !== 1n) unfit("its point is not on the curve");
}

function unfit(why) {
  refuse("key", `this key cannot be used: ${why}`);
}
