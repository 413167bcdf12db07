// The sandbox's own pages: card page, Stripe.js stand-in in a merchant's page, dashboard.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { Program } from "../../scripts/lib/programs.mjs";
import { Browser, DESK, PHONE } from "./lib/chromium.mjs";
import { Shop } from "./lib/shop.mjs";

const here = {};

before(async () => {
  here.folder = mkdtempSync(join(tmpdir(), "holdfast-sandbox-"));
  here.merchant = await merchantEndpoint();
  const webhook = `http://127.0.0.1:${here.merchant.address().port}/hook=whsec_browser`;
  here.sandbox = new Program({
    name: "sandbox", command: join(process.env.HOLDFAST_BIN_DIR, "holdfast"), logs: here.folder,
    args: ["sandbox", "--listen", "127.0.0.1:0", "--webhook", webhook],
  });
  here.url = await here.sandbox.address();
  here.browser = await Browser.open(process.env.HOLDFAST_SHOTS);
  here.shop = await Shop.open(here.url);
});

after(async () => {
  await here.browser?.close();
  here.shop?.close();
  here.merchant?.close();
  await here.sandbox?.stop();
  rmSync(here.folder, { recursive: true, force: true });
});

/** Takes every delivery, but for one while the till is closed. */
async function merchantEndpoint() {
  const server = createServer((request, response) => {
    request.resume();
    response.statusCode = here.tillClosed ? 500 : 200;
    response.end(here.tillClosed ? "the till is closed" : "ok");
    here.tillClosed = false;
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

async function api(path, fields, key = "sk_test_browser") {
  const answer = await fetch(`${here.url}${path}`, {
    method: fields ? "POST" : "GET", headers: { authorization: `Bearer ${key}` },
    body: fields && new URLSearchParams(fields),
  });
  return answer.json();
}

const session = () => api("/v1/checkout/sessions", {
  mode: "payment", success_url: `${here.shop.url}/thanks`, cancel_url: `${here.shop.url}/cart`,
  "line_items[0][price_data][currency]": "usd", "line_items[0][price_data][unit_amount]": "1250",
  "line_items[0][price_data][product_data][name]": "Parking fine", "line_items[0][quantity]": "2",
});

const intent = () => api("/v1/payment_intents", { amount: "2500", currency: "usd" });

test("the card page is paid with the keyboard alone, after a decline and the bank's question", async () => {
  const page = await here.browser.person(PHONE);
  await page.goto((await session()).url);
  assert.equal(await page.getByLabel("Card number").evaluate((field) => field === document.activeElement), true);
  const type = async (number) => {
    for (const text of [number, "12/34", "123", "Sam Payer"]) {
      await page.keyboard.type(text);
      await page.keyboard.press("Tab");
    }
    await page.keyboard.press("Enter");
  };
  await type("4000000000009995");
  await page.getByRole("alert").waitFor();
  assert.match(await page.getByRole("alert").textContent(), /insufficient funds.*Nothing was charged/s);
  await here.browser.shot(page, "sandbox-1-declined");
  await page.getByLabel("Card number").focus();
  await page.keyboard.type("4000002760003184");
  for (const text of ["12/34", "123"]) {
    await page.keyboard.press("Tab");
    await page.keyboard.type(text);
  }
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Your bank asks: is it you?" }).waitFor();
  await here.browser.shot(page, "sandbox-2-bank");
  await page.getByRole("button", { name: "Complete" }).press("Enter");
  await page.waitForURL(`${here.shop.url}/thanks`);
  assert.deepEqual(page.strangers, []);
});

test("a mistyped card is said beside its field, and what was typed elsewhere stays", async () => {
  const page = await here.browser.person(PHONE);
  await page.goto((await session()).url);
  await page.getByLabel("Card number").fill("4242 4242 4242 4242");
  await page.getByLabel("Expiry date").fill("12/34");
  await page.getByLabel("Security code").fill("12");
  await page.getByLabel("Name on card").fill("Sam Payer");
  await page.getByLabel("Name on card").press("Enter");
  const code = page.getByLabel("Security code");
  await page.getByRole("alert").waitFor();
  assert.equal(await code.getAttribute("aria-invalid"), "true");
  assert.match(await page.getByRole("alert").textContent(), /security code is incomplete/);
  assert.equal(await code.evaluate((field) => document.getElementById(field.getAttribute("aria-describedby")).parentElement === field.parentElement), true);
  assert.equal(await code.evaluate((field) => field === document.activeElement), true);
  assert.equal(await page.getByLabel("Name on card").inputValue(), "Sam Payer");
  await here.browser.shot(page, "sandbox-1-mistyped");
});

test("the way back leads to the shop, and nothing was charged", async () => {
  const page = await here.browser.person(PHONE);
  await page.goto((await session()).url);
  await page.getByRole("link", { name: /^Back to/ }).click();
  await page.waitForURL(`${here.shop.url}/cart`);
});

test("the Payment Element pays in the merchant's page, which never sees the card", async () => {
  const page = await here.browser.person(DESK);
  const made = await intent();
  const form = await here.shop.checkout(page, made.client_secret);
  await form.pay();
  assert.match(await form.message(), /incomplete/);
  await form.fill("4000 0000 0000 0002");
  await form.pay();
  await form.says(/declined/);
  await here.browser.shot(page, "sandbox-3-element-declined");
  await form.fill("4242 4242 4242 4242");
  await form.pay();
  await form.says("succeeded");
  await here.browser.shot(page, "sandbox-4-element-paid");
  assert.equal((await api(`/v1/payment_intents/${made.id}`)).status, "succeeded");
  assert.equal(await form.retrieved(made.client_secret), "succeeded");
  assert.ok(!(await form.everythingSeen()).includes("4242424242424242"), "the page saw the card");
});

test("the bank's question stands over the merchant's page", async () => {
  const page = await here.browser.person(PHONE);
  const made = await intent();
  const form = await here.shop.checkout(page, made.client_secret);
  await form.fill("4000 0000 0000 3220");
  await form.pay();
  const bank = page.frameLocator('iframe[title="Your bank asks"]');
  await bank.getByRole("button", { name: "Complete" }).waitFor();
  await here.browser.shot(page, "sandbox-5-element-bank");
  await bank.getByRole("button", { name: "Fail" }).click();
  await form.says(/failed authentication/);
  await form.pay();
  await bank.getByRole("button", { name: "Complete" }).click();
  await form.says("succeeded");
});

test("with a return address the browser goes there afterwards", async () => {
  const page = await here.browser.person(DESK);
  const made = await intent();
  const form = await here.shop.checkout(page, made.client_secret, { back: `${here.shop.url}/thanks` });
  await form.fill("4242 4242 4242 4242");
  await form.pay();
  await page.waitForURL(/\/thanks\?/);
  const there = new URL(page.url()).searchParams;
  assert.deepEqual([there.get("payment_intent"), there.get("redirect_status")], [made.id, "succeeded"]);
});

test("a page reads nothing of the API, and a message from another window is not heard", async () => {
  const page = await here.browser.person(DESK);
  const made = await intent();
  const form = await here.shop.checkout(page, made.client_secret);
  await form.fill("4242 4242 4242 4242");
  assert.equal(await form.readsApi(made), "blocked");
  const posted = [];
  page.on("request", (request) => request.method() === "POST" && posted.push(request.url()));
  await form.forge(made.client_secret);
  assert.deepEqual(posted, [], "the frame did what a stranger asked");
  for (const key of ["sk_test_a", "pk_live_a", ""]) {
    assert.match(await form.refuses(key), /publishable test key/);
  }
});

test("the dashboard shows payments, deliveries, secrets, events, keys and the inbox", async () => {
  const page = await here.browser.person(DESK);
  await api("/v1/payment_intents", {
    amount: "1000", currency: "usd", payment_method: "pm_card_visa_chargeDeclinedLostCard", confirm: "true",
    "payment_method_types[]": "card",
  });
  await page.goto(here.url);
  await page.getByRole("row", { name: /Failed lost_card visa 9987/ }).waitFor();
  await here.browser.shot(page, "sandbox-6-payments");

  await page.getByRole("link", { name: "Webhooks" }).click();
  await page.getByRole("link", { name: /\/hook$/ }).click();
  await page.getByRole("button", { name: "Reveal" }).click();
  assert.equal(await page.locator("#secret").textContent(), "whsec_browser");
  const newest = page.locator("tbody tr").first();
  const event = await page.locator("tbody tr code").last().textContent();
  here.tillClosed = true;
  await page.getByRole("button", { name: `Resend ${event}` }).last().click();
  await page.waitForURL(/\/webhooks\/we_/);
  const becomes = async (words) => {
    for (let tries = 0; !words.test(await newest.textContent()) && tries < 300; tries++) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      await page.reload();
    }
    assert.match(await newest.textContent(), words);
  };
  await becomes(/Pending\s*500[^]*the till is closed/);
  assert.ok((await newest.textContent()).includes(event));
  await here.browser.shot(page, "sandbox-7-pending");
  await becomes(/Delivered\s*200/);
  await newest.locator("summary", { hasText: "2" }).click();
  await newest.getByText("500 the till is closed").waitFor();
  await newest.getByText("Body sent").click();
  await newest.getByText('"object": "event"').waitFor();
  await page.getByLabel("The old secret stays valid for").selectOption("3600");
  await page.getByRole("button", { name: "Roll secret" }).click();
  await page.getByText("The old secret signs as well until").waitFor();
  assert.equal(await page.getByText("Delivered").count() > 0, true);
  await here.browser.shot(page, "sandbox-7-deliveries");

  await page.getByRole("link", { name: "Events" }).click();
  await page.getByRole("cell", { name: "charge.failed" }).first().waitFor();
  await page.getByRole("link", { name: "API keys" }).click();
  await page.getByText("Every test key is good here").waitFor();
  await fetch(`${here.url}/_sandbox/inbox`, {
    method: "POST", body: new URLSearchParams({ channel: "sms", to: "+1 555 0100", text: `Please pay: ${here.shop.url}/thanks now` }),
  });
  await page.getByRole("link", { name: "Inbox" }).click();
  await here.browser.shot(page, "sandbox-8-inbox");
  await page.getByRole("link", { name: /\/thanks/ }).click();
  await page.waitForURL(`${here.shop.url}/thanks`);
});
