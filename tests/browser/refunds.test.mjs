// Money goes back: the payment's page, Confirm Refund, a second tab, and what finance is told.
import assert from "node:assert/strict";
import { test } from "node:test";

import { PHONE } from "./lib/chromium.mjs";
import { fixture } from "./lib/fixture.mjs";

const here = fixture();
const GOOD_CARD = "4242 4242 4242 4242";
// Refunds to this card succeed, and fail some days later.
const REFUND_FAILS_CARD = "4000 0000 0000 5126";

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
