// "Test your endpoint": the commands on the page are copied by their buttons and really run, against the stand-in.
import assert from "node:assert/strict";
import { test } from "node:test";

import { output } from "../../scripts/lib/programs.mjs";
import { fixture } from "./lib/fixture.mjs";
import { press } from "./lib/keyboard.mjs";
import { isSound } from "./lib/sound.mjs";

const here = fixture();

async function deliveries() {
  const { page } = await here.office();
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await page.goto(`${here.world.gateway}/admin/deliveries`);
  return page;
}

/** What a press of that button puts on the clipboard. */
async function copied(page, name) {
  await page.evaluate(() => navigator.clipboard.writeText(""));
  await press(page, page.getByRole("button", { name: `Copy ${name}`, exact: true }));
  await page.waitForFunction(async () => await navigator.clipboard.readText() !== "");
  return page.evaluate(() => navigator.clipboard.readText());
}

/** Stripe's command in the words of the stand-in, whose flags are the same. */
function atStandIn(command) {
  const words = command.split(" ");
  assert.equal(words.shift(), "stripe");
  assert.ok(["listen", "trigger"].includes(words[0]), `stripe ${words[0]} is no command that the page should print`);
  return ["sandbox", ...words, "--sandbox", here.world.stripe];
}

const ours = (command) => command.split(" ").slice(1);

test("every command is copied whole by its button", async () => {
  const page = await deliveries();
  const printed = await page.locator("pre[data-copy]").allInnerTexts();
  assert.equal(printed.length, 7);
  const names = await page.locator("pre[data-copy]").evaluateAll((all) => all.map((it) => it.dataset.copy));
  assert.equal(new Set(names).size, names.length, "two buttons have one name");
  for (const [number, name] of names.entries()) {
    assert.equal(await copied(page, name), printed[number].trim());
  }
  assert.ok(printed.every((command) => !command.includes("\n")), "a command of two lines runs half when it is pasted");
  await isSound(page, "deliveries with commands");
  await here.browser.shot(page, "commands-1-copied");
});

for (const [who, listens, triggers, words] of [
  ["the stand-in's own", "the stand-in's command that listens", ["the stand-in's command for a payment", "the stand-in's command for a decline"], ours],
  ["Stripe's", "the command that listens", ["the command for a payment", "the command for a decline"], atStandIn],
]) {
  test(`${who} commands deliver an event that is shown, signed with the secret they print`, async () => {
    const page = await deliveries();
    const listener = here.world.launch(`listen-${who.length}`, words(await copied(page, listens)));
    const [secret] = await listener.line(/whsec_\w+/);
    await page.getByLabel(/stripe listen/).fill(secret);
    await page.getByRole("button", { name: "Take this secret for a day" }).click();
    await page.getByText("The Stripe CLI's; it ends by itself").first().waitFor();
    const byListener = page.locator("tbody[data-live-list] tr").filter({ hasText: "Stripe CLI" });
    for (const name of triggers) {
      const command = await copied(page, name);
      const alike = byListener.filter({ hasText: command.match(/trigger (\S+)/)[1] });
      const before = await alike.count();
      await output(here.world.holdfast, words(command));
      await alike.nth(before).waitFor();
      assert.match(await alike.first().innerText(), /200/);
    }
    await here.browser.shot(page, `commands-2-${who.length}`);
    await listener.stop();
  });
}

test("where the browser gives no clipboard the command is selected instead", async () => {
  const { page } = await here.office();
  await page.addInitScript(() => Object.defineProperty(navigator, "clipboard", { value: undefined }));
  await page.goto(`${here.world.gateway}/admin/deliveries`);
  await page.getByRole("button", { name: "Copy the command for a payment", exact: true }).click();
  await page.getByText("Selected: press Ctrl+C").first().waitFor();
  assert.equal(await page.evaluate(() => window.getSelection().toString().trim()), "stripe trigger checkout.session.completed");
});
