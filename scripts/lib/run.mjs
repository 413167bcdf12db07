// scripts/run, once everything is built: starts the whole system, says where it is, and ends it again.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { handheldCommand } from "./handheld.mjs";
import { Problem, isTaken } from "./programs.mjs";
import { World } from "./world.mjs";

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "../..");
const BIN = join(process.env.CARGO_TARGET_DIR ?? join(ROOT, "target"), "debug");
const PORTS = { gateway: 8480, stripe: 8481, handheld: 8482 };

const HELP = `run [--data DIR] [--gateway-port N] [--stripe-port N] [--handheld-port N]
      the whole system, until Ctrl-C; data stays in DIR (default: .run); a port may be 0 for any, and
      can also be set as HOLDFAST_GATEWAY_PORT, HOLDFAST_STRIPE_PORT or HOLDFAST_HANDHELD_PORT
run --once [--shots DIR]
      one whole payment, unattended, in a fresh folder and on free ports; pictures in DIR
      (default: once in cargo's target folder)
With STRIPE_SECRET_KEY=sk_test_… in the environment, Stripe itself takes the sandbox's place; add
STRIPE_WEBHOOK_SECRET when \`stripe listen\` forwards to the gateway.`;

function options() {
  const text = { type: "string" };
  try {
    const { values } = parseArgs({ options: {
      help: { type: "boolean" }, once: { type: "boolean" }, data: text, shots: text,
      "gateway-port": text, "stripe-port": text, "handheld-port": text,
    } });
    return values;
  } catch (error) {
    throw new Problem(`${error.message.split(". ").at(0)}; see run --help`);
  }
}

/** The port that was asked for by flag or environment (HOLDFAST_GATEWAY_PORT …), or the usual one. */
function port(values, name) {
  const given = values[`${name}-port`] ?? process.env[`HOLDFAST_${name.toUpperCase()}_PORT`] ?? PORTS[name];
  const number = Number(given);
  if (!Number.isInteger(number) || number < 0 || number > 65_535) {
    throw new Problem(`--${name}-port ${given}: write a port number from 0 to 65535`);
  }
  return number;
}

/** Stripe's key from the environment; only a test key, since this is a demonstration. */
function stripeSettings() {
  const { STRIPE_SECRET_KEY: key = "", STRIPE_WEBHOOK_SECRET: webhookSecret = "" } = process.env;
  if (key && !/^(sk|rk)_test_/.test(key)) {
    throw new Problem("STRIPE_SECRET_KEY: scripts/run takes test keys only (sk_test_…); a live key belongs to `holdfast stripe set`");
  }
  // Only `holdfast stripe set` is told the key, not every program that is started here.
  delete process.env.STRIPE_SECRET_KEY;
  return key ? { stripeKey: key, webhookSecret } : {};
}

async function live(world, handheldPort) {
  if (handheldPort && await isTaken(handheldPort)) {
    throw new Problem(`port ${handheldPort} is in use: end what listens there, or choose another with --handheld-port`);
  }
  await world.start();
  const settings = { data: join(world.data, "handheld"), port: handheldPort, enrol: await world.handheldLink() };
  const screens = world.launch("handheld", handheldCommand({ root: ROOT, bin: BIN, main: "LiveHandheld", settings }), "java");
  console.log(`
  handheld    ${await screens.address()}
  office      ${await world.signInLink()}   (works once)
  gateway     ${world.gateway}
  Stripe      ${world.stripe ?? "itself, in test mode"}
${world.sandboxed || world.webhookSecret ? "" : "No webhook can arrive here without `stripe listen`: redirect and poll settle each payment.\n"}
Logs are in ${world.logs}. Ctrl-C ends everything.`);
  const ended = await world.firstToEnd();
  throw new Problem(`${ended.name} ended by itself (${ended.how}); see ${ended.logFile}`);
}

/** Pictures of an earlier run would say something that is no longer true. */
function emptyFolder(path) {
  rmSync(path, { recursive: true, force: true });
  return path;
}

async function once(world, shots) {
  // Loaded here: the plain run needs neither a browser nor anything from a registry.
  const { payOnce } = await import("../../tests/browser/lib/once.mjs");
  await world.start();
  const settings = { data: join(world.data, "handheld"), shots, enrol: await world.handheldLink() };
  const screens = world.launch("handheld", handheldCommand({ root: ROOT, bin: BIN, main: "OnceHandheld", settings }), "java");
  const receipt = await payOnce({ world, screens, shots });
  console.log(`pictures in ${shots}`);
  if (!world.sandboxed && !world.webhookSecret) {
    console.log("No webhook could arrive here: redirect and poll settled the payment.");
  }
  console.log(`receipt order ID ${receipt.receipt_order_id}\nconfirm code ${receipt.confirm_code}\nstate paid`);
}

/** Runs until it is done, or told to stop, and ends every program either way. */
async function withWorld(world, work, untilTold) {
  const told = new Promise((resolve, reject) => ["SIGINT", "SIGTERM", "SIGHUP"].forEach((name) =>
    process.once(name, () => (untilTold ? resolve() : reject(new Problem(`stopped by ${name} before the payment was done`))))));
  process.on("exit", () => world.programs.forEach((program) => program.signal("SIGKILL")));
  try {
    await Promise.race([work, told]);
  } finally {
    work.catch(() => {});
    await world.stop();
  }
}

async function main() {
  const values = options();
  if (values.help) {
    console.log(HELP);
    return;
  }
  const stripe = stripeSettings();
  if (values.once) {
    const data = mkdtempSync(join(tmpdir(), "holdfast-once-"));
    const world = new World({ bin: BIN, data, ...stripe });
    await withWorld(world, once(world, values.shots ?? emptyFolder(join(BIN, "../once"))), false);
    rmSync(data, { recursive: true, force: true });
  } else {
    const data = join(values.data ?? join(ROOT, ".run"), stripe.stripeKey ? "stripe" : "sandbox");
    const ports = { gateway: port(values, "gateway"), stripe: port(values, "stripe") };
    const world = new World({ bin: BIN, data, ports, ...stripe });
    await withWorld(world, live(world, port(values, "handheld")), true);
  }
}

main().then(() => process.exit(0), (error) => {
  console.error(error instanceof Problem ? `run: ${error.message}` : error);
  process.exit(1);
});
