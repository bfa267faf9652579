// What strangers wrote, told so that it can be taken for nothing of the report's own (ledger/evidence/words.py).

// Backslash, and what looks like a quotation mark in some font; by code point, as no verifier's Unicode version matters.
const MARKS = /[\\'"`\u00ab\u00b4\u00bb\u02b9-\u02bf\u02c8\u02ca\u02cb\u2018-\u201f\u2032-\u2037\u2039\u203a\u275b-\u275e\uff02\uff07\uff40]/gu;
const PLAIN = /^[A-Za-z0-9_:/.#%~+-]{1,200}$/;
const TIME = /^([0-9]{4}-[0-9]{2}-[0-9]{2})T([0-9]{2}:[0-9]{2}:[0-9]{2})\.([0-9]{1,9})Z$/;

// Whole paths of docs/formats/event.md, and what people call them.
const NAMES = {
  epcList: "packages", childEPCs: "contents", parentID: "container", inputEPCList: "went in", outputEPCList: "came out",
  readPoint: "read at", bizLocation: "stays at", bizTransactionList: "documents", sourceList: "from", destinationList: "to",
  "ilmd/urn:epcglobal:cbv:mda#lotNumber": "lot", "ilmd/urn:epcglobal:cbv:mda#itemExpirationDate": "expires",
  "persistentDisposition/set": "stays", "persistentDisposition/unset": "no longer", disposition: "disposition",
  transformationID: "transformation", quantityList: "quantities", childQuantityList: "quantities in it",
  inputQuantityList: "quantities in", outputQuantityList: "quantities out", sensorElementList: "measured",
  "errorDeclaration/declarationTime": "declared wrong at", "errorDeclaration/reason": "wrong because",
  "errorDeclaration/correctiveEventIDs": "corrected by",
};

// A stranger's text between quotation marks; each mark in it, and each backslash, has a backslash before it.
const quoted = (value) => `'${value.replace(MARKS, "\\$&")}'`;

// A word or a URI as it is, which can be taken for no sentence; anything else quoted.
const plain = (value) => (PLAIN.test(value) ? value : quoted(value));

// A field of docs/formats/event.md in everyday words; of any other the whole path, quoted.
const fieldName = (path) => (Object.hasOwn(NAMES, path) ? NAMES[path] : quoted(path));

// 2026-03-01T10:00:00.000000Z as 2026-03-01 10:00:00 UTC; what is written otherwise is quoted.
function timeWords(stamp) {
  const found = TIME.exec(stamp);
  if (!found) return plain(stamp);
  return `${found[1]} ${found[2]}${/^0*$/.test(found[3]) ? "" : `.${found[3]}`} UTC`;
}
