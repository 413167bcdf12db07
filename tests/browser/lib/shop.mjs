// A merchant's page on an origin of its own, with Stripe.js and the Payment Element as Stripe documents them.
import { once } from "node:events";
import { createServer } from "node:http";

const PUBLISHABLE_KEY = "pk_test_browser";

const checkoutPage = (sandbox) => `<!doctype html><html lang="en"><meta charset="utf-8"><title>Shop</title>
<link rel="icon" href="data:,"><meta name="viewport" content="width=device-width, initial-scale=1">
<script src="${sandbox}/v3/"></script>
<h1>Shop</h1><form id="form"><div id="element"></div><button>Submit Payment</button></form><p id="said" role="status"></p>
<script>
const about = new URLSearchParams(location.search);
window.seen = [];
addEventListener("message", (event) => seen.push(JSON.stringify(event.data)));
addEventListener("input", (event) => seen.push(event.target.value), true);
const stripe = Stripe("${PUBLISHABLE_KEY}");
const elements = stripe.elements({ clientSecret: about.get("secret") });
const element = elements.create("payment");
element.on("ready", () => { document.body.dataset.ready = "yes"; });
element.mount("#element");
document.getElementById("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const said = document.getElementById("said");
  said.textContent = "";
  const back = about.get("back");
  const { error, paymentIntent } = await stripe.confirmPayment({
    elements, redirect: back ? "always" : "if_required", confirmParams: back ? { return_url: back } : {},
  });
  said.textContent = error ? error.message : paymentIntent.status;
});
</script></html>`;

export class Shop {
  static async open(sandbox) {
    const server = createServer((request, response) => {
      const page = request.url.startsWith("/checkout") ? checkoutPage(sandbox) : "<title>Shop</title><h1>Thank you</h1>";
      response.setHeader("content-type", "text/html; charset=utf-8");
      response.end(page);
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    return Object.assign(new Shop(), { server, sandbox, url: `http://127.0.0.1:${server.address().port}` });
  }

  async checkout(page, secret, { back = "" } = {}) {
    await page.goto(`${this.url}/checkout?${new URLSearchParams({ secret, back })}`);
    await page.locator('body[data-ready="yes"]').waitFor();
    return new CheckoutForm(page, this.sandbox);
  }

  close() {
    this.server.closeAllConnections();
    this.server.close();
  }
}

class CheckoutForm {
  constructor(page, sandbox) {
    Object.assign(this, { page, sandbox, frame: page.frameLocator('iframe[title="Secure card form"]') });
  }

  async fill(number) {
    await this.frame.getByLabel("Card number").fill(number);
    await this.frame.getByLabel("Expiry date").fill("12 / 34");
    await this.frame.getByLabel("Security code").fill("123");
  }

  pay() {
    return this.page.getByRole("button", { name: "Submit Payment" }).click();
  }

  says(text) {
    return this.page.getByRole("status").filter({ hasText: text }).waitFor();
  }

  async message() {
    await this.page.getByRole("status").filter({ hasText: /./ }).waitFor();
    return this.page.getByRole("status").textContent();
  }

  /** All that the merchant's own script could notice. */
  everythingSeen() {
    return this.page.evaluate(() => `${window.seen.join()} ${document.documentElement.outerHTML}`.replaceAll(" ", ""));
  }

  retrieved(secret) {
    return this.page.evaluate(async (it) => (await stripe.retrievePaymentIntent(it)).paymentIntent.status, secret);
  }

  /** Whether the page's own script can read what the API answers. */
  readsApi(intent) {
    const address = `${this.sandbox}/v1/payment_intents/${intent.id}?client_secret=${intent.client_secret}`;
    return this.page.evaluate((it) => fetch(it, { headers: { authorization: "Bearer pk_test_browser" } })
      .then(() => "read", () => "blocked"), address);
  }

  /** Asks the card frame to confirm, from a window that is not its parent. */
  forge(secret) {
    return this.page.evaluate((it) => {
      const other = document.createElement("iframe");
      document.body.append(other);
      const about = new URLSearchParams(document.querySelector("iframe").src.split("#")[1]);
      other.contentWindow.eval(`parent.frames[0].postMessage(${JSON.stringify({
        nonce: about.get("nonce"), id: 99, call: "confirm", args: { clientSecret: it, back: location.href },
      })}, "*")`);
      // Heard after the forged question: once this is answered, that one was taken or thrown away.
      return elements.submit();
    }, secret);
  }

  refuses(key) {
    return this.page.evaluate((it) => { try { Stripe(it); return "taken"; } catch (error) { return error.message; } }, key);
  }
}
