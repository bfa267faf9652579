// Step 8: which events belong to one package: those that name it, or what it was in at the time (docs/formats/evidence.md).

const EPC_LISTS = ["epcList", "childEPCs", "inputEPCList", "outputEPCList"];

const timeOf = (event) => event.one.get("eventTime") ?? "";
const declaredWrong = (event) => [...event.one.keys(), ...event.many.keys()].some((path) => path.startsWith(DECLARATION));

const DECLARATION = "errorDeclaration/";
const BEHIND = "errorDeclaration0"; // the least text above every path that begins with DECLARATION
const ALWAYS = ["eventID", "eventTime", "type"];

// Whether a field of an error declaration may be hidden. `paths` are those of an event's fields within its record, in
// order, null where only the hash is given (ledger/evidence/retraction.py).
function mayRetract(paths) {
  if (paths.some((path) => path?.startsWith(DECLARATION))) return false; // it says so itself
  let below = "";
  for (let n = 0; n < paths.length; n += 1) {
    if (paths[n] !== null) {
      below = paths[n];
      continue;
    }
    const first = n;
    while (n + 1 < paths.length && paths[n + 1] === null) n += 1;
    const above = paths[n + 1] ?? null;
    const under = (path) => above === null || compareText(path, above) < 0;
    if (compareText(below, BEHIND) >= 0 || !under(DECLARATION)) continue;
    const others = ALWAYS.filter((path) => !paths.includes(path) && compareText(below, path) < 0 && under(path));
    if (n + 1 - first > others.length) return true;
  }
  return false;
}

function namesOf(event) {
  const named = EPC_LISTS.flatMap((path) => event.many.get(path) ?? []);
  return event.one.has("parentID") ? [...named, event.one.get("parentID")] : named;
}

class Containment {
  constructor(events) {
    const told = (event) => JSON.stringify([event.by, event.one.get("eventID") ?? null]);
    const wrong = new Set(events.filter((event) => declaredWrong(event) && event.one.has("eventID")).map(told));
    this.parents = new Map(); // child -> [[parent, time]]
    this.gone = new Map(); // parent and child, or parent alone -> times
    for (const event of events) {
      if (declaredWrong(event) || wrong.has(told(event))) continue;
      if (event.one.get("type") === "AggregationEvent" && event.one.has("parentID") && timeOf(event)) this.take(event, event.one.get("parentID"));
    }
  }

  take(event, parent) {
    const push = (map, key, value) => map.set(key, [...(map.get(key) ?? []), value]);
    const children = event.many.get("childEPCs");
    if (event.one.get("action") !== "DELETE") {
      for (const child of children ?? []) push(this.parents, child, [parent, timeOf(event)]);
    } else if (children) {
      for (const child of children) push(this.gone, JSON.stringify([parent, child]), timeOf(event));
    } else {
      push(this.gone, JSON.stringify([parent, null]), timeOf(event));
    }
  }

  // The subject and everything that held it at `time`. Each object is visited once, circles or not.
  holders(subject, time) {
    const found = new Set([subject]);
    const waiting = [subject];
    while (waiting.length) {
      const child = waiting.pop();
      for (const [parent, linked] of this.parents.get(child) ?? []) {
        if (!found.has(parent) && compareText(linked, time) <= 0 && !this.unlinked(parent, child, linked, time)) {
          found.add(parent);
          waiting.push(parent);
        }
      }
    }
    return found;
  }

  unlinked(parent, child, after, before) {
    const times = [[parent, child], [parent, null]].flatMap((key) => this.gone.get(JSON.stringify(key)) ?? []);
    return times.some((time) => compareText(time, after) > 0 && compareText(time, before) < 0);
  }
}

// The number of the first event that belongs to another story, or -1.
function foreign(events, subject) {
  const containment = new Containment(events);
  const holders = new Map();
  return events.findIndex((event) => {
    const time = timeOf(event);
    if (!holders.has(time)) holders.set(time, containment.holders(subject, time));
    return !namesOf(event).some((name) => holders.get(time).has(name));
  });
}
