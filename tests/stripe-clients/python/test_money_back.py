"""Charges, refunds, disputes, the books and the account by Stripe's Python library."""
import stripe

from sandbox import SandboxTest


class MoneyBack(SandboxTest):
    def test_refunds_of_all_kinds(self):
        refunds = self.stripe.v1.refunds
        paid = self.charge()
        part = refunds.create({"payment_intent": paid.id, "amount": 500, "reason": "requested_by_customer"})
        self.assertEqual((part.status, part.amount), ("succeeded", 500))
        with self.assertRaises(stripe.InvalidRequestError) as caught:
            refunds.create({"payment_intent": paid.id, "amount": 1501})
        self.assertEqual(caught.exception.param, "amount")
        rest = refunds.create({"charge": paid.latest_charge})
        self.assertEqual(rest.amount, 1500)
        with self.assertRaises(stripe.InvalidRequestError) as caught:
            refunds.create({"charge": paid.latest_charge})
        self.assertEqual(caught.exception.code, "charge_already_refunded")
        self.assertEqual(refunds.update(part.id, {"metadata": {"why": "kind"}}).metadata["why"], "kind")
        self.assertEqual(refunds.retrieve(part.id).charge, paid.latest_charge)
        self.assertEqual({it.id for it in refunds.list({"payment_intent": paid.id}).data}, {part.id, rest.id})
        with self.assertRaises(stripe.InvalidRequestError):
            refunds.cancel(part.id)

    def test_refunds_that_take_their_time(self):
        pending = self.stripe.v1.refunds.create({"payment_intent": self.charge("pendingRefund").id})
        failing = self.stripe.v1.refunds.create({"payment_intent": self.charge("refundFail").id})
        self.assertEqual((pending.status, failing.status), ("pending", "succeeded"))
        self.sandbox.lever("clock", advance_s=10)
        self.assertEqual(self.stripe.v1.refunds.retrieve(pending.id).status, "succeeded")
        failed = self.stripe.v1.refunds.retrieve(failing.id)
        self.assertEqual(failed.status, "failed")
        self.assertTrue(failed.failure_reason and failed.failure_balance_transaction)

    def test_a_refund_that_waits_for_the_payer_is_canceled(self):
        refunds = self.stripe.v1.refunds
        paid = self.charge()
        made = refunds.create({"payment_intent": paid.id, "instructions_email": "sam@example.com"})
        self.assertEqual((made.status, made.next_action.type), ("requires_action", "display_details"))
        self.assertEqual(made.next_action.display_details.email_sent.email_sent_to, "sam@example.com")
        canceled = refunds.cancel(made.id)
        self.assertEqual((canceled.status, canceled.failure_reason), ("canceled", "merchant_request"))
        with self.assertRaises(stripe.InvalidRequestError) as caught:
            refunds.cancel(made.id)
        self.assertIn("has a status of canceled", caught.exception.user_message)
        self.assertEqual(self.stripe.v1.charges.retrieve(paid.latest_charge).amount_refunded, 0)

    def test_a_dispute(self):
        paid = self.charge("createDispute")
        self.sandbox.lever("clock", advance_s=10)
        [dispute] = self.stripe.v1.disputes.list({"payment_intent": paid.id}).data
        self.assertEqual((dispute.status, dispute.amount), ("needs_response", 2000))
        self.assertEqual(self.stripe.v1.disputes.retrieve(dispute.id).charge, paid.latest_charge)
        self.assertTrue(self.stripe.v1.charges.retrieve(paid.latest_charge).disputed)
        evidence = {"evidence": {"uncategorized_text": "winning_evidence"}}
        self.assertEqual(self.stripe.v1.disputes.update(dispute.id, evidence).status, "won")

    def test_charges_and_the_books(self):
        paid = self.charge(description="Tea")
        charge = self.stripe.v1.charges.retrieve(paid.latest_charge, {"expand": ["balance_transaction"]})
        self.assertEqual((charge.description, charge.balance_transaction.fee), ("Tea", 88))
        [listed] = self.stripe.v1.charges.list({"payment_intent": paid.id}).data
        self.assertEqual(listed.id, charge.id)
        entry = self.stripe.v1.balance_transactions.retrieve(charge.balance_transaction.id)
        self.assertEqual((entry.type, entry.source), ("charge", charge.id))
        [of_charge] = self.stripe.v1.balance_transactions.list({"source": charge.id}).data
        self.assertEqual(of_charge.id, entry.id)
        self.assertEqual(self.stripe.v1.balance.retrieve().pending[0].currency, "usd")

    def test_the_account(self):
        account = self.stripe.v1.accounts.retrieve_current()
        self.assertTrue(account.id.startswith("acct_") and account.charges_enabled)
