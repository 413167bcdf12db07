// A whole Holdfast on this machine: gateway, a Stripe (the sandbox, or Stripe itself with a test key), and what an
// administrator sets up once. Used by scripts/run and by the browser tests. Node's own modules only.
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { Problem, Program, isTaken, output } from "./programs.mjs";

export const TENANT = "demo";
export const OFFICER = "Ada Okafor";
const ORGANISATION = "Demo Borough";
const CATALOGUE = join(dirname(fileURLToPath(import.meta.url)), "../demo/catalogue.csv");
// The sandbox takes any key that looks like one; this one says what it is.
const SANDBOX_KEY = "sk_test_sandboxonthismachine0000";

export class World {
  programs = [];

  /**
   * bin: folder of the built programs; data: folder that holds everything, and is kept;
   * ports: { gateway, stripe }, 0 or absent for any; stripeKey: a key of Stripe's own test mode, or none for the sandbox.
   */
  constructor({ bin, data, ports = {}, stripeKey = "", webhookSecret = "" }) {
    Object.assign(this, { data, ports, secretKey: stripeKey || SANDBOX_KEY });
    this.sandboxed = !stripeKey;
    this.holdfast = join(bin, "holdfast");
    this.folder = join(data, "gateway");
    this.logs = join(data, "logs");
    this.webhookSecret = webhookSecret || (stripeKey ? "" : this.#keptSecret());
  }

  async start() {
    if (!existsSync(this.holdfast)) {
      throw new Problem(`there is no ${this.holdfast} yet: run cargo build --workspace`);
    }
    await this.#setUp();
    this.gateway = await (await this.launchGateway()).address();
    if (this.sandboxed) {
      this.stripe = await (await this.#launchSandbox()).address();
    }
    await this.#setStripe();
  }

  async launchGateway() {
    return this.launch("gateway", ["serve", "--data", this.folder, "--listen", await this.#at("gateway")]);
  }

  /** A link that signs an administrator in, once. */
  async signInLink() {
    return linkIn(await this.command("sign-in", "--tenant", TENANT));
  }

  /** A link that enrols one handheld, already approved. */
  async handheldLink() {
    return linkIn(await this.command("handheld", "code", "--tenant", TENANT, "--officer", OFFICER, "--approved"));
  }

  /** One command of the gateway's, on this world's data. */
  command(...args) {
    return output(this.holdfast, [...args, "--data", this.folder]);
  }

  /** Puts a backup in the ledger's place, as an operator does: between a stop and a start, on the same address. */
  async restored(backup) {
    const gateway = this.programs.find((program) => program.name === "gateway");
    await gateway.stop();
    this.programs.splice(this.programs.indexOf(gateway), 1);
    await this.command("restore", backup, "--force");
    this.ports.gateway = Number(new URL(this.gateway).port);
    await (await this.launchGateway()).address();
  }

  launch(name, args, command = this.holdfast, env = {}) {
    const program = new Program({ name, command, args, env, logs: this.logs });
    this.programs.push(program);
    return program;
  }

  /** Last started, first stopped: nobody loses whom they talk to. */
  async stop() {
    for (const program of this.programs.splice(0).reverse()) {
      await program.stop();
    }
  }

  /** Resolves with the first program that ends by itself. */
  async firstToEnd() {
    return Promise.race(this.programs.map((program) => program.ended.then(() => program)));
  }

  /** What an administrator does once. An attempt that was cut short starts over. */
  async #setUp() {
    const done = join(this.data, "set-up");
    if (existsSync(done)) {
      return;
    }
    rmSync(this.folder, { recursive: true, force: true });
    await this.command("init", "--tenant", TENANT, "--name", ORGANISATION);
    await this.command("officer", "add", OFFICER, "--tenant", TENANT);
    await this.command("catalogue", "load", CATALOGUE, "--tenant", TENANT);
    writeFileSync(done, "");
  }

  async #launchSandbox() {
    const webhook = `${this.gateway}/api/${TENANT}/qr/payment/webhook=${this.webhookSecret}`;
    const folder = join(this.data, "stripe");
    const at = await this.#at("stripe");
    return this.launch("sandbox", ["sandbox", "--listen", at, "--data", folder, "--webhook", webhook]);
  }

  #setStripe() {
    const where = this.sandboxed ? ["--api-base", this.stripe] : [];
    const args = ["stripe", "set", "--data", this.folder, "--tenant", TENANT, "--code", "STRIPE", "--mode", "test",
      "--name", "Online Payment", "--currency", "usd", ...where];
    return output(this.holdfast, args, {
      STRIPE_SECRET_KEY: this.secretKey,
      // A key of the caller's own account has no place beside the sandbox's.
      ...(this.sandboxed && { STRIPE_PUBLISHABLE_KEY: undefined }),
      ...(this.webhookSecret && { STRIPE_WEBHOOK_SECRET: this.webhookSecret }),
    });
  }

  async #at(name) {
    const port = this.ports[name] ?? 0;
    if (port && await isTaken(port)) {
      throw new Problem(`port ${port} is in use: end what listens there, or choose another with --${name}-port`);
    }
    return `127.0.0.1:${port}`;
  }

  /** The secret that sandbox and gateway share, the same each time this folder is used. */
  #keptSecret() {
    const file = join(this.data, "webhook-secret");
    mkdirSync(this.data, { recursive: true });
    if (!existsSync(file)) {
      writeFileSync(file, `whsec_${randomBytes(24).toString("hex")}`, { mode: 0o600 });
    }
    return readFileSync(file, "utf8");
  }
}

function linkIn(text) {
  const link = text.match(/https?:\/\/\S+/)?.at(0);
  if (!link) {
    throw new Problem(`expected a link, got: ${text.trim()}`);
  }
  return link;
}
