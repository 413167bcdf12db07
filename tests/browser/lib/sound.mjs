// What every page owes to whoever reads it, with eyes, with ears, or without a mouse. Each rule gives sentences that
// name the place; a sound page gives none.
import assert from "node:assert/strict";

// The least contrast of text and ground; the look's own pairs all have more.
const CONTRAST_MIN = 4.5;
// The least height of what a finger presses, in CSS pixels; the look's own is 56.
const TARGET_PX_MIN = 44;
// Presses of Tab on one page: its head and the beginning of the content. Long lists repeat themselves.
const TABS_MAX = 40;

/** Fails with everything that is wrong with the page as it stands. */
export async function isSound(page, name) {
  const wrong = await page.evaluate(rules, { CONTRAST_MIN, TARGET_PX_MIN });
  wrong.push(...await focusTrouble(page));
  assert.deepEqual(wrong, [], `${name} (${page.url()})`);
}

/** Runs in the page. */
function rules({ CONTRAST_MIN, TARGET_PX_MIN }) {
  const wrong = [];
  const say = (words, element) => wrong.push(element ? `${words}: ${element.outerHTML.slice(0, 160)}` : words);
  const all = (selector) => [...document.querySelectorAll(selector)];
  const seen = (element) => element.checkVisibility({ visibilityProperty: true, opacityProperty: true });
  const text = (element) => (element?.textContent ?? "").trim();
  const named = (id) => text(document.getElementById(id));
  const nameOf = (element) => element.getAttribute("aria-label")
    || (element.getAttribute("aria-labelledby") ?? "").split(" ").map(named).join("")
    || [...element.labels ?? []].map(text).join("") || text(element) || element.getAttribute("alt");

  function head() {
    document.documentElement.lang || say("the page has no language");
    document.title.trim() || say("the page has no title");
    const h1 = all("h1").filter(seen);
    h1.length === 1 || say(`the page has ${h1.length} first headings`);
    all("main").length === 1 || say("the page has not one main part");
    let level = 0;
    for (const heading of all("h1,h2,h3,h4").filter(seen)) {
      const next = Number(heading.tagName.at(1));
      next <= level + 1 || say("a heading skips a level", heading);
      level = next;
    }
    // Text that runs out of its column lies over other text.
    for (const element of all("code,td,dd,p,li,label,.card").filter(seen)) {
      const { overflowX } = getComputedStyle(element);
      const own = ["visible", "clip"].includes(overflowX) && element.clientWidth > 0;
      own && element.scrollWidth > element.clientWidth + 1 && say("text runs out of its place", element);
    }
    const over = document.documentElement.scrollWidth - window.innerWidth;
    over <= 0 || say(`the page is ${over} pixels too wide`);
  }

  function names() {
    const ids = all("[id]").map((it) => it.id);
    ids.filter((id, at) => ids.indexOf(id) !== at).forEach((id) => say(`two elements are #${id}`));
    for (const element of all("input:not([type=hidden]),select,textarea,button,a[href],summary").filter(seen)) {
      nameOf(element) || say("it has no name", element);
    }
    for (const element of all("[aria-describedby]")) {
      element.getAttribute("aria-describedby").split(" ").forEach((id) => named(id) || say(`it names #${id}, which says nothing`, element));
    }
    all("[aria-invalid=true]:not([aria-describedby])").forEach((it) => say("it is refused without a reason", it));
    all("img:not([alt])").forEach((it) => say("a picture without words", it));
    all("table.list th:not([scope])").forEach((it) => say("a table's heading without its direction", it));
    all("svg:not([aria-hidden=true]):not([role=img])").forEach((it) => say("a drawing that ears stumble over", it));
  }

  function targets() {
    for (const element of all("button,select,textarea,input:not([type=hidden]):not([type=checkbox]):not([type=radio])").filter(seen)) {
      const { height } = element.getBoundingClientRect();
      height >= TARGET_PX_MIN || say(`only ${Math.round(height)} pixels high`, element);
    }
    for (const element of all("input[type=checkbox],input[type=radio]").filter(seen)) {
      const { height } = (element.closest("label") ?? element).getBoundingClientRect();
      height >= TARGET_PX_MIN || say(`only ${Math.round(height)} pixels high`, element);
    }
  }

  const numbers = (color) => color.match(/[\d.]+/g).map(Number);
  function light(color) {
    const [r, g, b] = numbers(color).map((part) => {
      const it = part / 255;
      return it <= 0.04045 ? it / 12.92 : ((it + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  }
  function groundOf(element) {
    for (let it = element; it; it = it.parentElement) {
      const color = getComputedStyle(it).backgroundColor;
      const [, , , opacity = 1] = numbers(color);
      if (opacity > 0) {
        return color;
      }
    }
    return "rgb(255, 255, 255)";
  }
  function contrast() {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const element = walker.currentNode.parentElement;
      if (!walker.currentNode.data.trim() || !seen(element) || element.closest(":disabled")) {
        continue;
      }
      const [a, b] = [light(getComputedStyle(element).color), light(groundOf(element))].sort((x, y) => y - x);
      const ratio = (a + 0.05) / (b + 0.05);
      ratio >= CONTRAST_MIN || say(`text of contrast ${ratio.toFixed(1)}`, element);
    }
  }

  head();
  names();
  targets();
  contrast();
  return [...new Set(wrong)];
}

/** Walks through the page by Tab: each stop must show that it is one. */
async function focusTrouble(page) {
  const wrong = new Set();
  await page.evaluate(() => {
    window.came = document.activeElement;
    window.stops = new Set();
    window.came?.blur();
  });
  for (let tab = 0; tab < TABS_MAX; tab += 1) {
    await page.keyboard.press("Tab");
    const { over, words } = await page.evaluate(() => {
      const at = document.activeElement;
      if (!at || at === document.body || window.stops.has(at)) {
        return { over: true };
      }
      window.stops.add(at);
      const style = getComputedStyle(at);
      const box = at.getBoundingClientRect();
      const shown = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2 && box.right > 0 && box.bottom > 0;
      return { over: false, words: shown ? "" : `the focus is not seen: ${at.outerHTML.slice(0, 160)}` };
    });
    if (over) {
      break;
    }
    words && wrong.add(words);
  }
  await page.evaluate(() => {
    document.activeElement?.blur();
    window.came?.focus({ preventScroll: true });
    window.scrollTo(0, 0);
  });
  return [...wrong];
}
