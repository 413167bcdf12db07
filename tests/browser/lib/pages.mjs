// What a person does on each page, in the page's own words.

import { WAIT_MS_MAX } from "./chromium.mjs";

// A live screen that has not changed for so long waits for a finger; a cursor blinks twice a second.
const QUIET_MS = 700;
// How long a finger that taps stays.
const TAP_MS = 80;

/** The payer's pages: the pay address, and the payment that comes of it. */
export class PayerPages {
  constructor(page) {
    this.page = page;
  }

  async open(payAddress) {
    await this.page.goto(payAddress);
    await this.page.getByRole("heading", { name: "To pay" }).waitFor();
  }

  payButton() {
    return this.page.getByRole("button", { name: /^Pay\b/ });
  }

  /** Presses Pay and arrives at Stripe's page. */
  async pressPay() {
    await this.payButton().click();
    return StripePage.arrived(this.page);
  }

  /** What the paid page says, once it says so. */
  async receipt() {
    const text = (id) => this.page.locator(id).textContent();
    await this.page.locator("#receipt-order-id").waitFor();
    const state = (await this.page.locator("#standing .state").first().textContent()).trim();
    return { state, receipt_order_id: await text("#receipt-order-id"), confirm_code: await text("#confirm-code") };
  }
}

/** The administrator's pages. */
export class OfficePages {
  constructor(page) {
    this.page = page;
  }

  /** Uses a one-time link. */
  async signIn(link) {
    await this.page.goto(link);
    await this.page.getByRole("button", { name: "Sign in" }).click();
    await this.page.getByRole("heading", { name: "Recent Payments" }).waitFor();
  }

  row(paymentId) {
    return this.page.locator(`#payment-${paymentId}`);
  }

  /** Waits until the list, without being reloaded, says that the payment is in that state. */
  async sees(paymentId, state) {
    await this.page.locator(`#payment-${paymentId}[data-state="${state}"]`).waitFor();
  }

  /** How many payments the list has. */
  async rows() {
    return this.page.locator("tbody tr").count();
  }

  /** How many rows say that they are paid, and carry this receipt order ID. */
  async paidRows(receiptOrderId) {
    return this.page.locator('tr[data-state="paid"]').filter({ hasText: receiptOrderId }).count();
  }
}

/** Stripe's hosted page: the sandbox's, and Stripe's own, which is laid out the same. */
export class StripePage {
  constructor(page) {
    this.page = page;
  }

  static async arrived(page) {
    await page.locator("#cardNumber").waitFor();
    return new StripePage(page);
  }

  async pay(number) {
    await this.fill(number);
    await this.submit();
  }

  /** Types a card as a person would. */
  async fill(number) {
    await this.#fill("#email", "payer@example.org");
    await this.#fill("#cardNumber", number);
    await this.#fill("#cardExpiry", "12 / 34");
    await this.#fill("#cardCvc", "123");
    await this.#fill("#billingName", "Sam Payer");
    await this.#fill("#billingPostalCode", "10001");
  }

  async submit() {
    await this.page.getByTestId("hosted-payment-submit-button").click();
  }

  /** What the page says about a card that was declined. */
  async decline() {
    return (await this.page.getByRole("alert").first().textContent()).trim();
  }

  /** Some fields stand there only in some countries or for some amounts. */
  async #fill(field, text) {
    const place = this.page.locator(field);
    if (await place.isVisible()) {
      await place.fill(text);
    }
  }
}

/** The handheld's own screen, shown live in a page: the mouse is the finger. */
export class LivePage {
  constructor(page) {
    this.page = page;
  }

  async open(address) {
    this.address = address;
    await this.page.goto(address);
    this.screen = this.page.locator("#screen");
    await this.screen.waitFor();
  }

  /** Waits until the handheld's window has that title and its picture no longer changes. */
  async shows(title) {
    const deadline = Date.now() + WAIT_MS_MAX;
    let news = { number: 0 };
    while (Date.now() < deadline) {
      const next = await this.#newsAfter(news.number);
      if (!next && news.title === title) {
        return;
      }
      news = next ?? news;
    }
    throw new Error(`the handheld shows ${news.title}, not ${title}`);
  }

  /** What is new; nothing when nothing happens for a while. */
  async #newsAfter(number) {
    try {
      const answer = await fetch(`${this.address}/news?after=${number}`, { signal: AbortSignal.timeout(QUIET_MS) });
      return await answer.json();
    } catch (error) {
      if (error.name !== "TimeoutError") {
        throw error;
      }
    }
  }

  /** Presses the mouse for so long at a place of the screen, given in fractions of its size. */
  async hold(at, ms) {
    const box = await this.screen.boundingBox();
    await this.page.mouse.move(box.x + box.width * at.x, box.y + box.height * at.y);
    await this.page.mouse.down();
    await this.page.waitForTimeout(ms);
    await this.page.mouse.up();
  }

  /** A tap, and a wait until what came of it stands still. */
  async tap(at) {
    await this.hold(at, TAP_MS);
    for (let news = { number: 0 }; news;) {
      news = await this.#newsAfter(news.number);
    }
  }

  /** Follows the link beside the screen, as a person at a desk does in place of scanning the code. */
  async openPayAddress() {
    const [payer] = await Promise.all([this.page.waitForEvent("popup"), this.page.locator("#open").click()]);
    await payer.getByRole("heading", { name: "To pay" }).waitFor();
    return new PayerPages(payer);
  }
}
