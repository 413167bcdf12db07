"""PaymentIntents, payment methods, customers and Checkout Sessions by Stripe's Python library."""
import time

import stripe

from sandbox import SandboxTest

# Card, code, decline code, param, advice: the decline table of Stripe's test mode.
DECLINES = [
    ("visa_chargeDeclined", "card_declined", "generic_decline", None, "try_again_later"),
    ("visa_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds", None, "try_again_later"),
    ("visa_chargeDeclinedLostCard", "card_declined", "lost_card", None, "do_not_try_again"),
    ("visa_chargeDeclinedStolenCard", "card_declined", "stolen_card", None, "do_not_try_again"),
    ("chargeDeclinedExpiredCard", "expired_card", None, "exp_month", "confirm_card_data"),
    ("chargeDeclinedIncorrectCvc", "incorrect_cvc", None, "cvc", "confirm_card_data"),
    ("chargeDeclinedProcessingError", "processing_error", None, None, "try_again_later"),
]


class PaymentIntents(SandboxTest):
    def test_create_retrieve_update_confirm_and_list(self):
        calls = self.stripe.v1.payment_intents
        made = calls.create({"amount": 1000, "currency": "usd", "payment_method_types": ["card"], "metadata": {"a": "b"}})
        self.assertEqual((made.status, made.metadata["a"]), ("requires_payment_method", "b"))
        self.assertEqual(calls.retrieve(made.id).client_secret, made.client_secret)
        changed = calls.update(made.id, {"amount": 1200, "metadata": {"a": "", "c": "d"}})
        self.assertEqual((changed.amount, changed.metadata.to_dict()), (1200, {"c": "d"}))
        paid = calls.confirm(made.id, {"payment_method": "pm_card_visa", "expand": ["latest_charge.balance_transaction"]})
        self.assertEqual((paid.status, paid.amount_received), ("succeeded", 1200))
        self.assertEqual(paid.latest_charge.balance_transaction.net, 1200 - 65)
        self.assertIn(made.id, [it.id for it in calls.list({"limit": 100}).data])

    def test_capture_and_cancel(self):
        calls = self.stripe.v1.payment_intents
        held = self.charge(capture_method="manual")
        self.assertEqual((held.status, held.amount_capturable), ("requires_capture", 2000))
        self.assertEqual(calls.capture(held.id, {"amount_to_capture": 1500}).amount_received, 1500)
        gone = calls.cancel(self.charge(capture_method="manual").id, {"cancellation_reason": "abandoned"})
        self.assertEqual((gone.status, gone.cancellation_reason), ("canceled", "abandoned"))

    def test_each_decline_is_a_card_error_with_its_codes(self):
        for card, code, decline_code, param, advice in DECLINES:
            with self.subTest(card), self.assertRaises(stripe.CardError) as caught:
                self.charge(card)
            error = caught.exception
            self.assertEqual((error.http_status, error.code, error.param), (402, code, param), card)
            self.assertEqual(error.error.decline_code, decline_code, card)
            self.assertEqual(error.error.advice_code, advice, card)
            self.assertTrue(error.error.doc_url and error.request_id.startswith("req_"))
            left = error.error.payment_intent
            self.assertEqual(left.status, "requires_payment_method")
            again = self.stripe.v1.payment_intents.confirm(left.id, {"payment_method": "pm_card_visa"})
            self.assertEqual(again.status, "succeeded")

    def test_a_bank_that_asks(self):
        waiting = self.charge("threeDSecure2Required", return_url="https://example.com/back")
        self.assertEqual((waiting.status, waiting.next_action.type), ("requires_action", "redirect_to_url"))
        with self.assertRaises(stripe.CardError) as caught:
            self.charge("authenticationRequired", off_session=True)
        self.assertEqual(caught.exception.code, "authentication_required")

    def test_pages_go_through_everything_once(self):
        made = {self.charge().id for _ in range(7)}
        first = self.stripe.v1.payment_intents.list({"limit": 3, "created": {"gte": int(time.time()) - 3600}})
        self.assertTrue(first.has_more)
        listed = [it.id for it in first.auto_paging_iter()]
        self.assertEqual(len(listed), len(set(listed)))
        self.assertLessEqual(made, set(listed))
        newer = self.stripe.v1.payment_intents.list({"limit": 2, "ending_before": listed[2]})
        self.assertEqual([it.id for it in newer.data], listed[:2])


