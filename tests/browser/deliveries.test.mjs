// Deliveries: what Stripe sends appears by itself, what is wrong is said in words, and the forms say so beside the field.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";

import { fixture } from "./lib/fixture.mjs";

const here = fixture();
const SELDOM = "moon.phase";

const row = (office, kind) => office.page.locator('tbody[data-live-list] tr').filter({ hasText: kind }).first();
const trouble = (office, words) => office.page.locator("#trouble").getByText(words).first();

/** Sends an event to the gateway's webhook, signed with a secret. */
async function deliver(secret, id) {
  const event = { id, type: SELDOM, created: 1, livemode: false, data: { object: {} } };
  const body = JSON.stringify(event);
  const at = Math.floor(Date.now() / 1000);
  const v1 = createHmac("sha256", secret).update(`${at}.${body}`).digest("hex");
  const address = `${here.world.gateway}/api/demo/qr/payment/webhook`;
  return fetch(address, { method: "POST", body, headers: { "stripe-signature": `t=${at},v1=${v1}` } });
}

async function open(office) {
  await office.page.getByRole("link", { name: "Deliveries" }).click();
  await office.page.getByRole("heading", { name: "Deliveries", exact: true }).waitFor();
}

test("deliveries appear without a reload, each with its result", async () => {
  const office = await here.office();
  await open(office);
  await office.page.evaluate(() => { window.neverReloaded = true; });
  const { payment_id, pay_address } = await here.handheld.holdAndSend();
  const payer = await here.payer();
  await payer.open(pay_address);
  await (await payer.pressPay()).pay("4242 4242 4242 4242");
  await payer.receipt();
  const completed = row(office, "checkout.session.completed");
  await completed.waitFor();
  assert.match(await completed.textContent(), /the payment was looked at/);
  assert.ok((await completed.textContent()).includes(payment_id));
  await trouble(office, "No trouble in the last day").waitFor();
  assert.equal(await office.page.evaluate(() => window.neverReloaded), true);
  assert.deepEqual(office.page.strangers, []);
  await here.shot(office, "deliveries-1-good");
});

test("a wrong secret is said at once, and over once a right one comes", async () => {
  const office = await here.office();
  assert.equal((await deliver("whsec_somebody_elses_0123456789", "evt_wrong")).status, 400);
  await trouble(office, "Wrong secret").waitFor();
  await trouble(office, "Copy the signing secret of this endpoint").waitFor();
  assert.match(await row(office, "Wrong secret").textContent(), /400/);
  await here.shot(office, "deliveries-2-wrong-secret");
  assert.equal((await deliver(here.world.webhookSecret, "evt_right")).status, 200);
  await trouble(office, "Deliveries were taken since").waitFor();
  await trouble(office, "Needless event types").waitFor();
  assert.equal(await office.page.evaluate(() => window.neverReloaded), true);
});

test("Stripe's side is asked for by a button", async () => {
  const office = await here.office();
  await office.page.getByRole("button", { name: "Ask Stripe now" }).click();
  await office.page.getByText(/we_\w+ sends to/).first().waitFor();
  await here.shot(office, "deliveries-3-books");
});

test("an event is replayed by its ID, from the keyboard", async () => {
  const office = await here.office();
  const event = (await row(office, "checkout.session.completed").textContent()).match(/evt_\w+/)[0];
  await office.page.getByLabel("Event ID").fill("cs_test_1");
  await office.page.keyboard.press("Enter");
  await office.page.locator("#event-error").waitFor();
  assert.equal(await office.page.getByLabel("Event ID").inputValue(), "cs_test_1", "what was typed is gone");
  await office.page.getByLabel("Event ID").fill(event);
  await office.page.keyboard.press("Enter");
  await office.page.getByText(/Stripe is asked about payment \S+ again/).waitFor();
  await row(office, "Replayed").waitFor();
});

test("the command line's secret and the senders' list are refused beside their field", async () => {
  const office = await here.office();
  const secret = office.page.getByLabel(/stripe listen/);
  await secret.fill("sk_test_51NotASigningSecret");
  await office.page.getByRole("button", { name: "Take this secret for a day" }).click();
  await office.page.locator("#secret-error").getByText("it is an API key").waitFor();
  await here.shot(office, "deliveries-4-refused");
  await secret.fill("whsec_printed_by_stripe_listen_1");
  await office.page.keyboard.press("Enter");
  await office.page.getByText("The Stripe CLI's; it ends by itself").waitFor();

  const senders = office.page.getByLabel(/Addresses and ranges/);
  await senders.fill("192.0.2.0/24\nstripe.com");
  await office.page.getByRole("button", { name: "Save the list" }).click();
  await office.page.locator("#senders-error").getByText("stripe.com").waitFor();
  assert.equal(await senders.inputValue(), "192.0.2.0/24\nstripe.com");
  await senders.fill("");
  await office.page.getByRole("button", { name: "Save the list" }).click();
  await office.page.locator("#senders-error").waitFor({ state: "detached" });

  await office.page.getByRole("button", { name: /^Drop whsec_…en_1/ }).click();
  await office.page.getByText("it ends by itself").waitFor({ state: "detached" });
});

test("all of it fits a phone, in the dark too", async () => {
  const office = await here.office();
  await office.page.setViewportSize({ width: 412, height: 892 });
  const wider = () => office.page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  assert.ok((await wider()) <= 0, `the page is ${await wider()} px too wide`);
  await here.shot(office, "deliveries-5-phone");
  await office.page.emulateMedia({ colorScheme: "dark" });
  await here.shot(office, "deliveries-6-phone-dark");
});
