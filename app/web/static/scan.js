// A picture dropped anywhere on the page is checked at once, and the answer is read out. Without script the form does it.
const form = document.getElementById("scan");
const picture = document.getElementById("picture");
const code = document.getElementById("code");
const live = document.getElementById("live");
const word = document.getElementById("verdict-word");

if (word) {
  const why = document.querySelector(".verdict__reason")?.textContent ?? "";
  const next = document.querySelector(".verdict__next")?.textContent.replace(/\s+/g, " ") ?? "";
  live.textContent = `${word.textContent}. ${why} ${next}`;
}

// One press, one request: a second press while the first is under way would ask about what it has just changed.
for (const each of document.querySelectorAll("main form")) {
  each.addEventListener("submit", (event) => {
    if (each.ariaBusy === "true") { event.preventDefault(); return; }
    each.ariaBusy = "true";
    live.textContent = "Checking";
  });
}
// Coming back by the Back button finds the page as it was left.
addEventListener("pageshow", () => {
  for (const each of document.querySelectorAll("main form")) each.ariaBusy = "false";
});

if (form && picture) {
  const holdsFiles = (event) => event.dataTransfer?.types.includes("Files");
  addEventListener("dragover", (event) => {
    if (!holdsFiles(event)) return;
    event.preventDefault();
    form.classList.add("is-over");
  });
  addEventListener("dragleave", (event) => { if (!event.relatedTarget) form.classList.remove("is-over"); });
  addEventListener("drop", (event) => {
    if (!holdsFiles(event)) return;
    event.preventDefault();
    form.classList.remove("is-over");
    picture.files = event.dataTransfer.files;
    if (picture.files.length) form.requestSubmit();
  });
  picture.addEventListener("change", () => { if (picture.files.length) form.requestSubmit(); });
  // A handheld types where the cursor is: keep it in the code field.
  addEventListener("keydown", (event) => {
    const control = event.target instanceof Element && event.target.closest("input, textarea, select");
    const typing = control === code || event.ctrlKey || event.metaKey || event.altKey;
    if (!typing && event.key.length === 1 && event.key !== " ") code.focus();
  });
}
