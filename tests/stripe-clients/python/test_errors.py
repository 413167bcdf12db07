"""How the sandbox refuses, by the exceptions of Stripe's Python library; idempotency; restricted keys."""
import stripe

from sandbox import SandboxTest

INTENT = {"amount": 1000, "currency": "usd"}


class Refusals(SandboxTest):
    def test_keys(self):
        for key, words in [("_".join(["sk", "live", "python1234567890"]), "Invalid API Key provided"), ("pk_test_a", "publishable")]:
            with self.assertRaises(stripe.AuthenticationError) as caught:
                self.sandbox.client(key).v1.charges.list()
            self.assertEqual(caught.exception.http_status, 401)
            self.assertIn(words, caught.exception.user_message)

    def test_what_is_not_there_and_what_is_not_known(self):
        with self.assertRaises(stripe.InvalidRequestError) as caught:
            self.stripe.v1.charges.retrieve("ch_none")
        self.assertEqual((caught.exception.http_status, caught.exception.code), (404, "resource_missing"))
        self.assertEqual(caught.exception.user_message, "No such charge: 'ch_none'")
        with self.assertRaises(stripe.InvalidRequestError) as caught:
            self.stripe.v1.payment_intents.create({**INTENT, "colour": "red"})
        self.assertEqual((caught.exception.code, caught.exception.param), ("parameter_unknown", "colour"))

    def test_idempotency(self):
        calls = self.stripe.v1.payment_intents
        with_key = {"idempotency_key": "python-1"}
        first = calls.create(INTENT, with_key)
        again = calls.create(INTENT, with_key)
        self.assertEqual(first.id, again.id)
        self.assertEqual(again.last_response.headers["idempotent-replayed"], "true")
        with self.assertRaises(stripe.IdempotencyError):
            calls.create({**INTENT, "amount": 1001}, with_key)
        with self.assertRaises(stripe.IdempotencyError):
            self.stripe.v1.customers.create({}, with_key)
        self.sandbox.lever("clock", advance_s=24 * 3600)
        self.assertNotEqual(calls.create(INTENT, with_key).id, first.id)


class Storms(SandboxTest):
    def setUp(self):
        self.addCleanup(lambda: self.sandbox.lever("faults", "DELETE"))

    def fails(self, rule):
        self.sandbox.lever("faults", "PUT", rule)
        try:
            self.stripe.v1.payment_intents.create(INTENT)
        except stripe.StripeError as error:
            return type(error), error.http_status
        return None

    def test_each_storm_is_its_exception(self):
        self.assertEqual(self.fails("429"), (stripe.RateLimitError, 429))
        self.assertEqual(self.fails("500"), (stripe.APIError, 500))
        self.assertEqual(self.fails("503"), (stripe.APIError, 503))
        self.assertEqual(self.fails("drop"), (stripe.APIConnectionError, None))
        self.assertEqual(self.fails("truncate")[0], stripe.APIConnectionError)

    def test_the_library_tries_again_and_nothing_is_doubled(self):
        patient = stripe.StripeClient("sk_test_python", base_addresses={"api": self.sandbox.url}, max_network_retries=2)
        for rule in ["POST 409 x1", "POST 503 x1", "POST drop-after x1", "POST truncate-after x1"]:
            self.sandbox.lever("faults", "PUT", rule)
            before = len(self.stripe.v1.payment_intents.list({"limit": 100}).data)
            patient.v1.payment_intents.create(INTENT)
            after = len(self.stripe.v1.payment_intents.list({"limit": 100}).data)
            self.assertEqual(after, before + 1, rule)


class RestrictedKeys(SandboxTest):
    arguments = ("--api-key", "sk_test_python", "--api-key", "rk_test_python123456=charge_read")

    def test_what_is_not_allowed_is_named(self):
        clerk = self.sandbox.client("rk_test_python123456")
        self.assertEqual(clerk.v1.charges.list().data, [])
        with self.assertRaises(stripe.PermissionError) as caught:
            clerk.v1.refunds.create({"charge": "ch_none"})
        self.assertIn("rak_charge_write", caught.exception.user_message)
        with self.assertRaises(stripe.AuthenticationError):
            self.sandbox.client("sk_test_stranger").v1.charges.list()
