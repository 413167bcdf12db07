// Inside the sandbox's frame: the card form, and the only place that talks to the API for a
// browser. Questions come from the page that embeds the frame, whose origin was named when it was
// made; answers go back to that origin alone.
"use strict";
const about = new URLSearchParams(location.hash.slice(1));
const [role, key, parentOrigin, nonce] = ["role", "key", "parent", "nonce"].map((name) => about.get(name));
const form = document.querySelector("form");
const field = (name) => form.elements[name];

const tell = (message) => window.parent.postMessage({ nonce, ...message }, parentOrigin);

/** One call of the API with the publishable key: `{ error }`, or the object under its name. */
async function call(method, path, fields, name) {
  const body = new URLSearchParams(fields);
  const address = method === "GET" ? `${path}?${body}` : path;
  try {
    const answer = await fetch(address, {
      method,
      headers: { authorization: `Bearer ${key}` },
      body: method === "GET" ? undefined : body,
    });
    const value = await answer.json();
    return value.error ? { error: value.error } : { [name]: value };
  } catch {
    return { error: { type: "api_connection_error", message: "We could not reach the payment service. Try again." } };
  }
}

const intentOf = (clientSecret) => `/v1/payment_intents/${encodeURIComponent(String(clientSecret).split("_secret_")[0])}`;

/** What is wrong with the form before anybody is asked, by field. */
function faults() {
  const digits = (name) => field(name).value.replaceAll(/\D/g, "");
  const found = {};
  if (digits("number").length < 12) {
    found.number = "Your card number is incomplete.";
  }
  if (!/^\d{1,2}\s*\/\s*(\d{2}|\d{4})$/.test(field("expiry").value.trim())) {
    found.expiry = "Your card's expiration date is incomplete. Write it as MM / YY.";
  }
  if (digits("cvc").length < 3) {
    found.cvc = "Your card's security code is incomplete.";
  }
  return found;
}

function show(found) {
  for (const name of ["number", "expiry", "cvc"]) {
    const text = found[name] ?? "";
    document.getElementById(`${name}-fault`).textContent = text;
    field(name).toggleAttribute("aria-invalid", Boolean(text));
  }
  resize();
}

const resize = () => tell({ name: "height", detail: document.documentElement.scrollHeight });

const calls = {
  focus: () => field("number").focus(),
  clear: () => form.reset(),
  submit: () => {
    const found = faults();
    show(found);
    const [message] = Object.values(found);
    if (message) {
      field(Object.keys(found)[0]).focus();
      return { error: { type: "validation_error", code: "incomplete_card", message } };
    }
    return {};
  },
  retrieve: ({ clientSecret }) => call("GET", intentOf(clientSecret), { client_secret: clientSecret }, "paymentIntent"),
  confirm: async ({ clientSecret, back, billing }) => {
    const [month, year] = field("expiry").value.split("/").map((part) => part.trim());
    const card = {
      type: "card", "card[number]": field("number").value, "card[exp_month]": month, "card[exp_year]": year,
      "card[cvc]": field("cvc").value,
    };
    for (const name of ["name", "email", "phone"]) {
      if (billing?.[name]) {
        card[`billing_details[${name}]`] = billing[name];
      }
    }
    const made = await call("POST", "/v1/payment_methods", card, "method");
    if (made.error) {
      return made;
    }
    return call("POST", `${intentOf(clientSecret)}/confirm`, {
      payment_method: made.method.id, client_secret: clientSecret, return_url: back, use_stripe_sdk: "true",
    }, "paymentIntent");
  },
};

window.addEventListener("message", async (event) => {
  if (event.source !== window.parent || event.origin !== parentOrigin || event.data?.nonce !== nonce) {
    return;
  }
  const { id, call: name, args } = event.data;
  if (Object.hasOwn(calls, name)) {
    tell({ id, result: (await calls[name](args)) ?? {} });
  }
});

form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("input", () => {
  const empty = ["number", "expiry", "cvc"].every((name) => !field(name).value);
  const complete = Object.keys(faults()).length === 0;
  tell({ name: "change", detail: { empty, complete, collapsed: false, value: { type: "card" } } });
});
form.addEventListener("focusin", () => tell({ name: "focus" }));
form.addEventListener("focusout", () => tell({ name: "blur" }));
form.hidden = role !== "card";
tell({ name: "ready" });
resize();
