// A picture dropped anywhere on the page is checked at once, and the answer is read out. Without script the form does it.
const form = document.getElementById("scan");
const picture = document.getElementById("picture");
const code = document.getElementById("code");
const live = document.getElementById("live");
const word = document.getElementById("verdict-word");

if (word) {
  live.textContent = `${word.textContent}. ${document.querySelector(".verdict__next")?.textContent ?? ""}`;
}
if (form && picture) {
  const stop = (event) => event.preventDefault();
  addEventListener("dragover", (event) => { stop(event); form.classList.add("is-over"); });
  addEventListener("dragleave", () => form.classList.remove("is-over"));
  addEventListener("drop", (event) => {
    stop(event);
    form.classList.remove("is-over");
    if (event.dataTransfer.files.length) {
      picture.files = event.dataTransfer.files;
      form.requestSubmit();
    }
  });
  picture.addEventListener("change", () => { if (picture.files.length) form.requestSubmit(); });
  form.addEventListener("submit", () => { live.textContent = "Checking"; });
  // A handheld types where the cursor is: keep it in the code field.
  addEventListener("keydown", (event) => {
    const typing = event.target instanceof HTMLInputElement || event.ctrlKey || event.metaKey || event.altKey;
    if (!typing && event.key.length === 1) code.focus();
  });
}
