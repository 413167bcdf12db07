"""Events and webhook endpoints by Stripe's Python library: real deliveries, verified by its own code."""
import stripe

from sandbox import Endpoint, SandboxTest, WAIT_S_MAX


class Webhooks(SandboxTest):
    def setUp(self):
        self.endpoint = Endpoint()
        self.addCleanup(self.endpoint.stop)

    def register(self, *events):
        made = self.stripe.v1.webhook_endpoints.create({"url": self.endpoint.url, "enabled_events": list(events)})
        self.addCleanup(lambda: self.stripe.v1.webhook_endpoints.delete(made.id))
        self.endpoint.secret = made.secret
        return made

    def test_a_delivery_is_verified_and_its_object_read(self):
        self.register("payment_intent.succeeded")
        paid = self.charge()
        event = self.endpoint.next()
        self.assertEqual((event.type, event.data.object.id), ("payment_intent.succeeded", paid.id))
        self.assertEqual(self.stripe.v1.events.retrieve(event.id).data.object.id, paid.id)
        self.assertIsNotNone(event.request.id)

    def test_a_foreign_secret_is_found_out(self):
        self.register("payment_intent.created")
        self.charge()
        with self.assertRaises(stripe.SignatureVerificationError):
            self.endpoint.next(secret="whsec_foreign")

    def test_during_a_roll_both_secrets_verify_and_the_decoy_does_not_matter(self):
        made = self.register("payment_intent.created")
        self.sandbox.roll(made.id, overlap_s=3600)
        new = self.sandbox.reveal(made.id)
        self.assertNotEqual(new, made.secret)
        self.charge()
        body, signature = self.endpoint.raw.get(timeout=WAIT_S_MAX)
        self.assertEqual((signature.count(",v1="), signature.count(",v0=")), (2, 1))
        for secret in [made.secret, new]:
            self.assertEqual(stripe.Webhook.construct_event(body, signature, secret).type, "payment_intent.created")

    def test_a_failed_delivery_comes_again_signed_anew(self):
        self.register("payment_intent.created")
        self.endpoint.answers = [500]
        self.charge()
        first = self.endpoint.next()
        self.sandbox.lever("clock", advance_s=5)
        self.assertEqual(self.endpoint.next(tolerance=None).id, first.id)

    def test_an_endpoint_from_beginning_to_end(self):
        calls = self.stripe.v1.webhook_endpoints
        made = calls.create({"url": self.endpoint.url, "enabled_events": ["*"], "description": "all"})
        self.assertTrue(made.secret.startswith("whsec_"))
        self.assertFalse(hasattr(calls.retrieve(made.id), "secret"), "shown once")
        changed = calls.update(made.id, {"enabled_events": ["charge.failed"], "disabled": True})
        self.assertEqual((changed.status, changed.enabled_events), ("disabled", ["charge.failed"]))
        self.assertIn(made.id, [it.id for it in calls.list().data])
        self.assertTrue(calls.delete(made.id).deleted)

    def test_events_by_type_time_and_delivery(self):
        paid = self.charge()
        events = self.stripe.v1.events
        listed = events.list({"type": "payment_intent.succeeded", "created": {"gte": paid.created}})
        self.assertIn(paid.id, [it.data.object.id for it in listed.data])
        both = events.list({"types": ["charge.succeeded", "payment_intent.succeeded"], "limit": 2})
        self.assertEqual({it.type for it in both.data}, {"charge.succeeded", "payment_intent.succeeded"})
        self.sandbox.lever("faults", "PUT", "webhook-lose")
        self.addCleanup(lambda: self.sandbox.lever("faults", "DELETE"))
        self.register("payment_intent.created")
        lost = self.charge()
        undelivered = events.list({"delivery_success": False})
        self.assertEqual([it.data.object.id for it in undelivered.data], [lost.id])

    def test_every_trigger_that_the_gateway_needs_arrives(self):
        wanted = ["checkout.session.completed", "checkout.session.expired", "checkout.session.async_payment_succeeded",
                  "checkout.session.async_payment_failed", "payment_intent.succeeded", "payment_intent.payment_failed",
                  "payment_intent.canceled", "payment_intent.processing", "refund.created", "refund.updated",
                  "refund.failed", "charge.refunded", "charge.dispute.created", "charge.dispute.closed"]
        self.register(*wanted)
        for kind in wanted:
            self.sandbox.lever("trigger", type=kind)
            self.assertEqual(self.endpoint.until(kind).type, kind)
