//! The suite that every store passes: the ledger's promises, each as a check on a fresh store.
//!
//! A store's tests make a [`Bench`] and call [`check_all`]. The checks panic where a promise is
//! broken, as tests do.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "this is test code that other crates run too"
)]

mod accepting;
mod approving;
mod cash;
mod claiming;
mod fixture;
mod giving_up;
mod interleaving;
mod jobs;
mod live_mode;
mod losing;
mod recovering;
mod refunds;
mod returning;
mod settling;
mod whole_life;

pub use fixture::{
    Bench, NOW_MS, catalogue, device, gateway, held_payment, notice, opened_attempt, order,
    payload, payment_type, proposal, tenant,
};

/// Runs every check, each on a store of its own.
pub async fn check_all<B: Bench>(make: impl AsyncFn() -> B) {
    macro_rules! each {
        ($($check:path),* $(,)?) => {$({
            let bench = make().await;
            fixture::furnish(&bench).await;
            Box::pin($check(&bench)).await;
        })*};
    }
    each!(
        accepting::the_same_order_again_is_answered_as_before,
        accepting::another_payload_with_the_same_id_is_a_conflict,
        accepting::refused_orders_leave_nothing_behind,
        accepting::a_known_order_is_answered_after_its_lifetime,
        approving::what_a_revoked_handheld_held_waits_for_a_person,
        approving::what_is_not_genuine_is_given_up,
        approving::an_unapproved_hold_stands_in_nobodys_way,
        approving::cash_of_a_revoked_handheld_is_money_once_it_is_approved,
        approving::a_revoked_handheld_has_room_for_so_many_and_again_once_one_is_decided,
        settling::two_payers_at_once_share_one_attempt,
        settling::a_new_attempt_needs_proof_that_the_last_is_over,
        settling::evidence_makes_one_order_however_often_it_comes,
        settling::concurrent_evidence_makes_one_order,
        whole_life::every_order_of_a_whole_life_ends_alike,
        settling::a_refused_request_needs_a_person,
        settling::the_end_of_the_lifetime_expires_only_what_is_unpaid,
        settling::every_change_has_a_revision_of_its_own,
        giving_up::a_payment_that_nobody_opened_is_canceled_at_once,
        giving_up::an_open_payment_is_canceled_only_with_proof,
        giving_up::paid_wins_over_cancel_and_withdraw,
        giving_up::an_order_that_was_given_up_before_it_came_is_refused,
        giving_up::a_handheld_speaks_for_what_it_held_before,
        live_mode::a_live_order_is_refused_while_live_mode_is_off,
        live_mode::a_trial_is_for_named_officers_and_small_sums,
        refunds::the_same_form_sent_twice_is_one_refund,
        refunds::a_second_form_is_told_what_the_first_did,
        refunds::while_one_is_undecided_no_other_begins,
        refunds::never_more_goes_back_than_came,
        refunds::concurrent_forms_make_one_refund,
        refunds::stripes_object_says_how_a_refund_stands,
        refunds::a_dispute_is_told_and_stops_refunds,
        refunds::a_refused_refund_is_told,
        refunds::a_refund_is_followed_for_weeks,
        claiming::a_charge_line_must_be_what_is_owed,
        claiming::the_second_waits_until_the_first_is_given_up,
        claiming::a_duplicate_is_taken_and_parked_as_already_paid,
        cash::cash_beside_a_card_ends_the_card_page,
        cash::voided_cash_gives_the_charge_back,
        cash::cash_is_voided_by_rule_only,
        cash::cash_whose_order_is_refused_is_kept_until_somebody_acts,
        cash::a_handheld_has_room_for_so_much_refused_cash_and_again_once_some_is_handled,
        claiming::the_same_money_twice_is_told_from_other_money,
        claiming::a_trial_settles_nothing,
        claiming::charges_are_written_all_or_none,
        returning::what_went_back_is_owed_again,
        returning::a_part_that_went_back_leaves_the_charge_settled,
        returning::a_refund_that_fails_settles_the_charge_again,
        returning::a_charge_is_canceled_with_its_refund,
        returning::money_that_waited_settles_what_another_gave_back,
        returning::the_automatic_refund_reopens_nothing,
        losing::a_lost_dispute_settles_until_somebody_says_otherwise,
        losing::reading_of_a_loss_decides_nothing,
        losing::every_order_of_a_loss_ends_alike,
        returning::who_changes_a_charge_has_seen_how_it_stands,
        interleaving::no_interleaving_settles_a_charge_twice,
        recovering::until_stripe_was_asked_nothing_new_is_opened,
        recovering::a_page_found_before_its_order_is_its_attempt,
        recovering::a_page_without_its_order_is_followed_until_it_is_final,
        recovering::a_second_page_of_one_number_is_looked_at_as_well,
        recovering::a_page_found_after_its_order_is_its_attempt,
        recovering::the_answer_that_a_backup_waits_for_is_found,
        recovering::what_was_accepted_once_is_accepted_again,
        recovering::a_page_is_taken_once_and_trouble_is_told,
        recovering::a_key_without_events_names_refunds_and_disputes,
        recovering::no_money_goes_back_that_may_be_back_already,
        jobs::an_event_is_stored_once,
        jobs::an_event_wakes_the_payment_it_names,
        jobs::an_event_before_its_object_is_followed_later,
        jobs::an_event_of_another_account_needs_a_person,
        jobs::a_lost_lease_cannot_finish,
        jobs::a_wish_during_the_work_is_not_lost,
        jobs::a_removed_job_does_not_give_its_fence_away,
        jobs::unfinished_work_comes_back_later_and_later,
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::MemoryStore;
    use crate::{Device, Env, PaymentType};
    use holdfast_domain::{Catalogue, DeviceId, PaymentId};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

    struct MemoryBench {
        store: MemoryStore<Box<dyn Fn() -> Env + Send + Sync>>,
        now_ms: Arc<AtomicI64>,
    }

    impl Bench for MemoryBench {
        type Store = MemoryStore<Box<dyn Fn() -> Env + Send + Sync>>;

        fn store(&self) -> &Self::Store {
            &self.store
        }

        fn set_now_ms(&self, now_ms: i64) {
            self.now_ms.store(now_ms, Ordering::SeqCst);
        }

        async fn put_device(&self, device: Device) {
            let key = (tenant(), device.device);
            self.store.with_tables(|t| t.devices.insert(key, device));
        }

        async fn put_continuity(&self, device: DeviceId, earlier: DeviceId) {
            self.store.with_tables(|t| t.continuity.insert((tenant(), device, earlier)));
        }

        async fn put_payment_type(&self, payment_type: PaymentType) {
            let key = (tenant(), payment_type.code.clone());
            self.store.with_tables(|t| t.payment_types.insert(key, payment_type));
        }

        async fn put_catalogue(&self, catalogue: Catalogue) {
            let key = (tenant(), catalogue.version);
            self.store.with_tables(|t| t.catalogues.insert(key, catalogue));
        }

        async fn hand_in(&self, payment: PaymentId) {
            self.store.with_tables(|t| t.handed_in.insert((tenant(), payment)));
        }

        async fn counts(&self) -> (usize, usize) {
            self.store.with_tables(|t| (t.payments.len(), t.orders.len()))
        }

        async fn has_payment(&self, payment: PaymentId) -> bool {
            self.store.with_tables(|t| t.payments.contains_key(&(tenant(), payment)))
        }
    }

    fn memory() -> MemoryBench {
        let now_ms = Arc::new(AtomicI64::new(NOW_MS));
        let clock = Arc::clone(&now_ms);
        let draws = AtomicU64::new(1);
        let environment = move || {
            let draw = draws.fetch_add(1, Ordering::SeqCst).to_be_bytes();
            Env {
                now_ms: clock.load(Ordering::SeqCst),
                entropy: std::array::from_fn(|i| draw[i % 8]),
            }
        };
        MemoryBench { store: MemoryStore::new(gateway(), Box::new(environment)), now_ms }
    }

    #[tokio::test]
    async fn the_memory_store_passes() {
        Box::pin(check_all(async || memory())).await;
    }

    #[tokio::test]
    async fn all_orders_of_a_whole_life_end_alike() {
        let mut orders = std::collections::BTreeSet::new();
        for nth in 0..whole_life::ORDERS {
            orders.insert(whole_life::order(nth));
            let bench = memory();
            fixture::furnish(&bench).await;
            whole_life::one_order_ends_alike(&bench, 1, nth).await;
        }
        assert_eq!(orders.len(), whole_life::ORDERS, "each is another order");
    }
}
