// A real Chromium without a window, as the payer's phone or the administrator's desk.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";

const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
// The background flags keep it from calling its makers; a root user has no sandbox to offer.
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync"];
// Longest wait for anything on a page, on a machine that also compiles.
export const WAIT_MS_MAX = 30_000;

export const PHONE = { viewport: { width: 412, height: 892 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };
export const DESK = { viewport: { width: 1280, height: 800 } };
// High enough for the whole of a live handheld.
export const DESK_HIGH = { viewport: { width: 1280, height: 1100 } };

export class Browser {
  /** shots: the folder that pictures go to. */
  static async open(shots) {
    mkdirSync(shots, { recursive: true });
    const engine = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
    return Object.assign(new Browser(), { engine, shots });
  }

  /** A page of a person who shares no cookies with the others; `strangers` lists requests that left this machine. */
  async person(device) {
    const context = await this.engine.newContext({ ...device, locale: "en-US", timezoneId: "UTC" });
    context.setDefaultTimeout(WAIT_MS_MAX);
    const page = await context.newPage();
    page.strangers = [];
    context.on("request", (request) => {
      const { protocol, hostname } = new URL(request.url());
      if (protocol.startsWith("http") && !["127.0.0.1", "localhost"].includes(hostname)) {
        page.strangers.push(request.url());
      }
    });
    return page;
  }

  async shot(page, name) {
    const path = join(this.shots, `${name}.png`);
    await page.screenshot({ path, fullPage: true });
    return path;
  }

  close() {
    return this.engine.close();
  }
}
