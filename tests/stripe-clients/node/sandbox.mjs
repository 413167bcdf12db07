// The real `holdfast sandbox` for tests, and a merchant's endpoint that verifies with Stripe's own code.
import { spawn } from "node:child_process";
import { createServer } from "node:http";
import { once } from "node:events";
import { after, before } from "node:test";
import { createInterface } from "node:readline";
import Stripe from "stripe";

const BINARY = `${process.env.HOLDFAST_BIN_DIR}/holdfast`;
// Longest wait for a delivery, on a machine that also compiles.
const WAIT_MS_MAX = 30_000;

/** One sandbox for a test file, and Stripe's client for it, unchanged but for the base address. */
export function fixture(...args) {
  const here = {};
  before(async () => {
    here.process = spawn(BINARY, ["sandbox", "--listen", "127.0.0.1:0", ...args], { stdio: ["ignore", "pipe", "ignore"] });
    const [line] = await once(createInterface(here.process.stdout), "line");
    here.url = line.replace("listening on ", "");
    here.client = (key = "sk_test_node", options = {}) => {
      const { hostname, port } = new URL(here.url);
      return new Stripe(key, { host: hostname, port: Number(port), protocol: "http", maxNetworkRetries: 0, telemetry: false, ...options });
    };
    here.stripe = here.client();
    here.lever = (name, method, body) => fetch(`${here.url}/_sandbox/${name}`, { method, body });
    here.charge = (card = "visa", more = {}, options = {}) => here.stripe.paymentIntents.create({
      amount: 2000, currency: "usd", payment_method: `pm_card_${card}`, confirm: true, payment_method_types: ["card"], ...more,
    }, options);
    here.pay = (page, number) => fetch(page, {
      method: "POST", redirect: "manual",
      body: new URLSearchParams({ cardNumber: number, cardExpiry: "12 / 34", cardCvc: "123", billingName: "Sam Payer" }),
    });
  });
  after(async () => {
    here.process.kill();
    await once(here.process, "exit");
  });
  return here;
}

/** Hears deliveries, and gives each as Stripe's library reads it. */
export class Endpoint {
  heard = [];
  waiting = [];

  static async start() {
    const endpoint = new Endpoint();
    endpoint.server = createServer(async (request, response) => {
      const chunks = [];
      for await (const chunk of request) {
        chunks.push(chunk);
      }
      endpoint.heard.push([Buffer.concat(chunks), request.headers["stripe-signature"]]);
      endpoint.waiting.splice(0).forEach((wake) => wake());
      response.end("ok");
    }).listen(0, "127.0.0.1");
    await once(endpoint.server, "listening");
    endpoint.url = `http://127.0.0.1:${endpoint.server.address().port}/hook`;
    return endpoint;
  }

  async next(stripe, secret) {
    const end = Date.now() + WAIT_MS_MAX;
    while (this.heard.length === 0 && Date.now() < end) {
      await Promise.race([
        new Promise((wake) => this.waiting.push(wake)),
        new Promise((wake) => setTimeout(wake, WAIT_MS_MAX).unref()),
      ]);
    }
    return stripe.webhooks.constructEvent(...this.heard.shift(), secret);
  }

  stop() {
    this.server.closeAllConnections();
    this.server.close();
  }
}
