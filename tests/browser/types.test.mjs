// Payment Types by keyboard alone, at a desk and on a phone: a new type, its keys, every mix of them refused beside the
// right field, and the proofs that keys and webhook work.
import assert from "node:assert/strict";
import { test } from "node:test";

import { PHONE } from "./lib/chromium.mjs";
import { Rehearsal, fixture } from "./lib/fixture.mjs";
import { isFocused, press, tabTo, type } from "./lib/keyboard.mjs";
import { isSound } from "./lib/sound.mjs";

const here = fixture(Rehearsal);
const LIVE = ["live", ""].join("_");
const SECRET = "51OfTheBrowserTestsAbcd";

const button = (page, name) => page.getByRole("button", { name, exact: true });
const set = (page, mode) => page.locator(`#keys-${mode}`);
const field = (page, mode, name) => set(page, mode).locator(`input[name=${name}]`);

async function shot(page, name) {
  await isSound(page, name);
  await here.browser.shot(page, name);
}

/** The page of a type, with a keyboard. */
async function open(page, code) {
  await page.goto(`${here.world.gateway}/admin/types/${code}`);
  await page.getByRole("heading", { name: "Settings: Processors" }).waitFor();
}

async function save(page, mode) {
  await press(page, button(page, `Save the ${mode} keys`));
}

/** Types keys into one set, sends them, and expects that field to be refused, with the focus in it. */
async function isRefused(page, mode, typed, name, words) {
  for (const [where, text] of Object.entries(typed)) {
    await type(page, field(page, mode, where), text);
  }
  await save(page, mode);
  await page.locator(`#${mode}-${name}-error`).getByText(words).waitFor();
  assert.ok(await isFocused(field(page, mode, name)), `the focus is not in ${mode} ${name}`);
  assert.equal(await page.locator(".field-error").count(), 1, "more is refused than is wrong");
}

test("a type is added by keyboard; slips are led to one by one", async () => {
  const { page } = await here.office();
  await page.goto(`${here.world.gateway}/admin/types`);
  await shot(page, "types-1-list");
  await press(page, page.getByRole("link", { name: "Add Type" }));
  await page.getByRole("heading", { name: "Add a payment type" }).waitFor();
  await type(page, page.getByRole("textbox", { name: /^Code/ }), "card pay");
  await type(page, page.getByLabel(/^Name/), "Card at the counter");
  await type(page, page.getByLabel("Currency"), "zzz");
  await press(page, button(page, "Add the type"));
  await page.locator("#code-error").waitFor();
  assert.ok(await isFocused(page.getByRole("textbox", { name: /^Code/ })), "the first refused field is not led to");
  await shot(page, "types-2-slips");
  await type(page, page.getByRole("textbox", { name: /^Code/ }), "CARD");
  const provider = page.getByLabel("Provider");
  assert.deepEqual(await provider.locator("option").allInnerTexts(), ["Stripe", "Cash (no processor, no keys)"]);
  await tabTo(page, provider);
  await page.keyboard.press("c");
  assert.equal(await provider.inputValue(), "cash");
  await page.keyboard.press("ArrowUp");
  assert.equal(await provider.inputValue(), "stripe");
  await type(page, page.getByLabel("Currency"), "usd");
  await press(page, page.getByLabel("Officers, on handhelds"), "Space");
  await press(page, button(page, "Add the type"));
  await page.locator("#users-error").getByText("Choose at least one").waitFor();
  await press(page, page.getByLabel("Payers, in the web portal"), "Space");
  await press(page, button(page, "Add the type"));
  await page.getByRole("heading", { name: "Settings: Processors" }).waitFor();
  assert.equal(page.url(), `${here.world.gateway}/admin/types/CARD`);
  await shot(page, "types-3-new");
  await page.goto(`${here.world.gateway}/admin/types`);
  const row = page.getByRole("row").filter({ hasText: "CARD" });
  assert.match(await row.innerText(), /No keys yet/);
  await press(page, row.getByRole("link", { name: "Edit CARD" }));
  await page.getByRole("heading", { name: "Card at the counter" }).waitFor();
});

