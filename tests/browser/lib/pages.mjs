// What a person does on each page, in the page's own words.

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
