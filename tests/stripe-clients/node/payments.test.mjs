// PaymentIntents, payment methods, customers and Checkout Sessions by Stripe's Node library.
import assert from "node:assert/strict";
import { test } from "node:test";
import { fixture } from "./sandbox.mjs";

const here = fixture();

// Card, code, decline code, param, advice: the decline table of Stripe's test mode.
const DECLINES = [
  ["visa_chargeDeclined", "card_declined", "generic_decline", undefined, "try_again_later"],
  ["visa_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds", undefined, "try_again_later"],
  ["visa_chargeDeclinedLostCard", "card_declined", "lost_card", undefined, "do_not_try_again"],
  ["visa_chargeDeclinedStolenCard", "card_declined", "stolen_card", undefined, "do_not_try_again"],
  ["chargeDeclinedExpiredCard", "expired_card", undefined, "exp_month", "confirm_card_data"],
  ["chargeDeclinedIncorrectCvc", "incorrect_cvc", undefined, "cvc", "confirm_card_data"],
  ["chargeDeclinedProcessingError", "processing_error", undefined, undefined, "try_again_later"],
];

test("a PaymentIntent is made, changed, confirmed, captured, canceled and listed", async () => {
  const calls = here.stripe.paymentIntents;
  const made = await calls.create({ amount: 1000, currency: "usd", payment_method_types: ["card"], metadata: { a: "b" } });
  assert.equal((await calls.update(made.id, { amount: 1200 })).amount, 1200);
  const paid = await calls.confirm(made.id, { payment_method: "pm_card_visa", expand: ["latest_charge.balance_transaction"] });
  assert.deepEqual([paid.status, paid.latest_charge.balance_transaction.net], ["succeeded", 1135]);
  assert.equal((await calls.retrieve(made.id)).amount_received, 1200);
  const held = await here.charge("visa", { capture_method: "manual" });
  assert.equal((await calls.capture(held.id, { amount_to_capture: 700 })).amount_received, 700);
  const other = await here.charge("visa", { capture_method: "manual" });
  assert.equal((await calls.cancel(other.id)).status, "canceled");
  const listed = [];
  for await (const intent of calls.list({ limit: 1 })) {
    listed.push(intent.id);
  }
  assert.deepEqual(listed, [other.id, held.id, made.id]);
});

test("each decline is a card error with its codes", async () => {
  for (const [card, code, declineCode, param, advice] of DECLINES) {
    const error = await here.charge(card).catch((caught) => caught);
    assert.equal(error.type, "StripeCardError", card);
    assert.deepEqual([error.statusCode, error.code, error.raw.decline_code, error.param], [402, code, declineCode, param], card);
    assert.equal(error.raw.advice_code, advice, card);
    assert.equal(error.payment_intent.status, "requires_payment_method", card);
  }
});

test("a payment method belongs to a customer until it is detached", async () => {
  const { customers, paymentMethods } = here.stripe;
  const customer = await customers.create({ email: "ada@example.com" });
  assert.equal((await customers.update(customer.id, { name: "Ada" })).name, "Ada");
  const method = await paymentMethods.create({ type: "card", card: { token: "tok_amex" } });
  await paymentMethods.attach(method.id, { customer: customer.id });
  assert.deepEqual((await customers.listPaymentMethods(customer.id)).data.map((it) => it.card.brand), ["amex"]);
  assert.equal((await paymentMethods.list({ customer: customer.id })).data.length, 1);
  assert.equal((await paymentMethods.retrieve(method.id)).customer, customer.id);
  assert.equal((await paymentMethods.detach(method.id)).customer, null);
  assert.equal((await customers.list({ email: "ada@example.com" })).data.length, 1);
  assert.equal((await customers.retrieve(customer.id)).name, "Ada");
  assert.equal((await customers.del(customer.id)).deleted, true);
});

test("a session is paid on its page, listed, and another expired", async () => {
  const { sessions } = here.stripe.checkout;
  const product = await here.stripe.products.create({ name: "Permit" });
  const price = await here.stripe.prices.create({ product: product.id, currency: "usd", unit_amount: 700 });
  assert.equal((await here.stripe.prices.retrieve(price.id, { expand: ["product"] })).product.name, "Permit");
  assert.equal((await here.stripe.products.retrieve(product.id)).id, product.id);
  assert.deepEqual((await here.stripe.prices.list({ product: product.id })).data.map((it) => it.id), [price.id]);
  assert.equal((await here.stripe.products.list()).data.length, 1);
  const create = () => sessions.create({
    mode: "payment", line_items: [{ price: price.id, quantity: 2 }], success_url: "https://example.com/?id={CHECKOUT_SESSION_ID}",
  });
  const made = await create();
  const answer = await here.pay(made.url, "4242 4242 4242 4242");
  assert.equal(answer.headers.get("location"), `https://example.com/?id=${made.id}`);
  const paid = await sessions.retrieve(made.id, { expand: ["payment_intent", "line_items"] });
  assert.deepEqual([paid.status, paid.payment_intent.amount_received], ["complete", 1400]);
  assert.deepEqual((await sessions.listLineItems(made.id)).data, paid.line_items.data);
  assert.equal((await sessions.expire((await create()).id)).status, "expired");
  assert.deepEqual((await sessions.list({ status: "complete" })).data.map((it) => it.id), [made.id]);
});
