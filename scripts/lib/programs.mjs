// Starts, watches and stops the programs that make up a running system. Node's own modules only.
import { execFile, spawn } from "node:child_process";
import { createWriteStream, mkdirSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";

// Longest wait for a program's first word: a JVM that unpacks a framework, on a busy machine.
const READY_MS_MAX = 180_000;
// Longest wait for a clean end after SIGTERM, before it is killed.
const STOP_MS_MAX = 15_000;

/** Something a person can mend: shown as its one line, without a stack. */
export class Problem extends Error {}

/** One running program. Its output goes to a log file; its standard output can be waited for line by line. */
export class Program {
  #child;
  #lines = [];
  #lastError = "";
  #waiting = new Set();
  #log;

  constructor({ name, command, args, env = {}, logs }) {
    mkdirSync(logs, { recursive: true });
    this.name = name;
    this.logFile = join(logs, `${name}.log`);
    this.#log = createWriteStream(this.logFile, { flags: "a" });
    // A process group of its own: Ctrl-C reaches us alone, and we end the programs in order.
    this.#child = spawn(command, args, { env: { ...process.env, ...env }, detached: true, stdio: ["pipe", "pipe", "pipe"] });
    this.#child.stdin.on("error", () => {});
    this.#watch(this.#child.stdout, (line) => this.#heard(line));
    this.#watch(this.#child.stderr, (line) => { this.#lastError = line || this.#lastError; });
    this.ended = new Promise((resolve) => {
      this.#child.on("error", (error) => this.#end(resolve, error.message));
      this.#child.on("close", (code, signal) => this.#end(resolve, signal ?? `exit status ${code}`));
    });
  }

  /** The first line of standard output that matches, past or future. */
  line(pattern, { withinMs = READY_MS_MAX } = {}) {
    const heard = this.#lines.map((line) => line.match(pattern)).find(Boolean);
    if (heard) {
      return Promise.resolve(heard);
    }
    if (this.how) {
      return Promise.reject(this.#problem("ended"));
    }
    return new Promise((resolve, reject) => {
      const wait = { pattern, resolve, reject };
      wait.timer = setTimeout(() => this.#settle(wait, "reject", this.#problem(`did not say ${pattern} in time`)), withinMs);
      this.#waiting.add(wait);
    });
  }

  /** The address it says it listens on. */
  async address() {
    return (await this.line(/^listening on (https?:\/\/\S+)/)).at(1);
  }

  /** Forgets what was said so far, and writes one line to its standard input. */
  say(line) {
    this.#lines = [];
    this.#child.stdin.write(`${line}\n`);
  }

  /** Ends it, and waits until it has ended. */
  async stop() {
    this.signal("SIGTERM");
    const impatience = setTimeout(() => this.signal("SIGKILL"), STOP_MS_MAX);
    await this.ended;
    clearTimeout(impatience);
  }

  /** To the program and whatever it started. */
  signal(name) {
    try {
      if (!this.how) {
        process.kill(-this.#child.pid, name);
      }
    } catch (error) {
      if (error.code !== "ESRCH") {
        throw error;
      }
    }
  }

  #watch(stream, take) {
    let rest = "";
    stream.setEncoding("utf8");
    stream.on("data", (text) => {
      this.#log.write(text);
      const lines = (rest + text).split("\n");
      rest = lines.pop();
      lines.forEach(take);
    });
  }

  #heard(line) {
    this.#lines.push(line);
    for (const wait of this.#waiting) {
      const match = line.match(wait.pattern);
      if (match) {
        this.#settle(wait, "resolve", match);
      }
    }
  }

  #end(resolve, how) {
    this.how ??= how;
    for (const wait of this.#waiting) {
      this.#settle(wait, "reject", this.#problem("ended"));
    }
    this.#log.end();
    resolve();
  }

  #settle(wait, how, value) {
    clearTimeout(wait.timer);
    this.#waiting.delete(wait);
    wait[how](value);
  }

  #problem(what) {
    const why = [this.how, this.#lastError].filter(Boolean).join(": ");
    return new Problem(`${this.name} ${what}${why && ` (${why})`}; see ${this.logFile}`);
  }
}

/** Runs a program to its end and returns what it printed. */
export function output(command, args, env = {}) {
  return new Promise((resolve, reject) => {
    const child = execFile(command, args, { env: { ...process.env, ...env } }, (error, stdout, stderr) => {
      const said = stderr.trim().split("\n").at(-1) || error?.message;
      error ? reject(new Problem(`${args.slice(0, 2).join(" ")} failed: ${said}`)) : resolve(stdout);
    });
    child.stdin.end();
  });
}

/** A port of the loopback interface that is free now. */
export function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer().once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

/** Whether somebody already listens there. */
export function isTaken(port) {
  return new Promise((resolve) => {
    const caller = connect(port, "127.0.0.1");
    caller.on("connect", () => { caller.destroy(); resolve(true); });
    caller.on("error", () => resolve(false));
  });
}
