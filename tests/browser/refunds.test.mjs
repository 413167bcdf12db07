// Money goes back: the payment's page, Confirm Refund, a second tab, and what finance is told.
import assert from "node:assert/strict";
import { test } from "node:test";

import { PHONE } from "./lib/chromium.mjs";
import { fixture } from "./lib/fixture.mjs";

const here = fixture();
const GOOD_CARD = "4242 4242 4242 4242";
// Refunds to this card succeed, and fail some days later.
const REFUND_FAILS_CARD = "4000 0000 0000 5126";
// The payer of this card disputes the payment at once.
const DISPUTED_CARD = "4000 0000 0000 0259";

/** Asks until the answer is as wished. */
async function eventually(ask, wished) {
  for (const end = Date.now() + 30_000; ; ) {
    const answer = await ask();
    if (wished(answer)) {
      return answer;
    }
    assert.ok(Date.now() < end, `never: ${JSON.stringify(answer)}`);
    await new Promise((go) => setTimeout(go, 200));
  }
}

async function paid(card) {
  const { payment_id, pay_address } = await here.handheld.holdAndSend();
  const payer = await here.payer();
  await payer.open(pay_address);
  await (await payer.pressPay()).pay(card);
  await payer.receipt();
  return payment_id;
}

/** Another tab of the same person. */
async function tab(office) {
  return office.page.context().newPage();
}

async function hasState(page, state) {
  await page.locator(`#standing [data-state="${state}"]`).waitFor();
}

test("a full refund by keyboard alone, seen live", async () => {
  const payment = await paid(GOOD_CARD);
  const office = await here.office();
  const { page } = office;
  await page.goto(`${here.world.gateway}/admin/payments`);
  await office.sees(payment, "paid");
  await office.row(payment).getByRole("link", { name: /View Details/ }).press("Enter");
  await page.getByRole("heading", { name: "Payment", exact: true }).waitFor();
  await here.shot(office, "refund-1-payment");

  await page.getByRole("link", { name: "Refund Payment" }).press("Enter");
  await page.getByRole("heading", { name: "Confirm Refund" }).waitFor();
  assert.ok(await page.getByRole("radio", { name: /Full Refund/ }).isChecked());
  await here.shot(office, "refund-2-form");
  await page.getByRole("button", { name: "Confirm Refund" }).press("Enter");
  await page.getByText("was asked for").waitFor();
  await hasState(page, "refunded");
  await page.getByText("Succeeded: the money went back").waitFor();
  await here.shot(office, "refund-3-done");
  assert.equal(await page.getByRole("link", { name: "Refund Payment" }).count(), 0);
});

test("two tabs with two forms: the second is told, and slips stand beside their field", async () => {
  const payment = await paid(GOOD_CARD);
  const office = await here.office();
  const [first, second] = [await tab(office), await tab(office)];
  for (const page of [first, second]) {
    await page.goto(`${here.world.gateway}/admin/payments/${payment}/refund`);
    await page.getByRole("radio", { name: "Partial refund" }).check();
    await page.getByLabel(/^Amount in USD/).fill("4.00");
  }
  await first.getByRole("button", { name: "Confirm Refund" }).click();
  await first.getByText("Write why only a part goes back.").waitFor();
  assert.equal(await first.getByLabel(/^Reason/).getAttribute("aria-invalid"), "true");
  await here.browser.shot(first, "refund-4-slip");
  for (const page of [first, second]) {
    await page.getByLabel(/^Reason/).fill("one day less");
  }
  await first.getByRole("button", { name: "Confirm Refund" }).dblclick();
  await hasState(first, "partly_refunded");
  await second.getByRole("button", { name: "Confirm Refund" }).click();
  await second.getByText(/asked for a refund of USD 4\.00/).waitFor();
  await here.browser.shot(second, "refund-5-second-tab");
  assert.equal(await first.getByText("Succeeded: the money went back").count(), 1);
});

