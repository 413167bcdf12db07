// A charge whose payment is refunded: owed again, or canceled with the refund; at a desk and on a phone.
import assert from "node:assert/strict";
import { test } from "node:test";

import { fixture } from "./lib/fixture.mjs";

const here = fixture();
const GOOD_CARD = "4242 4242 4242 4242";
const at = (path) => `${here.world.gateway}${path}`;

/** The charge is added, held for, and paid by card. */
async function settled(page, reference) {
  await page.goto(at("/admin/charges/new"));
  await page.locator("input[name=reference]").fill(reference);
  await page.locator("input[name=for]").first().fill("Parking without permit");
  await page.locator("input[name=amount]").first().fill("65.00");
  await page.getByRole("button", { name: "Add the charge" }).click();
  await page.getByText(reference).first().waitFor();
  await here.handheld.ask("refresh");
  await here.handheld.ask(`search ${reference}`);
  const { payment_id } = await here.handheld.ask(`charge ${reference} STRIPE`);
  const { pay_address } = await here.handheld.ask(`wait ${payment_id} sent`);
  const payer = await here.payer();
  await payer.open(pay_address);
  await (await payer.pressPay()).pay(GOOD_CARD);
  await payer.receipt();
  return payment_id;
}

async function refunded(page) {
  await page.getByRole("button", { name: "Confirm Refund" }).click();
  await page.locator('#standing [data-state="refunded"]').waitFor();
}

test("a charge is owed again once all of its money went back", async () => {
  const { page } = await here.office();
  const payment = await settled(page, "N-1");
  await page.goto(at(`/admin/payments/${payment}/refund`));
  await page.getByText("What becomes of N-1").waitFor();
  await here.shotEverywhere(page, "owed-1-refund-form");
  await refunded(page);
  await page.goto(at("/admin/charges/N-1"));
  await page.getByText("Owed again: refunded on").waitFor();
  await here.shotEverywhere(page, "owed-2-charge");
  await page.goto(at("/admin/charges"));
  assert.match(await page.locator("tr").filter({ hasText: "N-1" }).innerText(), /Owed again/);
  await here.shotEverywhere(page, "owed-3-list");
});

test("with the tick it is canceled instead, and nobody owes it", async () => {
  const { page } = await here.office();
  const payment = await settled(page, "N-2");
  await page.goto(at(`/admin/payments/${payment}/refund`));
  await page.getByRole("checkbox", { name: /Cancel it instead/ }).check();
  await refunded(page);
  await page.goto(at("/admin/charges/N-2"));
  assert.equal(await page.getByText("Owed again").count(), 0);
  await page.getByText("Withdrawn: Canceled, and its payment refunded (its payment)").waitFor();
  assert.equal(await page.locator("input:enabled:not([type=hidden])").count(), 0, "what is withdrawn is not edited");
  await here.shotEverywhere(page, "owed-4-canceled");
});
