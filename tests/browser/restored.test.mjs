// After a restore every page of the office says how far asking Stripe has come, and what that means for payments.
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";

import { PHONE } from "./lib/chromium.mjs";
import { fixture } from "./lib/fixture.mjs";
import { isSound } from "./lib/sound.mjs";

const here = fixture();
const GOOD_CARD = "4242 4242 4242 4242";

async function pay() {
  const { pay_address } = await here.handheld.holdAndSend();
  const payer = await here.payer();
  await payer.open(pay_address);
  await (await payer.pressPay()).pay(GOOD_CARD);
  await payer.receipt();
}

async function shot(page, name) {
  await isSound(page, name);
  await here.browser.shot(page, name);
}

test("a restored gateway says so on every page, while it asks Stripe and until the orders are back", async () => {
  await pay();
  const backup = join(here.folder, "backup.db");
  await here.world.command("backup", backup);
  // Paid after the backup, by a handheld that stays away: the restored ledger knows nothing of it.
  await pay();
  await here.handheld.ask("radio off");
  // A Stripe that cannot be asked just now.
  const stripe = here.world.programs.find((program) => program.name === "sandbox");
  stripe.signal("SIGSTOP");
  await here.world.restored(backup);
  const { page } = await here.office();
  await page.goto(`${here.world.gateway}/admin/payments`);
  const notice = page.locator("#restored");
  await notice.getByText(/The gateway was restored from a backup on .* asking Stripe what happened since/).waitFor();
  await notice.getByText("payers get no new card page and no refund is sent").waitFor();
  await shot(page, "restored-1-asking");
  await page.goto(`${here.world.gateway}/admin/cash`);
  await notice.waitFor();

  stripe.signal("SIGCONT");
  await page.goto(`${here.world.gateway}/admin/payments`);
  for (let tries = 0; !(await notice.innerText()).includes("nobody has brought again yet"); tries += 1) {
    assert.ok(tries < 120, await notice.innerText());
    await page.waitForTimeout(500);
    await page.reload();
  }
  await shot(page, "restored-2-waiting");
  await page.setViewportSize(PHONE.viewport);
  await shot(page, "restored-3-phone");
});
