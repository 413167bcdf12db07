// The handheld's real screens in a browser page: a person at a desk taps and holds with the mouse.
import assert from "node:assert/strict";
import { test } from "node:test";

import { fixture } from "./lib/fixture.mjs";
import { StripePage } from "./lib/pages.mjs";

const here = fixture();

// Where things are on the screen, in fractions of its width and height. Targets are 56 dp, so there is room to miss.
const FIRST_PLUS = { x: 0.87, y: 0.22 };
const FIRST_METHOD = { x: 0.5, y: 0.29 };
const BOTTOM_BUTTON = { x: 0.5, y: 0.93 };
// A hold is 1.5 s; what follows is a finger that lets go too early, and one that does not.
const TOO_SHORT_MS = 700;
const LONG_ENOUGH_MS = 2_500;

test("the mouse taps and holds, and a payment comes of it", async () => {
  const live = await here.liveHandheld();
  await live.shows("New payment");
  await live.tap(FIRST_PLUS);
  await live.tap(BOTTOM_BUTTON);
  await live.shows("Payment summary");
  await live.tap(BOTTOM_BUTTON);
  await live.shows("Select Payment Method");
  await live.tap(FIRST_METHOD);
  await live.shows("Process Payment");

  await live.hold(BOTTOM_BUTTON, TOO_SHORT_MS);
  await here.shot(live, "live-1-let-go-early");
  await live.shows("Process Payment");
  assert.equal(await live.page.locator("#open").isVisible(), false, "a short hold made a payment");

  await live.hold(BOTTOM_BUTTON, LONG_ENOUGH_MS);
  await live.shows("Present card");
  await here.shot(live, "live-2-present-card");
  const payer = await live.openPayAddress();
  await payer.payButton().click();
  await (await StripePage.arrived(payer.page)).pay("4242 4242 4242 4242");
  await payer.receipt();
  await live.shows("Result");
  await here.shot(live, "live-3-result");
});
