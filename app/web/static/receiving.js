// Scans come faster than a page loads: they wait in a line, kept over a reload, and are sent one after another. Without
// script the form does the same, one scan a page.
const form = document.getElementById("scan");
const code = document.getElementById("code");
const live = document.getElementById("live");
// Where a command was refused, the page stands at the command's address: a reload would give it again.
const here = form && new URL(form.action).pathname.replace(/\/scans$/, "");
if (here && location.pathname !== here) history.replaceState(null, "", here);
const kept = `packproof.scans.${location.pathname}`;
const line = JSON.parse(sessionStorage.getItem(kept) ?? "[]");
let busy = false;

const keep = () => { sessionStorage.setItem(kept, JSON.stringify(line)); };

// Everything below the field is what the answer says; the field itself stays, with what is being typed into it.
function show(text) {
  const page = new DOMParser().parseFromString(text, "text/html");
  if (!page.getElementById("scan")) { location.reload(); return; }
  document.getElementById("count").replaceWith(page.getElementById("count"));
  document.getElementById("dock").className = page.getElementById("dock").className;
  const main = document.getElementById("main");
  const dock = document.getElementById("dock");
  while (dock.nextSibling) dock.nextSibling.remove();
  for (let next = page.getElementById("dock").nextSibling; next; next = page.getElementById("dock").nextSibling) main.append(next);
  document.title = page.title;
  const last = document.querySelector("#last h2")?.textContent ?? "";
  live.textContent = `${last}. ${document.getElementById("count").textContent.trim()}`;
}

async function send() {
  if (busy) return;
  busy = true;
  while (line.length) {
    const body = new FormData(form);
    body.set("code", line[0]);
    try {
      const answer = await fetch(form.action, { method: "POST", body, headers: { Accept: "text/html" } });
      if (answer.status >= 500) throw new Error("the node cannot answer");
      line.shift();
      keep();
      if (!answer.ok) { location.reload(); return; }
      show(await answer.text());
    } catch {
      live.textContent = `${line.length} scans wait: the node does not answer. They are kept, and sent again.`;
      setTimeout(send, 2000);
      break;
    }
  }
  busy = false;
}

if (form && code) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const typed = code.value;
    code.value = "";
    code.focus();
    if (!typed.trim()) return;
    line.push(typed);
    keep();
    send();
  });
  // A handheld types where the cursor is: keep it in the field.
  addEventListener("keydown", (event) => {
    const control = event.target instanceof Element && event.target.closest("input, textarea, select, button, summary, a");
    if (!control && !event.ctrlKey && !event.metaKey && !event.altKey && event.key.length === 1) code.focus();
  });
  if (line.length) send();
}
