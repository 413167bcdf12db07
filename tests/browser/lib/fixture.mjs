// One whole Holdfast for one test file: sandbox, gateway, a handheld without screens, and a browser.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before } from "node:test";
import { fileURLToPath } from "node:url";

import { handheldCommand } from "../../../scripts/lib/handheld.mjs";
import { World } from "../../../scripts/lib/world.mjs";
import { Browser, DESK, DESK_HIGH, PHONE } from "./chromium.mjs";
import { LivePage, OfficePages, PayerPages } from "./pages.mjs";
import { isSound } from "./sound.mjs";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const BIN = process.env.HOLDFAST_BIN_DIR;
const SHOTS = process.env.HOLDFAST_SHOTS;

/** A world in which live keys reach a stand-in for Stripe too, so that Live Mode can be gone through to its end. */
export class Rehearsal extends World {
  async launchGateway() {
    const gateway = this.launch("gateway", [this.folder], join(BIN, "rehearsal"));
    this.liveStripe = (await gateway.line(/^live stripe on (\S+)/)).at(1);
    return gateway;
  }
}

/** Starts everything before the file's tests, and ends it after them; the folder stays only when HOLDFAST_KEEP is set. */
export function fixture(kind = World) {
  const here = new Fixture(kind);
  before(() => here.open());
  after(() => here.close());
  return here;
}

class Fixture {
  constructor(kind) {
    this.kind = kind;
  }

  async open() {
    this.folder = mkdtempSync(join(tmpdir(), "holdfast-browser-"));
    this.world = new this.kind({ bin: BIN, data: this.folder });
    await this.world.start();
    this.browser = await Browser.open(SHOTS);
    const robot = join(BIN, "robot-handheld");
    this.handheld = new Handheld(this.world.launch("handheld", [join(this.folder, "handheld")], robot));
    const enrolled = await this.handheld.ask(`enrol ${await this.world.handheldLink()}`);
    this.deviceId = enrolled.device_id;
  }

  async close() {
    await this.browser?.close();
    await this.world?.stop();
    if (process.env.HOLDFAST_KEEP) {
      console.log(`kept ${this.folder}`);
    } else {
      rmSync(this.folder, { recursive: true, force: true });
    }
  }

  async payer(differently = {}) {
    return new PayerPages(await this.browser.person({ ...PHONE, ...differently }));
  }

  /** Real screens in a page, enrolled, with the mouse as the finger. */
  async liveHandheld() {
    const settings = { data: join(this.folder, "live"), port: 0, enrol: await this.world.handheldLink() };
    const command = handheldCommand({ root: ROOT, bin: BIN, main: "LiveHandheld", settings });
    const screens = this.world.launch("live", command, "java");
    const live = new LivePage(await this.browser.person(DESK_HIGH));
    await live.open(await screens.address());
    return live;
  }

  /** Somebody at a desk who has not signed in. */
  async visitor() {
    return new OfficePages(await this.browser.person(DESK));
  }

  /** The administrator, signed in once for the whole file. */
  async office() {
    if (!this.signedIn) {
      this.signedIn = await this.visitor();
      this.usedLink = await this.world.signInLink();
      await this.signedIn.signIn(this.usedLink);
    }
    return this.signedIn;
  }

  shot(pages, name) {
    return this.browser.shot(pages.page, name);
  }

  /** The page at a desk, in the dark and on a phone: sound on each, and drawn for people to look at. */
  async shotEverywhere(page, name) {
    for (const [where, colorScheme, { viewport }] of [["", "light", DESK], ["-dark", "dark", DESK], ["-phone", "light", PHONE]]) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize(viewport);
      await isSound(page, name + where);
      await this.browser.shot(page, name + where);
    }
    await page.setViewportSize(DESK.viewport);
  }

  /** All Checkout Sessions that the sandbox ever made. */
  async sessions() {
    const answer = await fetch(`${this.world.stripe}/v1/checkout/sessions?limit=100`, {
      headers: { authorization: `Bearer ${this.world.secretKey}` },
    });
    return (await answer.json()).data;
  }
}

/** Speaks to tests/robot. */
class Handheld {
  constructor(program) {
    this.program = program;
  }

  async ask(command) {
    this.program.say(command);
    const answer = JSON.parse((await this.program.line(/^\{.*\}$/)).at(0));
    if (answer.error) {
      throw new Error(`${command}: ${answer.error}`);
    }
    return answer;
  }

  /** Holds for a payment of one catalogue item, and waits until the gateway has it. */
  async holdAndSend(item = 1, quantity = 1) {
    const { payment_id } = await this.ask(`hold ${item} ${quantity}`);
    return this.ask(`wait ${payment_id} sent`);
  }
}
