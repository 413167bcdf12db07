// The payer's and the office's part of one unattended payment: reads the pay address off the handheld, pays in a real
// browser, and makes sure that there is exactly one order and that everybody reads the same of it.
import assert from "node:assert/strict";

import { Browser, DESK, PHONE } from "./chromium.mjs";
import { OfficePages, PayerPages } from "./pages.mjs";

const GOOD_CARD = "4242 4242 4242 4242";

/** The receipt that payer, handheld and office agree on; throws when they do not. */
export async function payOnce({ world, screens, shots }) {
  const browser = await Browser.open(shots);
  try {
    const [, payAddress] = await screens.line(/^pay address (\S+)/);
    const onPage = await pay(browser, payAddress);
    const onHandheld = await readHandheld(screens);
    assert.deepEqual(onPage, onHandheld, "payer and handheld read different receipts");
    await expectOneOrder(browser, await world.signInLink(), onPage);
    return onPage;
  } finally {
    await browser.close();
  }
}

async function pay(browser, payAddress) {
  const payer = new PayerPages(await browser.person(PHONE));
  await payer.open(payAddress);
  await browser.shot(payer.page, "payer-1-to-pay");
  const stripe = await payer.pressPay();
  await stripe.fill(GOOD_CARD);
  await browser.shot(payer.page, "payer-2-stripe");
  await stripe.submit();
  const receipt = await payer.receipt();
  await browser.shot(payer.page, "payer-3-paid");
  return receipt;
}

async function readHandheld(screens) {
  const said = async (pattern) => (await screens.line(pattern)).at(1);
  const receipt = {
    receipt_order_id: await said(/^receipt order ID (\S+)/),
    confirm_code: await said(/^confirm code (\S+)/),
    state: (await said(/^state (\S+)/)).replace("paid", "Paid"),
  };
  await screens.ended;
  assert.equal(screens.how, "exit status 0", "the handheld did not end well");
  return receipt;
}

async function expectOneOrder(browser, signInLink, receipt) {
  const office = new OfficePages(await browser.person(DESK));
  await office.signIn(signInLink);
  await browser.shot(office.page, "office-1-payments");
  assert.equal(await office.paidRows(receipt.receipt_order_id), 1, "the office does not list exactly one order");
  assert.equal(await office.rows(), 1, "the office lists more than this payment");
}