test("each mix of keys is refused beside the field to change", async () => {
  const { page } = await here.office();
  await open(page, "CARD");
  const [sk, pk] = [`sk_test_${SECRET}`, `pk_test_${SECRET}`];
  await isRefused(page, "test", { secret_key: `sk_${LIVE}${SECRET}` }, "secret_key", "This is a live key");
  await shot(page, "types-4-live-in-test");
  await isRefused(page, "live", { secret_key: `sk_${LIVE}${SECRET}`, publishable_key: pk }, "publishable_key", "This is a test key");
  assert.equal(await field(page, "live", "publishable_key").inputValue(), pk, "what is no secret is gone");
  assert.equal(await field(page, "live", "secret_key").inputValue(), "", "a secret came back");
  await open(page, "CARD");
  await isRefused(page, "test", { secret_key: pk }, "secret_key", "enter it as Publishable Key");
  await isRefused(page, "test", { secret_key: "whsec_abc" }, "secret_key", "enter it as Webhook Secret");
  await isRefused(page, "test", { secret_key: sk, publishable_key: sk }, "publishable_key", "enter it as Secret Key");
  await isRefused(page, "test", { secret_key: sk, webhook_id: "whsec_abc" }, "webhook_id", "enter it as Webhook Secret");
  await isRefused(page, "test", { secret_key: sk, webhook_secret: "we_1Abc" }, "webhook_secret", "enter it as Webhook ID");
  await isRefused(page, "test", { webhook_id: "we_1Abc" }, "secret_key", "Enter the Secret Key first");
  const rest = "QxRkOfTheBrowserTestsQxRk";
  const two = { secret_key: `sk_test_51BTUDGJAJfZb9HEB${rest}`, publishable_key: `pk_test_51GQ9RbJAJfZb9HEB${rest}` };
  await isRefused(page, "test", two, "publishable_key", "of another Stripe account");
  await shot(page, "types-5-two-accounts");
});

test("keys are saved once, shown masked, and checked", async () => {
  const { page } = await here.office();
  await open(page, "CARD");
  await type(page, field(page, "test", "secret_key"), `  sk_test_${SECRET} `);
  await type(page, field(page, "test", "publishable_key"), `pk_test_${SECRET}`);
  let sent = 0;
  page.on("request", (request) => { sent += request.url().includes("/keys") && request.method() === "POST" ? 1 : 0; });
  await button(page, "Save the test keys").dblclick();
  await set(page, "test").getByText("The keys are stored, encrypted").waitFor();
  assert.equal(sent, 1, "a double click sends the form twice");
  assert.ok(await isFocused(set(page, "test").locator("[data-news]")), "what came of it is not led to");
  assert.equal(await page.locator("#test-secret_key-known").innerText(), "sk_test_…Abcd");
  assert.equal(await field(page, "test", "secret_key").inputValue(), "");
  assert.ok(!(await page.content()).includes(`sk_test_${SECRET}`), "the secret is on the page");
  await shot(page, "types-6-saved");
  await press(page, set(page, "test").getByRole("button", { name: "Check connection" }));
  await set(page, "test").getByText(/Account acct_/).first().waitFor();
  await set(page, "test").getByText("Mode: test").waitFor();
  await set(page, "test").getByText("Currency: USD").waitFor();
  await shot(page, "types-7-checked");
});

test("the webhook is registered by one button and verified; the manual way stands beside it", async () => {
  const { page } = await here.office();
  await open(page, "CARD");
  const live = set(page, "live");
  await type(page, field(page, "live", "secret_key"), `sk_${LIVE}${SECRET}`);
  await save(page, "live");
  await live.getByText("The keys are stored, encrypted").waitFor();
  await live.getByText(/the test keys of another/).waitFor();
  assert.equal(await page.locator("#live-secret_key-known").innerText(), `sk_${LIVE}…Abcd`);
  await press(page, live.getByRole("button", { name: "Verify webhook" }));
  await live.getByText("There is no Webhook Secret for this mode yet").waitFor();
  await press(page, live.getByRole("button", { name: "Register the webhook" }));
  await live.getByText("Its secret is stored. Verify the webhook now.").waitFor();
  await press(page, live.getByRole("button", { name: "Verify webhook" }));
  await live.getByText("Address, secret, mode and event types are right.").waitFor();
  assert.match(await page.locator("#live-webhook_secret-known").innerText(), /^whsec_…/);
  assert.match(await page.locator("#live-webhook_id-known").innerText(), /^we_/);
  await shot(page, "types-8-verified");

  await press(page, page.locator("summary").filter({ hasText: "by hand" }));
  const steps = page.locator("details ol.steps");
  for (const words of ["Developers → API keys", "Reveal", "Add destination", "Webhook endpoint", "Endpoint URL", "Signing secret", "Destination ID"]) {
    assert.ok((await steps.innerText()).includes(words), `the manual way does not say ${words}`);
  }
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await press(page, page.getByRole("button", { name: "Copy the Endpoint URL" }));
  await page.getByText("Copied").first().waitFor();
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  assert.equal(copied, `${here.world.gateway}/api/demo/qr/payment/webhook`);
  await shot(page, "types-9-by-hand");
});

test("all of it fits a phone", async () => {
  const { page } = await here.office();
  await page.setViewportSize(PHONE.viewport);
  await page.goto(`${here.world.gateway}/admin/types`);
  await shot(page, "types-10-list-phone");
  await open(page, "CARD");
  await isRefused(page, "test", { secret_key: `sk_${LIVE}${SECRET}` }, "secret_key", "This is a live key");
  await shot(page, "types-11-slip-phone");
  await press(page, set(page, "live").getByRole("button", { name: "Verify webhook" }));
  await set(page, "live").getByText("Address, secret, mode and event types are right.").waitFor();
  await press(page, page.locator("summary").filter({ hasText: "by hand" }));
  await shot(page, "types-12-phone");
});