class PaymentMethodsAndCustomers(SandboxTest):
    def test_attach_list_and_detach(self):
        customer = self.stripe.v1.customers.create({"email": "ada@example.com", "name": "Ada"})
        method = self.stripe.v1.payment_methods.create({"type": "card", "card": {"token": "tok_mastercard"}})
        self.stripe.v1.payment_methods.attach(method.id, {"customer": customer.id})
        listed = self.stripe.v1.payment_methods.list({"customer": customer.id, "type": "card"})
        self.assertEqual([it.card.last4 for it in listed.data], ["4444"])
        self.assertEqual(self.stripe.v1.payment_methods.retrieve(method.id).customer, customer.id)
        paid = self.stripe.v1.payment_intents.create({
            "amount": 1000, "currency": "usd", "customer": customer.id, "payment_method": method.id, "confirm": True,
            "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
        })
        self.assertEqual((paid.status, paid.customer), ("succeeded", customer.id))
        self.assertEqual(self.stripe.v1.charges.list({"customer": customer.id}).data[0].payment_method, method.id)
        self.assertIsNone(self.stripe.v1.payment_methods.detach(method.id).customer)

    def test_a_customer_from_beginning_to_end(self):
        customers = self.stripe.v1.customers
        made = customers.create({"email": "bo@example.com", "metadata": {"a": "b"}})
        self.assertEqual(customers.update(made.id, {"name": "Bo"}).name, "Bo")
        self.assertEqual(customers.retrieve(made.id).email, "bo@example.com")
        self.assertEqual([it.id for it in customers.list({"email": "bo@example.com"}).data], [made.id])
        self.assertTrue(customers.delete(made.id).deleted)
        self.assertTrue(customers.retrieve(made.id).deleted)

    def test_card_numbers_are_not_taken_from_a_server(self):
        card = {"number": "4242424242424242", "exp_month": 12, "exp_year": 2034, "cvc": "123"}
        with self.assertRaises(stripe.StripeError) as caught:
            self.stripe.v1.payment_methods.create({"type": "card", "card": card})
        self.assertIn("Sending credit card numbers directly", caught.exception.user_message)


class CheckoutSessions(SandboxTest):
    def test_a_session_is_paid_on_its_page(self):
        sessions = self.stripe.v1.checkout.sessions
        made = self.session()
        self.assertEqual((made.status, made.payment_status, made.payment_intent), ("open", "unpaid", None))
        self.assertEqual(self.sandbox.pay(made.url, "4000 0000 0000 0002"), 402)
        self.assertEqual(self.sandbox.pay(made.url, "4242 4242 4242 4242"), 303)
        paid = sessions.retrieve(made.id, {"expand": ["payment_intent.latest_charge", "line_items.data.price.product"]})
        self.assertEqual((paid.status, paid.payment_status, paid.url), ("complete", "paid", None))
        self.assertEqual(paid.payment_intent.metadata["payment"], "p-1")
        self.assertEqual(paid.payment_intent.latest_charge.payment_method_details.card.last4, "4242")
        self.assertEqual(paid.line_items.data[0].price.product.name, "Parking fine")
        lines = sessions.line_items.list(made.id, {"limit": 5})
        self.assertEqual([line.amount_total for line in lines.data], [2500])

    def test_expire_and_list(self):
        sessions = self.stripe.v1.checkout.sessions
        made = self.session()
        self.assertEqual(sessions.expire(made.id).status, "expired")
        with self.assertRaises(stripe.InvalidRequestError):
            sessions.expire(made.id)
        window = {"created": {"gte": made.created, "lte": made.created}, "status": "expired"}
        self.assertIn(made.id, [it.id for it in sessions.list(window).data])

    def test_a_line_may_name_a_price(self):
        product = self.stripe.v1.products.create({"name": "Permit"})
        price = self.stripe.v1.prices.create({"product": product.id, "currency": "usd", "unit_amount": 700})
        made = self.session(line_items=[{"price": price.id, "quantity": 3}])
        self.assertEqual(made.amount_total, 2100)
        self.assertEqual(self.stripe.v1.prices.retrieve(price.id).product, product.id)
        self.assertEqual(self.stripe.v1.products.retrieve(product.id).name, "Permit")
        self.assertEqual([it.id for it in self.stripe.v1.products.list().data], [product.id])
        self.assertEqual([it.id for it in self.stripe.v1.prices.list({"product": product.id}).data], [price.id])
