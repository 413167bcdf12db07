// Live Mode from off to open for everyone, as an administrator goes through it: each step names what is missing and where
// it is done, the trial is for named officers and small sums, and the first real payment opens it.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { PHONE } from "./lib/chromium.mjs";
import { Rehearsal, fixture } from "./lib/fixture.mjs";
import { press } from "./lib/keyboard.mjs";
import { isSound } from "./lib/sound.mjs";

const here = fixture(Rehearsal);
const GOOD_CARD = "4242 4242 4242 4242";
const LIVE_KEY = ["sk", "live", "51OfTheRehearsalAbcd"].join("_");
const STEPS = ["Take a payment in test mode", "Press Verify webhook", "Refund a payment", "Enter the live Secret Key", "Enter the live Webhook Secret"];

const button = (page, name) => page.getByRole("button", { name, exact: true });
const at = (path) => `${here.world.gateway}${path}`;

async function guide(page) {
  await page.goto(at("/admin/types/STRIPE/live"));
  await page.getByRole("heading", { name: "Live Mode of Online Payment" }).waitFor();
}

/** The guide says that these are done, and of each other one how and where it is done. */
async function isDone(page, done, name) {
  await guide(page);
  const steps = await page.getByRole("list", { name: "Steps" }).locator("> li").allInnerTexts();
  assert.equal(steps.length, STEPS.length);
  for (const [number, words] of STEPS.entries()) {
    assert.ok(steps[number].includes(words), `${words} is not step ${number + 1}`);
    assert.equal(steps[number].includes("done"), done.includes(number + 1), steps[number]);
    const link = page.getByRole("list", { name: "Steps" }).locator("> li").nth(number).getByRole("link");
    assert.equal(await link.count(), done.includes(number + 1) ? 0 : 1, `step ${number + 1} does not lead on`);
  }
  const mayBegin = done.length === STEPS.length;
  assert.equal(await button(page, "Begin the trial").count(), mayBegin ? 1 : 0);
  await isSound(page, name);
  await here.browser.shot(page, name);
}

async function pay(address) {
  const payer = await here.payer();
  await payer.open(address);
  await here.browser.shot(payer.page, "live-payer");
  await (await payer.pressPay()).pay(GOOD_CARD);
  await payer.receipt();
  return payer;
}

/** The catalogue with something small in it; the handheld has it. */
async function sellSmallThings() {
  const list = join(here.folder, "small.csv");
  writeFileSync(list, "id,name,price\n1,Overstayed meter,45.00\n2,Library fee,4.00\n");
  await here.world.command("catalogue", "load", list, "--tenant", "demo");
  await here.handheld.ask("refresh");
}

test("off by default, and each step is proven by itself once it is done", async () => {
  const { page } = await here.office();
  await isDone(page, [], "live-1-off");
  await page.getByText("0 of 5 steps are done").waitFor();

  const { payment_id, pay_address } = await here.handheld.holdAndSend();
  await pay(pay_address);
  await isDone(page, [1], "live-2-paid");

  await press(page, page.getByRole("link", { name: "Test keys" }));
  await press(page, page.locator("#keys-test").getByRole("button", { name: "Verify webhook" }));
  await page.getByText("Address, secret, mode and event types are right.").waitFor();
  await isDone(page, [1, 2], "live-3-verified");

  await page.goto(at(`/admin/payments/${payment_id}/refund`));
  await press(page, button(page, "Confirm Refund"));
  await page.locator('#standing [data-state="refunded"]').waitFor();
  await isDone(page, [1, 2, 3], "live-4-refunded");

  await page.getByRole("link", { name: "Live keys" }).first().click();
  await page.locator("#keys-live input[name=secret_key]").fill(LIVE_KEY);
  await press(page, button(page, "Save the live keys"));
  await page.locator("#keys-live").getByText("The keys are stored, encrypted").waitFor();
  await isDone(page, [1, 2, 3, 4], "live-5-key");

  await page.getByRole("link", { name: "Live keys" }).click();
  await press(page, page.locator("#keys-live").getByRole("button", { name: "Register the webhook" }));
  await page.getByText("Its secret is stored").waitFor();
  await isDone(page, [1, 2, 3, 4, 5], "live-6-proven");
  await page.getByText("Every step is done: the trial can begin.").waitFor();
});

test("the trial is for somebody, and for small sums", async () => {
  const { page } = await here.office();
  await guide(page);
  await press(page, button(page, "Begin the trial"));
  await page.getByRole("alert").getByText("Name at least one officer").waitFor();
  await isSound(page, "nobody named");
  await here.browser.shot(page, "live-7-nobody");
  await press(page, page.getByLabel("Ada Okafor"), "Space");
  await press(page, button(page, "Begin the trial"));
  await page.getByText("On trial").waitFor();
  await page.getByText("at most USD 5.00").waitFor();
  await isSound(page, "on trial");
  await here.browser.shot(page, "live-8-trial");

  await sellSmallThings();
  const { payment_id } = await here.handheld.ask("hold 1 1");
  await here.handheld.ask(`wait ${payment_id} needs_attention`);
  await page.goto(at("/admin/payments"));
  assert.equal(await page.locator(`#payment-${payment_id}`).count(), 0, "a large sum is taken");
});

test("the first real payment opens it to everyone, and off is off", async () => {
  const { page } = await here.office();
  const { payment_id, pay_address } = await here.handheld.holdAndSend(2);
  const payer = await pay(pay_address);
  assert.equal(await payer.page.getByText("TEST MODE").count(), 0, "real money is called a test");
  await page.goto(at("/admin/payments"));
  assert.match(await page.locator(`#payment-${payment_id}`).innerText(), /Live/);
  await guide(page);
  await page.getByText("On, for everyone").waitFor();
  await isSound(page, "on");
  await here.browser.shot(page, "live-9-on");
  const phone = await here.browser.person(PHONE);
  await phone.context().addCookies(await page.context().cookies());
  await guide(phone);
  await isSound(phone, "on, on a phone");
  await here.browser.shot(phone, "live-10-on-phone");
  await press(page, button(page, "Turn Live Mode off"));
  await page.getByText("Off", { exact: true }).waitFor();
  await page.goto(at("/admin/audit"));
  for (const act of ["live trial begun", "live mode off"]) {
    await page.getByText(act).first().waitFor();
  }
});
