// An order that the handheld could not send, brought by the payer's phone: paid, or refused in words.
import assert from "node:assert/strict";
import { test } from "node:test";

import { fixture } from "./lib/fixture.mjs";

const here = fixture();
const GOOD_CARD = "4242 4242 4242 4242";
const DAY_S = 24 * 60 * 60;

/** Held without network. */
async function heldOffline(item) {
  await here.handheld.ask("radio off");
  const held = await here.handheld.ask(`hold ${item} 1`);
  assert.equal(held.state, "queued");
  return held;
}

/** The page says what happened and what to do, and takes no money. */
async function assertRefused(payAddress, words, name) {
  const payer = await here.payer();
  const answer = await payer.page.goto(payAddress);
  assert.ok(answer.status() >= 400 && answer.status() < 500, `status ${answer.status()}`);
  const text = await payer.page.locator("main").innerText();
  words.forEach((part) => assert.match(text, part));
  assert.equal(await payer.payButton().count(), 0);
  await here.shot(payer, name);
}

test("the payer brings an order that was held offline, pays, and the handheld learns of it", async () => {
  const { payment_id, pay_address } = await heldOffline(1);
  const payer = await here.payer();
  await payer.open(pay_address);
  const stripe = await payer.pressPay();
  await stripe.pay(GOOD_CARD);
  const receipt = await payer.receipt();
  assert.equal(receipt.state, "Paid");

  await here.handheld.ask("radio on");
  const known = await here.handheld.ask(`wait ${payment_id} paid`);
  assert.equal(known.receipt_order_id, receipt.receipt_order_id);
  assert.equal((await here.sessions()).length, 1);
});

test("an order past its lifetime gets a page that says to ask for a new one", async () => {
  const { payment_id } = await heldOffline(2);
  const aged = await here.handheld.ask(`aged ${payment_id} ${8 * DAY_S}`);
  await assertRefused(aged.pay_address, [/too old/i, /ask the officer/i], "carried-1-too-old");
});

test("an order of a revoked handheld takes no money until an administrator approves it", async () => {
  const { payment_id, pay_address } = await heldOffline(2);
  await here.world.command("handheld", "revoke", here.deviceId, "--tenant", "demo");
  const payer = await here.payer();
  await payer.open(pay_address);
  const text = await payer.page.locator("main").innerText();
  assert.match(text, /waits for the office's approval/i);
  assert.equal(await payer.payButton().count(), 0);
  await here.shot(payer, "carried-2-revoked");
  // The handheld hears of it as well, and a person acts.
  await here.handheld.ask("radio on");
  await here.handheld.ask(`wait ${payment_id} needs_attention`);

  const office = await here.office();
  await office.page.goto(`${here.world.gateway}/admin/payments/${payment_id}`);
  await office.page.getByRole("heading", { name: "Is this hold genuine?" }).waitFor();
  await here.shotEverywhere(office.page, "carried-3-approval");
  await office.page.getByRole("button", { name: "Approve" }).click();
  await office.page.locator('#standing [data-state="sent"]').waitFor();
  assert.equal(await office.page.getByRole("button", { name: "Approve" }).count(), 0);
  await here.shot(office, "carried-4-approved");
  await payer.open(pay_address);
  await (await payer.pressPay()).pay(GOOD_CARD);
  assert.equal((await payer.receipt()).state, "Paid");
});
