// A stand-in for Stripe.js. It runs in the merchant's page and never sees a card: the card is typed
// into a frame of the sandbox's own origin, which alone talks to the API. Messages are taken from
// that frame and that origin only, and sent to that origin only.
(() => {
  "use strict";
  const HOME = new URL(document.currentScript.src).origin;
  // Longest wait for the payer's answer to the bank.
  const CHALLENGE_MS_MAX = 15 * 60 * 1000;
  const POLL_MS = 400;
  const ELEMENT_EVENTS = ["ready", "change", "focus", "blur", "loaderror"];

  const usage = (message) => { throw new Error(`Stripe.js (sandbox): ${message}`); };

  /** A frame of the sandbox, and questions to it. */
  class Frame {
    #waiting = new Map();
    #last = 0;

    constructor(key, role, place, onEvent) {
      this.nonce = crypto.getRandomValues(new Uint32Array(4)).join("-");
      this.node = document.createElement("iframe");
      this.node.title = role === "card" ? "Secure card form" : "Secure payment frame";
      this.node.setAttribute("allow", "payment *");
      const about = new URLSearchParams({ role, key, parent: location.origin, nonce: this.nonce });
      this.node.src = `${HOME}/v3/frame#${about}`;
      Object.assign(this.node.style, role === "card"
        ? { width: "100%", height: "260px", border: "0", colorScheme: "light dark" }
        : { display: "none" });
      this.ready = new Promise((resolve) => { this.isReady = resolve; });
      this.onMessage = (event) => this.#heard(event, onEvent);
      window.addEventListener("message", this.onMessage);
      place.append(this.node);
    }

    async ask(call, args = {}) {
      await this.ready;
      const id = ++this.#last;
      return new Promise((resolve) => {
        this.#waiting.set(id, resolve);
        this.node.contentWindow.postMessage({ nonce: this.nonce, id, call, args }, HOME);
      });
    }

    remove() {
      window.removeEventListener("message", this.onMessage);
      this.node.remove();
    }

    #heard(event, onEvent) {
      const fits = event.origin === HOME && event.source === this.node.contentWindow && event.data?.nonce === this.nonce;
      if (!fits) {
        return;
      }
      const { id, result, name, detail } = event.data;
      if (name === "ready") {
        this.isReady();
      }
      if (name === "height") {
        this.node.style.height = `${Number(detail) || 260}px`;
      } else if (name) {
        onEvent?.(name, detail);
      } else if (this.#waiting.has(id)) {
        this.#waiting.get(id)(result);
        this.#waiting.delete(id);
      }
    }
  }

  class Element {
    #handlers = new Map(ELEMENT_EVENTS.map((name) => [name, new Set()]));

    constructor(key, kind) {
      Object.assign(this, { key, kind });
    }

    mount(target) {
      const place = typeof target === "string" ? document.querySelector(target) : target;
      if (!place) {
        usage(`there is nothing at ${target} to mount on`);
      }
      this.unmount();
      place.replaceChildren();
      this.frame = new Frame(this.key, "card", place, (name, detail) => this.#tell(name, detail));
    }

    on(name, handler) {
      (this.#handlers.get(name) ?? usage(`an element has no event ${name}`)).add(handler);
      return this;
    }

    once(name, handler) {
      const first = (detail) => { this.off(name, first); handler(detail); };
      return this.on(name, first);
    }

    off(name, handler) {
      this.#handlers.get(name)?.delete(handler);
      return this;
    }

    unmount() {
      this.frame?.remove();
      this.frame = undefined;
    }

    destroy() { this.unmount(); }
    update() {}
    focus() { this.frame?.ask("focus"); }
    clear() { this.frame?.ask("clear"); }
    collapse() {}

    #tell(name, detail) {
      const about = { elementType: this.kind, ...detail };
      this.#handlers.get(name)?.forEach((handler) => handler(about));
    }
  }

  class Elements {
    constructor(key, options = {}) {
      Object.assign(this, { key, clientSecret: options.clientSecret });
    }

    create(kind) {
      if (kind !== "payment") {
        usage(`the sandbox has the Payment Element only, not ${kind}`);
      }
      this.element?.destroy();
      this.element = new Element(this.key, kind);
      return this.element;
    }

    getElement(kind) {
      return this.element?.kind === kind ? this.element : null;
    }

    update(options) {
      this.clientSecret = options?.clientSecret ?? this.clientSecret;
    }

    async fetchUpdates() { return {}; }

    /** Whether what is typed is whole; says beside the field what is not. */
    async submit() {
      if (!this.element?.frame) {
        usage("mount the Payment Element before submitting it");
      }
      return this.element.frame.ask("submit");
    }
  }

  class StripeStandIn {
    constructor(key) {
      this.key = key;
    }

    elements(options) {
      return new Elements(this.key, options);
    }

    async retrievePaymentIntent(clientSecret) {
      return this.#frame().ask("retrieve", { clientSecret });
    }

    async confirmPayment({ elements, clientSecret, confirmParams = {}, redirect = "always" } = {}) {
      const secret = clientSecret ?? elements?.clientSecret;
      if (!elements?.element?.frame || !secret) {
        usage("confirmPayment needs elements with a mounted Payment Element, and a clientSecret");
      }
      if (redirect === "always" && !confirmParams.return_url) {
        usage("confirmPayment needs confirmParams.return_url, or redirect: 'if_required'");
      }
      const checked = await elements.submit();
      if (checked.error) {
        return checked;
      }
      const back = confirmParams.return_url ?? location.href;
      const billing = confirmParams.payment_method_data?.billing_details;
      let answer = await elements.element.frame.ask("confirm", { clientSecret: secret, back, billing });
      if (answer.paymentIntent?.status === "requires_action") {
        answer = await this.#challenge(answer.paymentIntent);
      }
      if (!answer.error && redirect === "always") {
        location.assign(returnAddress(back, answer.paymentIntent));
        return new Promise(() => {});
      }
      return answer;
    }

    async handleNextAction({ clientSecret }) {
      const answer = await this.retrievePaymentIntent(clientSecret);
      return answer.paymentIntent?.status === "requires_action" ? this.#challenge(answer.paymentIntent) : answer;
    }

    /** The bank's question, over the merchant's page until it is answered. */
    async #challenge(intent) {
      const cover = document.createElement("dialog");
      Object.assign(cover.style, { padding: "0", border: "0", width: "min(440px, 100%)", height: "min(520px, 100%)" });
      cover.setAttribute("aria-label", "Your bank asks");
      cover.addEventListener("cancel", (event) => event.preventDefault());
      const frame = document.createElement("iframe");
      frame.title = "Your bank asks";
      frame.src = `${HOME}/c/authenticate/${encodeURIComponent(intent.id)}?s=${encodeURIComponent(intent.client_secret)}`;
      Object.assign(frame.style, { width: "100%", height: "100%", border: "0" });
      cover.append(frame);
      document.body.append(cover);
      cover.showModal();
      const end = Date.now() + CHALLENGE_MS_MAX;
      let answer = { paymentIntent: intent };
      while (answer.paymentIntent?.status === "requires_action" && Date.now() < end) {
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
        answer = await this.retrievePaymentIntent(intent.client_secret);
      }
      cover.remove();
      const failed = answer.paymentIntent?.last_payment_error;
      return failed ? { error: { ...failed, payment_intent: answer.paymentIntent } } : answer;
    }

    #frame() {
      this.hidden ??= new Frame(this.key, "api", document.body);
      return this.hidden;
    }
  }

  function returnAddress(back, intent) {
    const address = new URL(back, location.href);
    address.searchParams.set("payment_intent", intent.id);
    address.searchParams.set("payment_intent_client_secret", intent.client_secret);
    address.searchParams.set("redirect_status", "succeeded");
    return address.href;
  }

  function Stripe(key) {
    if (typeof key !== "string" || !key.startsWith("pk_test_")) {
      usage("call Stripe() with a publishable test key (pk_test_…); secret and live keys have no place here");
    }
    if (!window.isSecureContext) {
      usage("the page must come over https, or from this machine");
    }
    return new StripeStandIn(key);
  }
  Stripe.version = 3;
  window.Stripe = Stripe;
})();
