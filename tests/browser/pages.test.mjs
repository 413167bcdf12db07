// Every page of the office, as each role finds it by its links: sound at a desk, on a phone and in the dark.
import assert from "node:assert/strict";
import { test } from "node:test";

import { DESK, PHONE } from "./lib/chromium.mjs";
import { fixture } from "./lib/fixture.mjs";
import { isSound } from "./lib/sound.mjs";

const here = fixture();
const GOOD_CARD = "4242 4242 4242 4242";
// Downloads are no pages.
const NO_PAGE = /\.(csv|svg|png)$/;
// Where a page is one of many alike, one of them is looked at.
const ALIKE = [/\/payments\/[0-9a-f-]{36}/, /\/charges\/N-\d+/, /\/types\/[A-Z-]+/];

const patternOf = (path) => ALIKE.reduce((it, alike) => it.replace(alike, (part) => part.replace(/[^/]+$/, "x")), path);

/** Follows the links from the first page; every page once. */
async function crawl(page, look) {
  const known = new Map([["/admin/payments", "/admin/payments"]]);
  for (const path of known.values()) {
    const answer = await page.goto(here.world.gateway + path);
    assert.ok(answer.status() < 400, `${path} answers ${answer.status()}`);
    const links = await page.locator("a[href]").evaluateAll((all) => all.map((it) => it.getAttribute("href")));
    for (const link of links) {
      const found = link.replace(/[?#].*/, "");
      if (found.startsWith("/admin") && !NO_PAGE.test(found) && !known.has(patternOf(found))) {
        known.set(patternOf(found), found);
      }
    }
    await look(path, patternOf(path));
  }
  return [...known.keys()];
}

const nameOf = (pattern) => pattern.replace("/admin/", "").replaceAll("/", "-");

async function somethingEverywhere(office) {
  const { payment_id, pay_address } = await here.handheld.holdAndSend();
  const payer = await here.payer();
  await payer.open(pay_address);
  await (await payer.pressPay()).pay(GOOD_CARD);
  await payer.receipt();
  await here.handheld.holdAndSend();
  const { page } = office;
  await page.goto(`${here.world.gateway}/admin/charges/new`);
  await page.locator("input[name=reference]").fill("N-1");
  await page.locator("input[name=for]").first().fill("Parking without permit");
  await page.locator("input[name=amount]").first().fill("65.00");
  await page.getByRole("button", { name: "Add the charge" }).click();
  await page.goto(`${here.world.gateway}/admin/payments/${payment_id}/refund`);
  await page.getByRole("radio", { name: "Partial refund" }).check();
  await page.getByLabel(/^Amount/).fill("2.00");
  await page.getByLabel(/^Reason/).fill("one day less");
  await page.getByRole("button", { name: "Confirm Refund" }).click();
  await page.locator('#standing [data-state="partly_refunded"]').waitFor();
}

/** Somebody new, signed in with the link that the Users page made. */
async function colleague(office, name, role, device) {
  const { page } = office;
  await page.goto(`${here.world.gateway}/admin/users`);
  await page.getByRole("textbox", { name: "Name" }).fill(name);
  await page.locator("form[action='/admin/users'] select").selectOption(role);
  await page.getByRole("button", { name: "Add and make a link" }).click();
  const link = await page.locator("#sign-in-link").innerText();
  const theirs = await here.browser.person(device);
  await theirs.goto(link);
  await theirs.getByRole("button", { name: "Sign in" }).click();
  await theirs.getByRole("heading", { name: "Recent Payments" }).waitFor();
  return theirs;
}

test("every page is sound at a desk, in light and dark", async () => {
  const office = await here.office();
  await somethingEverywhere(office);
  const { page } = office;
  const pages = await crawl(page, async (path, pattern) => {
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme });
      await isSound(page, `${path} in the ${colorScheme}`);
      await here.browser.shot(page, `page-${nameOf(pattern)}-${colorScheme}`);
    }
    await page.emulateMedia({ colorScheme: "light" });
  });
  assert.ok(pages.length >= 17, `only ${pages.length} pages are found: ${pages}`);
});

test("every page is sound on a phone", async () => {
  const phone = await colleague(await here.office(), "Pat Phone", "administrator", PHONE);
  await crawl(phone, async (path, pattern) => {
    await isSound(phone, `${path} on a phone`);
    await here.browser.shot(phone, `page-${nameOf(pattern)}-phone`);
  });
});

test("finance and officers find only pages that open to them", async () => {
  const office = await here.office();
  for (const [name, role, not] of [["Fay Finance", "finance", "/admin/users"], ["Olu Officer", "officer", "/admin/charges"]]) {
    const theirs = await colleague(office, name, role, DESK);
    const pages = await crawl(theirs, (path) => isSound(theirs, `${path} as ${role}`));
    assert.ok(!pages.includes(not), `${role} is led to ${not}`);
    const answer = await theirs.goto(here.world.gateway + not);
    assert.equal(answer.status(), 403);
    await theirs.getByText(`You are signed in as ${role}`).waitFor();
    await isSound(theirs, `what ${role} may not`);
    await here.browser.shot(theirs, `page-403-${role}`);
  }
});
