// The payer's way: from the pay address to the receipt, in a phone's browser.
import assert from "node:assert/strict";
import { test } from "node:test";

import { fixture } from "./lib/fixture.mjs";
import { StripePage } from "./lib/pages.mjs";

const here = fixture();
const GOOD_CARD = "4242 4242 4242 4242";
const POOR_CARD = "4000 0000 0000 9995";

test("a payer pays, and payer, handheld and office read the same receipt", async () => {
  const { payment_id, pay_address } = await here.handheld.holdAndSend();
  const payer = await here.payer();
  const sentToGateway = [];
  payer.page.on("request", (request) => {
    if (request.url().startsWith(here.world.gateway)) {
      sentToGateway.push(`${request.url()} ${request.postData() ?? ""}`);
    }
  });

  await payer.open(pay_address);
  await here.shot(payer, "payer-1-to-pay");
  const stripe = await payer.pressPay();
  await here.shot(payer, "payer-2-stripe");
  await stripe.pay(GOOD_CARD);
  const receipt = await payer.receipt();
  await here.shot(payer, "payer-3-paid");

  const onHandheld = await here.handheld.ask(`wait ${payment_id} paid`);
  assert.equal(receipt.state, "Paid");
  assert.equal(onHandheld.receipt_order_id, receipt.receipt_order_id);
  assert.equal(onHandheld.confirm_code, receipt.confirm_code);
  const office = await here.office();
  await office.sees(payment_id, "paid");
  assert.equal(await office.paidRows(receipt.receipt_order_id), 1);
  assert.deepEqual(payer.page.strangers, [], "a page asked another machine for something");
  assert.ok(!sentToGateway.some((it) => it.replaceAll(/[ +]|%20/g, "").includes("4242424242424242")),
    "the card number reached the gateway");
});

test("a declined card says why, and the same session takes another card", async () => {
  const { payment_id, pay_address } = await here.handheld.holdAndSend(2);
  const payer = await here.payer();
  await payer.open(pay_address);
  const stripe = await payer.pressPay();
  const session = payer.page.url();

  await stripe.pay(POOR_CARD);
  assert.match(await stripe.decline(), /funds/i);
  await here.shot(payer, "payer-4-declined");
  const declined = await here.handheld.ask(`wait ${payment_id} declined`);
  assert.equal(declined.decline, "Not enough funds. Ask for another card.");
  assert.equal(payer.page.url(), session);

  await stripe.pay(GOOD_CARD);
  assert.equal((await payer.receipt()).state, "Paid");
  await here.handheld.ask(`wait ${payment_id} paid`);
});

test("two browsers that press Pay at once share one session", async () => {
  const { pay_address } = await here.handheld.holdAndSend(3);
  const before = (await here.sessions()).length;
  const payers = await Promise.all([here.payer(), here.payer()]);
  await Promise.all(payers.map((payer) => payer.open(pay_address)));

  await Promise.all(payers.map((payer) => payer.pressPay()));

  const [left, right] = payers.map((payer) => payer.page.url());
  assert.equal(left, right);
  assert.equal((await here.sessions()).length, before + 1);
});

test("looking at a pay address changes nothing", async () => {
  const { payment_id, pay_address } = await here.handheld.holdAndSend(4);
  const office = await here.office();
  const before = await office.row(payment_id).innerHTML();
  const sessions = (await here.sessions()).length;

  const payer = await here.payer();
  await payer.open(pay_address);
  await payer.page.reload();
  await payer.open(pay_address.replace("/O/", "/o/"));

  assert.equal(await office.row(payment_id).innerHTML(), before);
  assert.equal((await here.sessions()).length, sessions);
  assert.equal((await here.handheld.ask(`wait ${payment_id} sent`)).state, "sent");
});

test("a payer who comes back early finds the payment still open", async () => {
  const { pay_address } = await here.handheld.holdAndSend(5);
  const payer = await here.payer();
  await payer.open(pay_address);
  await payer.pressPay();
  const session = payer.page.url();

  await payer.page.goto(pay_address);
  await payer.payButton().click();
  await StripePage.arrived(payer.page);

  assert.equal(payer.page.url(), session);
});

test("a browser without scripts pays as well", async () => {
  const { payment_id, pay_address } = await here.handheld.holdAndSend(6);
  const payer = await here.payer({ javaScriptEnabled: false });
  await payer.open(pay_address);
  const stripe = await payer.pressPay();
  await stripe.pay(GOOD_CARD);

  const receipt = await payer.receipt();
  const onHandheld = await here.handheld.ask(`wait ${payment_id} paid`);
  assert.equal(onHandheld.receipt_order_id, receipt.receipt_order_id);
});

test("a tampered pay address is refused in words, and leaves nothing", async () => {
  const { pay_address } = await here.handheld.holdAndSend(7);
  const office = await here.office();
  const rows = await office.rows();
  const [start, order] = pay_address.split("/O/");
  const middle = Math.floor(order.length / 2);
  const forged = order.slice(0, middle) + (order[middle] === "A" ? "B" : "A") + order.slice(middle + 1);

  const payer = await here.payer();
  const answer = await payer.page.goto(`${start}/O/${forged}`);

  assert.ok(answer.status() >= 400 && answer.status() < 500, `status ${answer.status()}`);
  assert.equal(await payer.payButton().count(), 0);
  await here.shot(payer, "payer-5-tampered");
  await office.page.reload();
  assert.equal(await office.rows(), rows);
});
