// Step 8: which events belong to one package: those that name it, or what it was in at the time (docs/formats/evidence.md).

const EPC_LISTS = ["epcList", "childEPCs", "inputEPCList", "outputEPCList"];

const timeOf = (event) => event.one.get("eventTime") ?? "";
const declaredWrong = (event) => [...event.one.keys()].some((path) => path.startsWith("errorDeclaration/"));

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
