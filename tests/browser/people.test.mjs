// Users: everybody gets in by a link of their own, sees what their role is for, and is gone when deactivated; the audit
// log says who did what.
import assert from "node:assert/strict";
import { test } from "node:test";

import { DESK, PHONE } from "./lib/chromium.mjs";
import { fixture } from "./lib/fixture.mjs";
import { isFocused, press, tabTo, type } from "./lib/keyboard.mjs";
import { isSound } from "./lib/sound.mjs";

const here = fixture();
const PASSWORD = "three green lamps";
const at = (path) => `${here.world.gateway}${path}`;
const button = (page, name) => page.getByRole("button", { name, exact: true });
const personOf = (page, name) => page.locator("tr[id^=person-]").filter({ hasText: name });

async function shot(page, name) {
  await isSound(page, name);
  await here.browser.shot(page, name);
}

async function users() {
  const { page } = await here.office();
  await page.goto(at("/admin/users"));
  return page;
}

/** Adds somebody by keyboard; the link that is theirs. */
async function add(page, name, role) {
  await type(page, page.getByRole("textbox", { name: "Name" }), name);
  const roles = page.locator("form[action=\"/admin/users\"] select");
  await tabTo(page, roles);
  await page.keyboard.type(role.slice(0, 3));
  assert.equal(await roles.inputValue(), role);
  await press(page, button(page, "Add and make a link"));
  await page.getByRole("heading", { name: `Give this link to ${name}` }).waitFor();
  assert.ok(await isFocused(page.locator("[data-news]")), "the link is not led to");
  return page.locator("#sign-in-link").innerText();
}

async function comeIn(link, device = DESK) {
  const theirs = await here.browser.person(device);
  await theirs.goto(link);
  await theirs.getByRole("button", { name: "Sign in" }).click();
  await theirs.getByRole("heading", { name: "Recent Payments" }).waitFor();
  return theirs;
}

async function choosePassword(theirs) {
  await theirs.goto(at("/admin/account"));
  await theirs.getByLabel("New password", { exact: true }).fill(PASSWORD);
  await theirs.getByLabel("New password again").fill(PASSWORD);
  await theirs.getByRole("button", { name: "Save the password" }).click();
  await theirs.getByText("Saved.").waitFor();
}

test("people of each role are added by keyboard and get in by their link", async () => {
  const page = await users();
  const fay = await comeIn(await add(page, "Fay Finance", "finance"));
  await choosePassword(fay);
  await shot(page, "people-1-link");
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await press(page, button(page, "Copy the link"));
  await page.getByText("Copied").first().waitFor();
  assert.match(await page.evaluate(() => navigator.clipboard.readText()), /\/sign-in\/\S+$/);
  await add(page, "Olu Officer", "officer");
  await add(page, "Ann Second", "administrator");
  await users();
  assert.equal(await page.locator("tr[id^=person-]").count(), 4);
  await type(page, page.getByRole("textbox", { name: "Name" }), "fay finance");
  await press(page, button(page, "Add and make a link"));
  await page.locator("#name-error").getByText("has this name already").waitFor();
  assert.ok(await isFocused(page.getByRole("textbox", { name: "Name" })));
  await shot(page, "people-2-taken");

  // What is for administrators says so, in words, to whoever finds its address.
  for (const path of ["/admin/users", "/admin/types", "/admin/types/STRIPE", "/admin/types/STRIPE/live", "/admin/handhelds"]) {
    assert.equal((await fay.goto(at(path))).status(), 403, path);
    await fay.getByText("You are signed in as finance, which may not do this.").waitFor();
  }
  await shot(fay, "people-3-not-for-finance");
  await fay.context().close();
});

test("a lost password is reset, and another one chosen", async () => {
  const page = await users();
  await press(page, button(page, "Reset the password of Fay Finance"));
  await page.getByRole("heading", { name: "Give this link to Fay Finance" }).waitFor();
  const fay = await comeIn(await page.locator("#sign-in-link").innerText(), PHONE);
  await fay.getByText("You have no password yet").waitFor();
  await choosePassword(fay);
  await shot(fay, "people-4-account-phone");
  await fay.context().close();
});

test("a role is changed, somebody is deactivated, and an administrator always stays", async () => {
  const page = await users();
  const olu = personOf(page, "Olu Officer");
  await olu.locator("select").selectOption("finance");
  await press(page, button(page, "Save the role of Olu Officer"));
  await olu.getByRole("cell").filter({ hasText: /^finance$/ }).waitFor();
  await press(page, page.locator("summary").filter({ hasText: "Deactivate Olu Officer" }));
  await shot(page, "people-5-deactivate");
  await press(page, button(page, "Deactivate Olu Officer"));
  await olu.waitFor({ state: "detached" });

  // Two administrators who deactivate each other at the same time: the second finds that nobody would be left.
  const ann = await comeIn(await (async () => {
    await press(page, button(page, "New link for Ann Second"));
    return page.locator("#sign-in-link").innerText();
  })());
  await ann.goto(at("/admin/users"));
  await ann.locator("summary").filter({ hasText: "Deactivate Administrator" }).click();
  await users();
  await personOf(page, "Ann Second").locator("select").selectOption("finance");
  await press(page, button(page, "Save the role of Ann Second"));
  await page.getByText("A changed role counts at once").waitFor();
  await ann.getByRole("button", { name: "Deactivate Administrator" }).click();
  await ann.getByText("You were signed out, and nothing was changed").waitFor();
  await users();
  const own = page.locator("#person-1");
  await own.getByText("(you)").waitFor();
  assert.equal(await own.getByText("Deactivate").count(), 0, "one can deactivate oneself");
  await page.setViewportSize(PHONE.viewport);
  await shot(page, "people-6-phone");
  await page.setViewportSize(DESK.viewport);
});

test("the audit log says when, who and what, and that its chain is whole", async () => {
  const { page } = await here.office();
  await page.goto(at("/admin/audit"));
  await page.getByText("Every entry fits the one before it").waitFor();
  const rows = page.locator("tbody tr");
  for (const [what, detail] of [["user added", "Fay Finance as finance"], ["user changed", "Olu Officer is finance now"],
    ["user removed", "Olu Officer"], ["password reset", "Fay Finance"]]) {
    const row = rows.filter({ hasText: what }).filter({ hasText: detail }).first();
    assert.match(await row.innerText(), /Administrator/, `${what} by nobody`);
    assert.match(await row.locator("time").getAttribute("datetime"), /^\d{4}-\d\d-\d\dT/);
  }
  const text = await page.locator("main").innerText();
  assert.ok(!text.includes(PASSWORD) && !/\/sign-in\/[\w-]{20}/.test(text), "a secret is in the log");
  await shot(page, "people-7-audit");
});
