// Bytes, text and numbers from outside, each with exactly one spelling (docs/formats/README.md).
// What could be written in two ways is written again and compared, as the verifier in Python does.

const STEPS = ["file", "checkpoint", "inclusion", "entry", "keys", "signatures", "fields", "subject", "digest"];

// A reason to refuse. Whoever knows the step, the entry and the field adds them (`at`).
class Refusal extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
    this.step = null;
    this.entry = null;
    this.path = null;
  }
}

// This browser cannot tell: never a verdict.
class CannotJudge extends Error {}

function refuse(code, message) {
  throw new Refusal(code, message);
}

// Runs `work`; what it refuses is refused in this step, for this entry and field.
async function at(step, entry, path, work) {
  try {
    return await work();
  } catch (error) {
    if (error instanceof RangeError) error = new Refusal("json", "it is nested too deeply, or too long");
    if (error instanceof Refusal && error.step === null) {
      error.step = step;
      error.entry = entry;
      error.path = path;
    }
    throw error;
  }
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

function toHex(bytes) {
  let text = "";
  for (const byte of bytes) text += HEX[byte];
  return text;
}

function fromHex(text, length) {
  if (!/^(?:[0-9a-f]{2})*$/.test(text)) refuse("hex", `${short(text)} is not lower-case hex`);
  if (length !== undefined && text.length !== 2 * length) refuse("hex", `${text.length / 2} bytes in hex where ${length} belong`);
  const bytes = new Uint8Array(text.length / 2);
  for (let n = 0; n < bytes.length; n += 1) bytes[n] = parseInt(text.slice(2 * n, 2 * n + 2), 16);
  return bytes;
}

function toBase64(bytes) {
  let text = "";
  for (let n = 0; n < bytes.length; n += 0x8000) text += String.fromCharCode(...bytes.subarray(n, n + 0x8000));
  return btoa(text);
}

function fromBase64(text, length) {
  if (text.length % 4 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) refuse("base64", `${short(text)} is not base64`);
  const raw = atob(text);
  const bytes = new Uint8Array(raw.length);
  for (let n = 0; n < raw.length; n += 1) bytes[n] = raw.charCodeAt(n);
  if (toBase64(bytes) !== text) refuse("base64", `${short(text)} is not canonical base64`);
  if (length !== undefined && bytes.length !== length) refuse("base64", `${bytes.length} bytes in base64 where ${length} belong`);
  return bytes;
}

// A decimal number below 2^63, as BigInt.
function fromDecimal(text) {
  if (!/^(?:0|[1-9][0-9]{0,18})$/.test(text)) refuse("decimal", `${short(text)} is not a decimal number`);
  const number = BigInt(text);
  if (number >= 1n << 63n) refuse("decimal", `${text} is too large`);
  return number;
}

const ENCODER = new TextEncoder();

function utf8(text) {
  return ENCODER.encode(text);
}

function fromUtf8(bytes, code, message) {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return refuse(code, message);
  }
}

function concat(...parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let filled = 0;
  for (const part of parts) {
    whole.set(part, filled);
    filled += part.length;
  }
  return whole;
}

function equal(left, right) {
  return left.length === right.length && left.every((byte, n) => byte === right[n]);
}

function u32(number) {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, number);
  return bytes;
}

// Text sorts by code points, which is how its UTF-8 bytes sort; a browser's own order is by halves of surrogate pairs.
function compareText(left, right) {
  const length = Math.min(left.length, right.length);
  for (let n = 0; n < length; n += 1) {
    const a = left.charCodeAt(n);
    const b = right.charCodeAt(n);
    if (a === b) continue;
    const halves = [a >= 0xd800 && a <= 0xdfff, b >= 0xd800 && b <= 0xdfff];
    return halves[0] === halves[1] ? a - b : halves[0] ? 1 : -1;
  }
  return left.length - right.length;
}

function short(text) {
  return JSON.stringify(text.length <= 60 ? text : `${text.slice(0, 57)}...`);
}

// JSON as these formats have it: sorted members, no white space, ASCII, integers within 2^53. Nothing else is written, so
// what is read and written again must be what it was: that finds members that stand twice, other escapes, odd numbers.
function writeJson(value) {
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "number") {
    if (!Number.isSafeInteger(value)) refuse("json", "a number is not an integer within 2^53");
    return String(value);
  }
  if (typeof value === "string") return writeText(value);
  if (Array.isArray(value)) return `[${value.map(writeJson).join(",")}]`;
  const names = Object.keys(value).sort(compareText);
  return `{${names.map((name) => `${writeText(name)}:${writeJson(value[name])}`).join(",")}}`;
}

const ESCAPES = { '"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\f": "\\f", "\b": "\\b" };

function writeText(text) {
  return `"${text.replace(/["\\]|[^ -~]/g, (unit) => ESCAPES[unit] ?? `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)}"`;
}

const MOST_VALUES = 1500000;

// The value of exactly written JSON.
function readJson(bytes, code, message) {
  let values = 0;
  for (const byte of bytes) if (byte === 0x2c || byte === 0x5b || byte === 0x7b) values += 1;
  if (values >= MOST_VALUES) refuse("json", "it has too many values");
  const text = fromUtf8(bytes, "json", "it is not UTF-8");
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    refuse("json", "it is not JSON");
  }
  if (writeJson(value) !== text) refuse(code, message);
  return value;
}

// Shapes of JSON values: right type, right size.

function members(value, ...names) {
  const object = value !== null && typeof value === "object" && !Array.isArray(value);
  if (!object || Object.keys(value).length !== names.length || !names.every((name) => Object.hasOwn(value, name))) {
    refuse("shape", `not an object of ${names.join(", ")}`);
  }
  return value;
}

function array(value, least, most) {
  if (!Array.isArray(value) || value.length < least || value.length > most) refuse("shape", `not an array of ${least} to ${most} values`);
  return value;
}

function text(value, most = 4096) {
  if (typeof value !== "string" || !value.isWellFormed() || [...value].length > most) refuse("shape", `not text of at most ${most} characters`);
  return value;
}

function integer(value, least, most) {
  if (!Number.isSafeInteger(value) || value < least || value > most) refuse("shape", `not an integer of ${least} to ${most}`);
  return value;
}

function hexOf(value, length) {
  return fromHex(text(value), length);
}

function base64Of(value, most = 1 << 20) {
  return fromBase64(text(value, most * 2));
}

function hashesOf(value) {
  return array(value, 0, 64).map((item) => fromBase64(text(item), 32));
}
