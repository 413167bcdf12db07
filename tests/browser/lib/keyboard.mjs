// A person without a mouse.

// Presses of Tab after which something is out of reach.
const TABS_MAX = 80;

/** Presses Tab until that is focused. */
export async function tabTo(page, place) {
  for (let tab = 0; tab < TABS_MAX; tab += 1) {
    if (await place.evaluate((it) => it === document.activeElement)) {
      return;
    }
    await page.keyboard.press("Tab");
  }
  throw new Error(`Tab never arrives at ${place}`);
}

/** Types into a field, in place of what stands there. */
export async function type(page, place, text) {
  await tabTo(page, place);
  await page.keyboard.press("Control+A");
  await page.keyboard.type(text);
}

/** Presses a button or follows a link. */
export async function press(page, place, key = "Enter") {
  await tabTo(page, place);
  await page.keyboard.press(key);
}

/** Whether that is focused, or is as soon as the page has loaded. */
export async function isFocused(place) {
  await place.page().waitForLoadState("load");
  return place.evaluate((it) => new Promise((resolve) => {
    requestAnimationFrame(() => setTimeout(() => resolve(it === document.activeElement), 0));
  }));
}
