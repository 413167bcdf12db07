// The administrator's pages: getting in, and a list that is always current.
import assert from "node:assert/strict";
import { test } from "node:test";

import { fixture } from "./lib/fixture.mjs";

const here = fixture();

test("without signing in there is nothing to see", async () => {
  const visitor = await here.visitor();
  const answer = await visitor.page.goto(`${here.world.gateway}/admin/payments`);
  assert.ok(answer.status() >= 400 || !visitor.page.url().endsWith("/admin/payments"), "the list is open to everybody");
  assert.equal(await visitor.page.locator("tbody tr").count(), 0);
  await here.shot(visitor, "office-1-signed-out");
});

test("the sign-in link works once", async () => {
  const office = await here.office();
  await here.shot(office, "office-2-signed-in");

  const second = await here.visitor();
  const answer = await second.page.goto(here.usedLink);
  if (answer.status() < 400) {
    await second.page.getByRole("button", { name: "Sign in" }).click();
  }
  await here.shot(second, "office-3-link-used");
  await second.page.goto(`${here.world.gateway}/admin/payments`);
  assert.equal(await second.page.getByRole("heading", { name: "Recent Payments" }).count(), 0);
});

test("a payment appears and becomes paid without a reload", async () => {
  const office = await here.office();
  await office.page.evaluate(() => { window.neverReloaded = true; });

  const { payment_id, pay_address } = await here.handheld.holdAndSend();
  await office.sees(payment_id, "sent");
  const payer = await here.payer();
  await payer.open(pay_address);
  const stripe = await payer.pressPay();
  await office.sees(payment_id, "waiting_for_card");
  await stripe.pay("4242 4242 4242 4242");
  await office.sees(payment_id, "paid");

  const { receipt_order_id } = await payer.receipt();
  assert.equal(await office.paidRows(receipt_order_id), 1);
  assert.equal(await office.page.evaluate(() => window.neverReloaded), true);
  assert.deepEqual(office.page.strangers, []);
  assert.equal(await office.page.locator("#waiting").isVisible(), false, "a button counts what does not wait");
  await here.shot(office, "office-4-paid");
});

test("the handhelds page names the handheld with its six digits", async () => {
  const office = await here.office();
  await office.page.getByRole("link", { name: "Handhelds" }).click();
  await office.page.getByText("Approved").waitFor();
  await here.shot(office, "office-5-handhelds");
});
