// Charges and cash on the office's pages: forms, files, programs, shifts; at a desk and on a phone.
import assert from "node:assert/strict";
import { test } from "node:test";

import { PHONE } from "./lib/chromium.mjs";
import { fixture } from "./lib/fixture.mjs";

const here = fixture();

async function open(office, path) {
  await office.page.goto(`${here.world.gateway}${path}`);
}

/** The same page as a phone shows it; nothing may need scrolling sideways. */
async function phoneShot(office, name) {
  const desk = office.page.viewportSize();
  await office.page.setViewportSize(PHONE.viewport ?? { width: 360, height: 740 });
  const wide = await office.page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  await here.shot(office, name);
  await office.page.setViewportSize(desk);
  assert.ok(wide <= 0, `${name} is ${wide} pixels wider than a phone`);
}

test("a charge is added by keyboard, errors beside their fields", async () => {
  const office = await here.office();
  await open(office, "/admin/charges");
  await here.shot(office, "charges-1-empty");
  await office.page.getByRole("link", { name: "Add Charge" }).click();
  await office.page.locator("input[name=reference]").fill("n 1");
  await office.page.locator("input[name=amount]").first().fill("sixty");
  await office.page.getByRole("button", { name: "Add the charge" }).press("Enter");
  assert.match(await office.page.locator("#reference-error").innerText(), /1 to 12/);
  assert.match(await office.page.locator("#amount-error").innerText(), /digits/);
  await here.shot(office, "charges-2-errors");
  await phoneShot(office, "charges-2-errors-phone");
  await office.page.locator("input[name=reference]").fill("n-1");
  await office.page.locator("input[name=plate]").fill("AB 123 CD");
  await office.page.locator("input[name=payer]").fill("Kim Lee");
  await office.page.locator("input[name=for]").first().fill("Parking without permit");
  await office.page.locator("input[name=amount]").first().fill("65.00");
  await office.page.locator("input[name=for]").nth(1).fill("Late fee");
  await office.page.locator("input[name=amount]").nth(1).fill("10");
  await office.page.getByRole("button", { name: "Add the charge" }).press("Enter");
  await office.page.getByText("Parking without permit, Late fee").waitFor();
  assert.equal(await office.page.getByText("USD 75.00").count(), 1);
});

test("a file that is chosen is imported, whole or not at all", async () => {
  const office = await here.office();
  await open(office, "/admin/charges/import");
  const head = "reference,plate,payer,for,amount,currency,due,users\n";
  const rows = "N-2,XY 987,Robin Doe,Clamp release,120.00,,2026-12-31,\nN-3,XY 988,Robin Doe,Storage,much,,,\n";
  const choose = (text) => office.page.locator("input[type=file]").setInputFiles({
    name: "charges.csv", mimeType: "text/csv", buffer: Buffer.from(text),
  });
  await choose(head + rows);
  await office.page.waitForFunction(() => document.getElementById("csv").value.includes("N-3"));
  await office.page.getByRole("button", { name: "Import", exact: true }).click();
  await here.shot(office, "charges-3-import-errors");
  await office.page.getByText("Line 3, amount").waitFor();
  await here.shot(office, "charges-3-import-errors");
  await choose((head + rows).replace("much", "40"));
  await office.page.waitForFunction(() => document.getElementById("csv").value.includes("40"));
  await office.page.getByRole("button", { name: "Import", exact: true }).click();
  await office.page.getByText("Imported: 2 new, 0 changed").waitFor();
  await open(office, "/admin/charges?find=robin");
  assert.equal(await office.page.locator("tbody tr").count(), 2);
  await open(office, "/admin/charges");
  await here.shot(office, "charges-4-list");
  await phoneShot(office, "charges-4-list-phone");
});

test("a program's credential is shown once and writes a charge", async () => {
  const office = await here.office();
  await open(office, "/admin/charges/api");
  await office.page.getByLabel("Name of the program").fill("Notices");
  await office.page.getByRole("button", { name: "Make a credential" }).click();
  const token = await office.page.locator("#credential").innerText();
  await here.shot(office, "charges-5-credential");
  await phoneShot(office, "charges-5-credential-phone");
  const slug = await office.page.locator("pre").innerText();
  const address = slug.match(/https?:\/\/\S+\/charges/)[0];
  const answer = await fetch(`${address}/N-9`, {
    method: "PUT",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ lines: [{ text: "Library fee", minor: 300 }] }),
  });
  assert.equal(answer.status, 201);
  await open(office, "/admin/charges/api");
  assert.equal(await office.page.getByText(token).count(), 0);
});

test("a charge is withdrawn with a reason", async () => {
  const office = await here.office();
  await open(office, "/admin/charges/N-9");
  await office.page.getByText("Withdraw this charge").click();
  await office.page.getByLabel("Why").fill("Issued by mistake");
  await here.shot(office, "charges-6-withdraw");
  await phoneShot(office, "charges-6-withdraw-phone");
  await office.page.getByRole("button", { name: "Withdraw N-9" }).click();
  await open(office, "/admin/charges?state=withdrawn");
  await office.page.getByText("N-9").waitFor();
});

test("cash is a type without keys, and its shift is counted and closed", async () => {
  const office = await here.office();
  await open(office, "/admin/types/new");
  await office.page.locator("input[name=code]").fill("CASH");
  await office.page.getByLabel("Name, as officers").fill("Cash");
  await office.page.getByLabel("Provider").selectOption("cash");
  await office.page.getByRole("button", { name: "Add the type" }).click();
  await office.page.getByText("provisional receipt number").waitFor();
  await here.shot(office, "cash-1-type");
  await phoneShot(office, "cash-1-type-phone");
  await here.handheld.ask("refresh");
  const found = await here.handheld.ask("search AB123");
  assert.deepEqual(found.charges.map((it) => [it.reference, it.state]), [["N-1", "open"]]);
  const held = await here.handheld.ask("charge N-1 CASH");
  assert.equal(held.state, "paid");
  await here.handheld.ask(`wait-receipt ${held.payment_id}`);
  await open(office, "/admin/cash");
  await office.page.getByText(held.provisional_receipt).waitFor();
  await here.shot(office, "cash-2-open");
  await phoneShot(office, "cash-2-open-phone");
  await office.page.getByLabel("Counted").fill("74.50");
  await office.page.getByRole("button", { name: /Close the shift/ }).click();
  await office.page.getByText("Difference").waitFor();
  await here.shot(office, "cash-3-closed");
  await open(office, "/admin/charges?state=settled");
  await office.page.getByText("by this payment").waitFor();
  await here.shot(office, "charges-7-settled");
});
