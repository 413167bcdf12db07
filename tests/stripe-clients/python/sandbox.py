"""The real `holdfast sandbox` for tests, and a merchant's endpoint that verifies with Stripe's own code."""
import http.server
import os
import queue
import re
import subprocess
import threading
import unittest
import urllib.parse
import urllib.request

import stripe

BINARY = os.environ["HOLDFAST_BIN_DIR"] + "/holdfast"
# Longest wait for anything, on a machine that also compiles, in seconds.
WAIT_S_MAX = 30


class Sandbox:
    """One process; its address once it says so."""

    def __init__(self, *arguments):
        command = [BINARY, "sandbox", "--listen", "127.0.0.1:0", *arguments]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        said = self.process.stdout.readline()
        assert said.startswith("listening on "), said
        self.url = said.split()[-1]

    def client(self, key="sk_test_python", **options):
        """Stripe's client, unchanged but for the base address."""
        return stripe.StripeClient(key, base_addresses={"api": self.url}, max_network_retries=0, **options)

    def lever(self, name, method="POST", body="", **fields):
        body = (body or urllib.parse.urlencode(fields)).encode()
        request = urllib.request.Request(f"{self.url}/_sandbox/{name}", data=body, method=method)
        return urllib.request.urlopen(request, timeout=WAIT_S_MAX).read()

    def roll(self, endpoint, overlap_s):
        """Rolls a signing secret, as somebody at the dashboard would."""
        return self.dashboard(f"webhooks/{endpoint}/roll", overlap_s=overlap_s)

    def reveal(self, endpoint):
        return re.search("whsec_[0-9A-Za-z]+", self.dashboard(f"webhooks/{endpoint}/reveal")).group()

    def dashboard(self, place, **fields):
        body = urllib.parse.urlencode(fields).encode()
        return urllib.request.urlopen(f"{self.url}/dashboard/{place}", data=body, timeout=WAIT_S_MAX).read().decode()

    def pay(self, page, number):
        """Presses Pay on the hosted page, as a browser without script would."""
        fields = {"cardNumber": number, "cardExpiry": "12 / 34", "cardCvc": "123", "billingName": "Sam Payer"}
        opener = urllib.request.build_opener(NoRedirect())
        try:
            opener.open(page, data=urllib.parse.urlencode(fields).encode(), timeout=WAIT_S_MAX)
        except urllib.error.HTTPError as answer:
            return answer.code

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


class Endpoint:
    """Hears deliveries; keeps each as Stripe's library reads it, or the error that it raises."""

    def __init__(self):
        self.secret = None
        self.answers = []
        self.raw = queue.Queue()
        endpoint = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                endpoint.raw.put((body, self.headers["Stripe-Signature"]))
                self.send_response(endpoint.answers.pop(0) if endpoint.answers else 200)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def next(self, secret=None, tolerance=300):
        body, signature = self.raw.get(timeout=WAIT_S_MAX)
        return stripe.Webhook.construct_event(body, signature, secret or self.secret, tolerance)

    def until(self, kind):
        while True:
            event = self.next()
            if event.type == kind:
                return event

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class SandboxTest(unittest.TestCase):
    """Tests that share one sandbox for each class."""

    arguments = ()

    @classmethod
    def setUpClass(cls):
        cls.sandbox = Sandbox(*cls.arguments)
        cls.stripe = cls.sandbox.client()

    @classmethod
    def tearDownClass(cls):
        cls.sandbox.stop()

    def charge(self, card="visa", **more):
        """A PaymentIntent of 20.00 dollars, confirmed at once."""
        return self.stripe.v1.payment_intents.create({
            "amount": 2000, "currency": "usd", "payment_method": f"pm_card_{card}", "confirm": True,
            "payment_method_types": ["card"], **more,
        })

    def session(self, **more):
        line = {"price_data": {"currency": "usd", "unit_amount": 1250, "product_data": {"name": "Parking fine"}},
                "quantity": 2}
        return self.stripe.v1.checkout.sessions.create({
            "mode": "payment", "line_items": [line], "success_url": "https://example.com/s?id={CHECKOUT_SESSION_ID}",
            "client_reference_id": "p-1", "metadata": {"payment": "p-1"},
            "payment_intent_data": {"metadata": {"payment": "p-1"}}, **more,
        })
