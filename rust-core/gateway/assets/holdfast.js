// What the pages do beyond HTML: follow a payment live, keep the office list current, show times in
// the reader's own zone, lead to what was refused, copy commands, and send a form only once. Every
// page also works without this file.
"use strict";

// A list that somebody points at is left alone for this long after the last touch.
const HANDS_OFF_MS = 3000;
// How long a button says that it copied.
const COPIED_MS = 2000;

function localTimes(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    if (!Number.isNaN(at.getTime())) {
      time.title = time.textContent;
      time.textContent = at.toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
    }
  }
}

// A stream that the gateway refuses (nobody is signed in any more, say) does not come back by itself,
// and a list that stands still must not look as if it were current.
function tellLoss(source, place) {
  source.addEventListener("error", () => {
    if (source.readyState === EventSource.CLOSED && !document.getElementById("lost")) {
      const words = document.createElement("p");
      words.id = "lost";
      words.className = "problem";
      words.setAttribute("role", "alert");
      words.textContent = "This page no longer changes by itself. Reload it to see how things stand.";
      place.before(words);
    }
  });
}

// The payer's page: the server sends the whole standing as HTML whenever it changes.
function followPayment(place) {
  const source = new EventSource(place.dataset.live);
  tellLoss(source, place);
  source.addEventListener("standing", (event) => {
    place.innerHTML = event.data;
    localTimes(place);
  });
}

// The office list. A known row changes where it stands. A new row goes to the top, but only
// while nobody points at the list; until then a button counts what is waiting.
function followList(body) {
  const pill = document.getElementById("waiting");
  const waiting = new Map();
  let touchedAt = -HANDS_OFF_MS;
  let pointed = false;

  const busy = () =>
    pointed || body.contains(document.activeElement) || performance.now() - touchedAt < HANDS_OFF_MS;

  function showWaiting() {
    const keepPlace = window.scrollY > 0 ? document.documentElement.scrollHeight : 0;
    for (const row of waiting.values()) {
      body.prepend(row);
    }
    waiting.clear();
    pill.hidden = true;
    document.getElementById("empty")?.remove();
    if (keepPlace > 0) {
      window.scrollBy(0, document.documentElement.scrollHeight - keepPlace);
    }
  }

  function settle() {
    if (waiting.size === 0) {
      return;
    }
    if (!busy()) {
      showWaiting();
      return;
    }
    const [one, many] = (body.dataset.liveWords ?? "payment payments").split(" ");
    pill.textContent = waiting.size === 1 ? `1 new ${one}` : `${waiting.size} new ${many}`;
    pill.hidden = false;
    setTimeout(settle, HANDS_OFF_MS);
  }

  function receive(html) {
    const holder = document.createElement("tbody");
    holder.innerHTML = html;
    const row = holder.firstElementChild;
    if (!row) {
      return;
    }
    localTimes(row);
    const known = document.getElementById(row.id);
    if (known) {
      known.replaceWith(row);
      return;
    }
    row.classList.add("new");
    waiting.set(row.id, row);
    settle();
  }

  body.addEventListener("pointerenter", (event) => { pointed = event.pointerType === "mouse"; });
  // Whoever leaves the list may be on the way to the button: it stays for a moment.
  body.addEventListener("pointerleave", () => { pointed = false; touchedAt = performance.now(); });
  body.addEventListener("pointerdown", () => { touchedAt = performance.now(); });
  pill.addEventListener("click", showWaiting);
  const source = new EventSource(body.dataset.liveList);
  tellLoss(source, body.closest("table"));
  source.addEventListener("payment", (event) => receive(event.data));
  source.addEventListener("delivery", (event) => receive(event.data));
  const trouble = document.getElementById("trouble");
  if (trouble) {
    source.addEventListener("trouble", (event) => {
      const news = document.createElement("section");
      news.innerHTML = event.data;
      // The same words again would be read out again.
      if (news.textContent.trim() !== trouble.textContent.trim()) {
        trouble.innerHTML = event.data;
      }
    });
  }
}

// A file that is chosen becomes the text of its field; without this script it is pasted there.
function readFile(label) {
  label.hidden = false;
  label.querySelector("input").addEventListener("change", async (event) => {
    const [file] = event.target.files;
    if (file) {
      document.getElementById(label.dataset.fileFor).value = await file.text();
    }
  });
}

// Whoever sent a form wants to know what came of it: the first refused field, else the news.
function leadToNews() {
  const place = document.querySelector("[aria-invalid=true]") ?? document.querySelector("[data-news]");
  if (place) {
    place.focus({ preventScroll: true });
    place.scrollIntoView({ block: "center" });
  }
}

// A second press sends nothing. Coming back to the page, the form may be sent again.
function sendOnce(form) {
  form.addEventListener("submit", (event) => {
    if (form.getAttribute("aria-busy")) {
      event.preventDefault();
    }
    form.setAttribute("aria-busy", "true");
  });
  window.addEventListener("pageshow", () => form.removeAttribute("aria-busy"));
}

// A button that copies the text of the element it stands behind.
function offerCopy(source) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button small second copy";
  button.textContent = "Copy";
  button.setAttribute("aria-label", `Copy ${source.dataset.copy}`);
  const said = document.createElement("span");
  said.className = "hidden-words";
  said.setAttribute("role", "status");
  button.addEventListener("click", async () => {
    const done = await copied(source);
    button.textContent = done ? "Copied" : "Selected: press Ctrl+C";
    said.textContent = button.textContent;
    setTimeout(() => { button.textContent = "Copy"; said.textContent = ""; }, COPIED_MS);
  });
  source.after(button, said);
}

// Browsers give the clipboard only to pages that came by TLS or from this machine; elsewhere the text
// is selected, ready for the keyboard.
async function copied(source) {
  try {
    await navigator.clipboard.writeText(source.textContent.trim());
    return true;
  } catch {
    window.getSelection().selectAllChildren(source);
    return false;
  }
}

localTimes(document);
document.querySelectorAll("form[method=post]").forEach(sendOnce);
document.querySelectorAll("[data-copy]").forEach(offerCopy);
// Not before: the fragment of the address takes the focus away once more.
window.addEventListener("load", leadToNews);
document.querySelectorAll("[data-file-for]").forEach(readFile);
document.querySelectorAll("[data-live]").forEach(followPayment);
document.querySelectorAll("[data-live-list]").forEach(followList);
