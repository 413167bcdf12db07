// Money back, the books, webhooks and refusals by Stripe's Node library.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Endpoint, fixture } from "./sandbox.mjs";

const here = fixture();

test("refunds are made, noted, listed, and some fail later", async () => {
  const { refunds } = here.stripe;
  const paid = await here.charge("refundFail");
  const made = await refunds.create({ payment_intent: paid.id, amount: 500 });
  assert.equal((await refunds.update(made.id, { metadata: { why: "kind" } })).metadata.why, "kind");
  assert.deepEqual((await refunds.list({ charge: paid.latest_charge })).data.map((it) => it.id), [made.id]);
  await assert.rejects(refunds.create({ payment_intent: paid.id, amount: 1501 }), { param: "amount" });
  await assert.rejects(refunds.cancel(made.id), { type: "StripeInvalidRequestError" });
  await here.lever("clock", "POST", "advance_s=10");
  assert.equal((await refunds.retrieve(made.id)).status, "failed");
});

test("a refund that waits for the payer is canceled", async () => {
  const { refunds } = here.stripe;
  const paid = await here.charge();
  const made = await refunds.create({ payment_intent: paid.id, instructions_email: "sam@example.com" });
  assert.deepEqual([made.status, made.next_action.display_details.email_sent.email_sent_to], ["requires_action", "sam@example.com"]);
  assert.equal((await refunds.cancel(made.id)).status, "canceled");
  await assert.rejects(refunds.cancel(made.id), { type: "StripeInvalidRequestError", message: /status of canceled/ });
});

test("a dispute is lost when it is given up", async () => {
  const paid = await here.charge("createDispute");
  await here.lever("clock", "POST", "advance_s=10");
  const [dispute] = (await here.stripe.disputes.list({ charge: paid.latest_charge })).data;
  assert.equal((await here.stripe.disputes.retrieve(dispute.id)).status, "needs_response");
  assert.equal((await here.stripe.disputes.close(dispute.id)).status, "lost");
});

test("charges, books and account are there to be read", async () => {
  const paid = await here.charge();
  const charge = await here.stripe.charges.retrieve(paid.latest_charge);
  assert.equal((await here.stripe.charges.list({ payment_intent: paid.id })).data[0].id, charge.id);
  const entry = await here.stripe.balanceTransactions.retrieve(charge.balance_transaction);
  assert.equal((await here.stripe.balanceTransactions.list({ source: charge.id })).data[0].id, entry.id);
  assert.equal((await here.stripe.balance.retrieve()).object, "balance");
  assert.ok((await here.stripe.accounts.retrieveCurrent()).id.startsWith("acct_"));
});

test("a delivery is verified by the library, and a foreign secret found out", async (t) => {
  const endpoint = await Endpoint.start();
  t.after(() => endpoint.stop());
  const calls = here.stripe.webhookEndpoints;
  const made = await calls.create({ url: endpoint.url, enabled_events: ["payment_intent.succeeded"] });
  const paid = await here.charge();
  const event = await endpoint.next(here.stripe, made.secret);
  assert.equal(event.data.object.id, paid.id);
  assert.equal((await here.stripe.events.retrieve(event.id)).type, "payment_intent.succeeded");
  assert.equal((await here.stripe.events.list({ type: "payment_intent.succeeded", limit: 1 })).data[0].id, event.id);
  const hour = Math.floor(Date.now() / 1000) - 3600;
  assert.ok((await here.stripe.events.list({ types: ["charge.succeeded"], created: { gte: hour } })).data.length > 0);
  await here.charge();
  await assert.rejects(endpoint.next(here.stripe, "whsec_foreign"), { type: "StripeSignatureVerificationError" });
  assert.equal((await calls.update(made.id, { disabled: true })).status, "disabled");
  assert.equal((await calls.retrieve(made.id)).secret, undefined);
  assert.equal((await calls.list()).data.length, 1);
  assert.equal((await calls.del(made.id)).deleted, true);
});

test("refusals are the library's own errors", async () => {
  const charges = (key) => here.client(key).charges.list();
  await assert.rejects(charges(["sk", "live", "node1234567890"].join("_")), { type: "StripeAuthenticationError", statusCode: 401 });
  await assert.rejects(here.stripe.charges.retrieve("ch_none"), { code: "resource_missing", statusCode: 404 });
  await assert.rejects(here.charge("visa", { colour: "red" }), { code: "parameter_unknown", param: "colour" });
  const first = await here.charge("visa", {}, { idempotencyKey: "node-1" });
  const again = await here.charge("visa", {}, { idempotencyKey: "node-1" });
  assert.deepEqual([again.id, again.lastResponse.headers["idempotent-replayed"]], [first.id, "true"]);
  const other = here.charge("visa", { amount: 2001 }, { idempotencyKey: "node-1" });
  await assert.rejects(other, { type: "StripeIdempotencyError" });
});

test("the library tries again through a storm, and nothing is doubled", async () => {
  const patient = here.client("sk_test_node", { maxNetworkRetries: 2 });
  for (const rule of ["POST 409 x1", "POST 500 x1", "POST drop-after x1"]) {
    await here.lever("faults", "PUT", rule);
    const before = await here.stripe.paymentIntents.list({ limit: 100 });
    await patient.paymentIntents.create({ amount: 1000, currency: "usd" });
    const after = await here.stripe.paymentIntents.list({ limit: 100 });
    assert.equal(after.data.length, before.data.length + 1, rule);
  }
  await here.lever("faults", "PUT", "429");
  await assert.rejects(here.stripe.charges.list(), { type: "StripeRateLimitError" });
  await here.lever("faults", "DELETE");
});
