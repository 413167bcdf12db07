// Getting in and out, by keyboard alone: the first link, a password, slips, the lock, and back to the page one was on.
import assert from "node:assert/strict";
import { test } from "node:test";

import { PHONE } from "./lib/chromium.mjs";
import { fixture } from "./lib/fixture.mjs";
import { isFocused, press, tabTo, type } from "./lib/keyboard.mjs";
import { isSound } from "./lib/sound.mjs";

const here = fixture();
const NAME = "administrator";
const PASSWORD = "three green lamps";

const button = (page, name) => page.getByRole("button", { name, exact: true });
const at = (path) => `${here.world.gateway}${path}`;

/** Somebody at a desk, with nothing but a keyboard. */
async function person(device = undefined) {
  return device ? here.browser.person(device) : (await here.visitor()).page;
}

async function tryIn(page, password) {
  await type(page, page.getByLabel("Name"), NAME);
  await type(page, page.getByLabel("Password"), password);
  await page.keyboard.press("Enter");
}

async function shot(page, name) {
  await isSound(page, name);
  await here.browser.shot(page, name);
}

test("the first link opens the office, a password is chosen, and the way out is found", async () => {
  const page = await person();
  await page.goto(await here.world.signInLink());
  await shot(page, "sign-in-1-link");
  await press(page, button(page, "Sign in"));
  await page.getByRole("heading", { name: "Recent Payments" }).waitFor();
  await shot(page, "sign-in-2-first");
  await press(page, page.getByRole("link", { name: "Choose one now" }));
  await page.getByRole("heading", { name: "Choose a password" }).waitFor();
  const [fresh, again] = [page.getByLabel("New password", { exact: true }), page.getByLabel("New password again")];
  await type(page, fresh, PASSWORD);
  await type(page, again, "three green lambs");
  await page.keyboard.press("Enter");
  await page.locator("#again-error").getByText("does not match").waitFor();
  assert.ok(await isFocused(again), "the focus is not where the slip is");
  await shot(page, "sign-in-3-slip");
  await page.keyboard.press("Shift+Tab");
  await type(page, fresh, PASSWORD);
  await type(page, again, PASSWORD);
  await page.keyboard.press("Enter");
  await page.getByText("Sign in with your name and this password from now on").waitFor();
  assert.ok(await isFocused(page.locator("[data-news]")), "the news are not led to");
  await shot(page, "sign-in-4-saved");
  await page.keyboard.press("Shift+Tab");
  await press(page, button(page, "Sign out"));
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  await page.goto(at("/admin/payments"));
  assert.equal(await page.getByRole("heading", { name: "Recent Payments" }).count(), 0);
});

test("a wrong password is said beside its field, and the right one gets in", async () => {
  const page = await person();
  await page.goto(at("/sign-in"));
  assert.ok(await isFocused(page.getByLabel("Name")), "one has to look for the first field");
  await shot(page, "sign-in-5-form");
  await tryIn(page, "three red lamps");
  await page.locator("#error").getByText("do not fit").waitFor();
  assert.ok(await isFocused(page.getByLabel("Password")));
  assert.equal(await page.getByLabel("Name").inputValue(), NAME, "the name is gone");
  await shot(page, "sign-in-6-wrong");
  await page.keyboard.type(PASSWORD);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Recent Payments" }).waitFor();
});

test("whoever's session is over comes back to their page, or to the form they sent", async () => {
  const page = await person();
  await page.goto(at("/sign-in"));
  await tryIn(page, PASSWORD);
  await page.getByRole("heading", { name: "Recent Payments" }).waitFor();
  await page.context().clearCookies();
  await page.goto(at("/admin/charges?find=robin"));
  await page.getByText("You are not signed in").waitFor();
  await shot(page, "sign-in-7-on-the-way");
  // A slip on the way does not forget the way.
  await tryIn(page, "three red lamps");
  await page.locator("#error").waitFor();
  await page.keyboard.type(PASSWORD);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Charges" }).waitFor();
  assert.equal(page.url(), at("/admin/charges?find=robin"));

  await page.goto(at("/admin/users"));
  await page.getByRole("textbox", { name: "Name" }).fill("Nobody");
  await page.context().clearCookies();
  await page.getByRole("button", { name: "Add and make a link" }).press("Enter");
  await page.getByText("You were signed out, and nothing was changed").waitFor();
  await tryIn(page, PASSWORD);
  await page.getByRole("heading", { name: "Users", exact: true }).waitFor();
  assert.equal(await page.getByText("Nobody").count(), 0);
});

test("a list that the session no longer follows says so", async () => {
  const page = await person();
  await page.route("**/payments/live*", (route) => route.fulfill({ status: 401 }));
  await page.goto(at("/sign-in"));
  await tryIn(page, PASSWORD);
  await page.getByRole("alert").getByText("no longer changes by itself").waitFor();
  await shot(page, "sign-in-8-stands-still");
});

test("five wrong passwords lock the door in words, and a link opens it", async () => {
  const page = await person(PHONE);
  await page.goto(at("/sign-in"));
  await shot(page, "sign-in-9-phone");
  for (let slip = 0; slip < 5; slip += 1) {
    await tryIn(page, `three red lamps ${slip}`);
    await page.locator("#error").waitFor();
  }
  await tryIn(page, PASSWORD);
  await page.locator("#error").getByText("Wait 15 minutes").waitFor();
  await shot(page, "sign-in-10-locked-phone");
  await page.goto(await here.world.signInLink());
  await tabTo(page, button(page, "Sign in"));
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Recent Payments" }).waitFor();
  await shot(page, "sign-in-11-office-phone");
});
