// A cash payment's own page: its provisional receipt, where the cash is, and nothing of Stripe's.
import assert from "node:assert/strict";
import { test } from "node:test";

import { fixture } from "./lib/fixture.mjs";
import { press, type } from "./lib/keyboard.mjs";
import { isSound } from "./lib/sound.mjs";

const here = fixture();
// How long a handheld may take to bring an order, on a busy machine.
const APPEARS_MS_MAX = 30_000;
const at = (path) => `${here.world.gateway}${path}`;

async function shot(page, name) {
  await isSound(page, name);
  await here.browser.shot(page, name);
}

async function owed(page, reference) {
  await page.goto(at("/admin/charges/new"));
  await page.locator("input[name=reference]").fill(reference);
  await page.locator("input[name=for]").first().fill("Parking without permit");
  await page.locator("input[name=amount]").first().fill("65.00");
  await page.getByRole("button", { name: "Add the charge" }).click();
  await page.getByText(reference).first().waitFor();
}

async function taken(reference) {
  await here.handheld.ask("refresh");
  await here.handheld.ask(`search ${reference}`);
  const held = await here.handheld.ask(`charge ${reference} CASH`);
  await here.handheld.ask(`wait-receipt ${held.payment_id}`);
  return held;
}

/** Opens the payment and expects those words about its cash. */
async function says(page, held, words) {
  await page.goto(at(`/admin/payments/${held.payment_id}`));
  await page.locator("#cash").getByText(words).waitFor();
  const text = await page.locator("main").innerText();
  assert.ok(text.includes(held.provisional_receipt), "the number that the payer has is not there");
  assert.ok(!text.includes("Stripe"), `Stripe has no part in it: ${text}`);
  assert.equal(await page.getByRole("link", { name: "Refund Payment" }).count(), 0);
}

test("cash with the officer, given back, and handed in, each in words", async () => {
  const { page } = await here.office();
  await page.goto(at("/admin/types/new"));
  await page.locator("input[name=code]").fill("CASH");
  await page.getByLabel("Name, as officers").fill("Cash");
  await page.getByLabel("Provider").selectOption("cash");
  await page.getByRole("button", { name: "Add the type" }).click();
  await page.getByText("provisional receipt number").waitFor();
  await owed(page, "N-1");
  await owed(page, "N-2");
  const [kept, back] = [await taken("N-1"), await taken("N-2")];

  await says(page, kept, "The officer has it; it counts in their open shift.");
  await here.shotEverywhere(page, "cash-4-officer");
  const form = await page.goto(at(`/admin/payments/${kept.payment_id}/refund`));
  assert.equal(form.status(), 200);
  await page.getByText("Cash goes back by hand").waitFor();
  await shot(page, "cash-6-no-refund");

  await page.goto(at(`/admin/payments/${back.payment_id}`));
  await press(page, page.locator("#cash").getByRole("link", { name: "Cash" }));
  const row = page.locator("tr").filter({ hasText: back.provisional_receipt });
  await row.locator("summary").click();
  await here.shotEverywhere(page, "cash-5-void");
  await type(page, row.getByLabel("Why"), "the payer paid by card");
  await page.keyboard.press("Enter");
  await row.getByText("Voided").waitFor();
  await says(page, back, "Voided: the cash was given back to the payer");
  await shot(page, "cash-7-voided");

  await page.goto(at("/admin/cash"));
  assert.equal((await page.locator(".amount").first().innerText()).trim(), "USD 65.00", "the end-of-shift total");
  await shot(page, "cash-8-shift");
  await type(page, page.getByLabel("Counted"), "65.00");
  await press(page, page.getByRole("button", { name: /Close the shift/ }));
  await page.getByRole("heading", { name: "Handed in" }).waitFor();
  await says(page, kept, "Counted and handed in with shift 1");
  await shot(page, "cash-9-handed-in");
});

test("cash whose order is refused waits for somebody, in sight on every page", async () => {
  const { page } = await here.office();
  await owed(page, "N-3");
  await here.handheld.ask("refresh");
  await here.handheld.ask("search N-3");
  await here.handheld.ask("radio off");
  const held = await here.handheld.ask("charge N-3 CASH");
  // Meanwhile a clerk corrects what is owed.
  await page.goto(at("/admin/charges/N-3"));
  await page.locator("input[name=amount]").first().fill("70.00");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("Saved.").waitFor();
  await here.handheld.ask("radio on");

  const row = page.locator("tr").filter({ hasText: held.provisional_receipt });
  await appears(page, "/admin/cash", row);
  assert.match(await row.innerText(), /is owed, not USD 65\.00/);
  await here.shotEverywhere(page, "cash-10-refused");
  await type(page, row.getByRole("textbox"), "Given back to the payer");
  await page.keyboard.press("Enter");
  await row.getByText("Given back to the payer").waitFor();
  await here.shotEverywhere(page, "cash-11-handled");
});

/** Opens the page until that is on it. */
async function appears(page, path, what) {
  for (const deadline = Date.now() + APPEARS_MS_MAX; ;) {
    await page.goto(at(path));
    if (await what.count()) {
      return;
    }
    assert.ok(Date.now() < deadline, `it does not appear on ${path}`);
    await page.waitForTimeout(200);
  }
}