test("finance is told, on a phone, until somebody has read it", async () => {
  const payment = await paid(REFUND_FAILS_CARD);
  const office = await here.office();
  const state = await office.page.context().storageState();
  const context = await here.browser.engine.newContext({ ...PHONE, storageState: state, locale: "en-US", timezoneId: "UTC" });
  const phone = await context.newPage();
  await phone.goto(`${here.world.gateway}/admin/payments/${payment}`);
  await here.browser.shot(phone, "refund-6-phone-payment");
  await phone.getByRole("link", { name: "Refund Payment" }).tap();
  await phone.getByRole("heading", { name: "Confirm Refund" }).waitFor();
  await here.browser.shot(phone, "refund-7-phone-form");
  assert.equal(await phone.evaluate(() => document.documentElement.scrollWidth > window.innerWidth), false, "the page is wider than the phone");
  await phone.getByRole("button", { name: "Confirm Refund" }).tap();
  await hasState(phone, "refunded");

  await phone.goto(`${here.world.gateway}/admin/refunds`);
  const news = phone.getByRole("button", { name: /^Acknowledge/ });
  const before = await news.count();
  assert.ok(before >= 1);
  await here.browser.shot(phone, "refund-8-phone-told");
  await news.first().tap();
  await news.nth(before - 1).waitFor({ state: "detached" });
  assert.equal(await news.count(), before - 1);
  await context.close();
  await office.page.goto(`${here.world.gateway}/admin/refunds`);
  await here.shot(office, "refund-9-told");
});

test("a lost dispute is named on every page until finance decides by keyboard", async () => {
  const stripe = (method, path) => fetch(`${here.world.stripe}${path}`, {
    method, headers: { authorization: `Bearer ${here.world.secretKey}` },
  }).then((answer) => answer.json());
  const office = await here.office();
  const { page } = office;
  await page.goto(`${here.world.gateway}/admin/charges/new`);
  await page.locator("input[name=reference]").fill("D-1");
  await page.locator("input[name=for]").first().fill("Parking without permit");
  await page.locator("input[name=amount]").first().fill("65.00");
  await page.getByRole("button", { name: "Add the charge" }).press("Enter");
  const found = await here.handheld.ask("search D-1");
  assert.equal(found.charges.length, 1);
  const held = await here.handheld.ask("charge D-1 STRIPE");
  const { pay_address } = await here.handheld.ask(`wait ${held.payment_id} sent`);
  const payer = await here.payer();
  await payer.open(pay_address);
  await (await payer.pressPay()).pay(DISPUTED_CARD);
  await payer.receipt();
  const [dispute] = await eventually(async () => (await stripe("GET", "/v1/disputes")).data, (all) => all.length > 0);
  await stripe("POST", `/v1/disputes/${dispute.id}/close`);

  await eventually(async () => {
    await page.goto(`${here.world.gateway}/admin/refunds`);
    return page.locator('tr[data-status="dispute_lost"]').count();
  }, (count) => count === 1);
  assert.ok(await page.getByRole("link", { name: /^Refunds \d+ new$/ }).isVisible(), "what a screen reader says");
  await here.shot(office, "loss-1-list");
  await page.goto(`${here.world.gateway}/admin/charges?find=D-1`);
  await here.shot(office, "loss-2-charges");
  await page.getByRole("link", { name: "Decide what becomes of D-1" }).press("Enter");
  const loss = page.getByRole("region", { name: "Dispute lost" });
  await loss.waitFor();
  await here.shot(office, "loss-3-payment");
  const tick = loss.getByRole("checkbox", { name: /Owed again/ });
  await tick.press("Space");
  assert.ok(await tick.isChecked());
  await loss.getByRole("button", { name: "Decide" }).press("Enter");
  await loss.waitFor({ state: "detached" });
  await page.goto(`${here.world.gateway}/admin/charges?find=D-1`);
  await page.getByText("Owed again:").waitFor();
  await page.getByRole("link", { name: /taken back by the bank/ }).waitFor();
  await here.shot(office, "loss-4-owed-again");
});
