//! The rules of [`super`], each as a sentence, and the laws that hold for every heap of evidence.

use super::*;
use crate::{Currency, DeclineReason, Money, PaymentId};
use PaymentState as S;
use proptest::prelude::*;

const TOTAL: Money = Money::new(1250, Currency::USD);

fn usd(minor: i64) -> Money {
    Money::new(minor, Currency::USD)
}

fn session(id: &str, status: SessionStatus) -> Evidence {
    Evidence::Session { session: id.into(), status }
}

fn charge(id: &str, created: i64, outcome: ChargeOutcome) -> Evidence {
    Evidence::Charge { charge: id.into(), created, outcome, amount: TOTAL }
}

fn refund(id: &str, created: i64, status: RefundStatus, minor: i64) -> Evidence {
    Evidence::Refund { refund: id.into(), created, status, amount: usd(minor) }
}

fn dispute(outcome: DisputeOutcome) -> Evidence {
    Evidence::Dispute { dispute: "dp_1".into(), outcome }
}

fn declined(id: &str, created: i64) -> Evidence {
    charge(id, created, ChargeOutcome::Failed(DeclineReason::NotEnoughFunds))
}

fn open() -> Evidence {
    session("cs_1", SessionStatus::Open)
}

fn complete() -> Evidence {
    session("cs_1", SessionStatus::Complete)
}

fn expired() -> Evidence {
    session("cs_1", SessionStatus::Expired)
}

fn succeeded() -> Evidence {
    charge("ch_9", 9, ChargeOutcome::Succeeded)
}

fn elsewhere(standing: Elsewhere) -> Evidence {
    Evidence::SettledElsewhere { by: PaymentId::mint(1, &[7; 10]), turn: 0, standing }
}

fn state(evidence: &[Evidence]) -> S {
    Facts::from_evidence(evidence).standing(TOTAL).state
}

#[test]
fn a_payment_goes_its_ordinary_way() {
    assert_eq!(state(&[]), S::Sent);
    assert_eq!(state(&[open()]), S::WaitingForCard);
    assert_eq!(state(&[open(), declined("ch_1", 1)]), S::Declined);
    assert_eq!(state(&[complete()]), S::Processing);
    assert_eq!(state(&[open(), charge("ch_1", 1, ChargeOutcome::Pending)]), S::Processing);
    assert_eq!(state(&[open(), declined("ch_1", 1), complete(), succeeded()]), S::Paid);
}

#[test]
fn the_latest_decline_is_the_one_that_is_told() {
    let later = charge("ch_2", 2, ChargeOutcome::Failed(DeclineReason::CardExpired));
    let facts = Facts::from_evidence(&[open(), later, declined("ch_1", 1)]);
    assert_eq!(facts.standing(TOTAL).decline, Some(DeclineReason::CardExpired));
}

#[test]
fn without_an_open_session_it_is_owed_until_its_lifetime_ends() {
    assert_eq!(state(&[expired()]), S::Owed);
    assert_eq!(state(&[expired(), declined("ch_1", 1)]), S::Owed);
    assert_eq!(state(&[expired(), Evidence::LifetimeEnded]), S::Expired);
    assert_eq!(state(&[open(), Evidence::LifetimeEnded]), S::WaitingForCard);
    assert_eq!(state(&[expired(), session("cs_2", SessionStatus::Open)]), S::WaitingForCard);
}

#[test]
fn paid_wins_over_canceled_withdrawn_and_expired() {
    for end in [
        Evidence::Canceled,
        Evidence::CancelRequested,
        Evidence::Withdrawn,
        Evidence::LifetimeEnded,
        expired(),
    ] {
        assert_eq!(state(&[end, succeeded()]), S::Paid);
    }
}

#[test]
fn a_cancel_is_only_requested_while_money_may_come() {
    assert_eq!(state(&[open(), Evidence::CancelRequested]), S::CancelRequested);
    assert_eq!(state(&[complete(), Evidence::CancelRequested]), S::Processing);
    assert_eq!(state(&[expired(), Evidence::CancelRequested, Evidence::Canceled]), S::Canceled);
}

#[test]
fn refunds_add_up_and_a_failed_one_outranks_its_success() {
    let paid = succeeded();
    let half = refund("re_1", 10, RefundStatus::Succeeded, 600);
    assert_eq!(state(&[paid.clone(), half.clone()]), S::PartlyRefunded);
    let rest = refund("re_2", 11, RefundStatus::Succeeded, 650);
    assert_eq!(state(&[paid.clone(), half.clone(), rest.clone()]), S::Refunded);
    let failed = refund("re_2", 11, RefundStatus::Failed, 650);
    assert_eq!(state(&[paid.clone(), half.clone(), failed, rest]), S::RefundFailed);
    let pending = refund("re_3", 12, RefundStatus::Pending, 650);
    assert_eq!(state(&[paid.clone(), half.clone(), pending]), S::RefundPending);
    let canceled = refund("re_3", 12, RefundStatus::Canceled, 650);
    assert_eq!(state(&[paid, half, canceled]), S::PartlyRefunded);
}

#[test]
fn an_open_or_lost_dispute_outranks_refunds_and_a_won_one_goes_away() {
    let full = refund("re_1", 10, RefundStatus::Succeeded, 1250);
    assert_eq!(state(&[succeeded(), full, dispute(DisputeOutcome::Open)]), S::Disputed);
    assert_eq!(state(&[succeeded(), dispute(DisputeOutcome::Lost)]), S::Disputed);
    assert_eq!(state(&[succeeded(), dispute(DisputeOutcome::Won)]), S::Paid);
}

#[test]
fn what_does_not_fit_needs_a_person() {
    let other = Evidence::Charge {
        charge: "ch_9".into(),
        created: 9,
        outcome: ChargeOutcome::Succeeded,
        amount: usd(1),
    };
    let standing = Facts::from_evidence(&[other]).standing(TOTAL);
    assert_eq!(standing.attention, Some(AttentionReason::AmountDiffers));
    assert!(standing.money_arrived);
    let twice = [succeeded(), charge("ch_8", 8, ChargeOutcome::Succeeded)];
    let standing = Facts::from_evidence(&twice).standing(TOTAL);
    assert_eq!(standing.attention, Some(AttentionReason::PaidTwice));
    let foreign = Evidence::Misfit { reason: AttentionReason::ForeignSession };
    assert_eq!(state(&[succeeded(), foreign]), S::NeedsAttention);
}

#[test]
fn settled_elsewhere_is_already_paid_unless_money_came_here_too() {
    assert_eq!(state(&[open(), elsewhere(Elsewhere::Settled)]), S::AlreadyPaid);
    assert_eq!(state(&[succeeded(), elsewhere(Elsewhere::Settled)]), S::NeedsAttention);
    let back = refund("re_1", 10, RefundStatus::Succeeded, 1250);
    assert_eq!(state(&[succeeded(), elsewhere(Elsewhere::Settled), back]), S::Refunded);
}

#[test]
fn what_was_settled_elsewhere_and_undone_can_be_paid_again() {
    let undone = [elsewhere(Elsewhere::Undone), elsewhere(Elsewhere::Settled)];
    assert_eq!(state(&undone), S::Sent);
    assert_eq!(state(&[succeeded(), undone[0].clone(), undone[1].clone()]), S::Paid);
}

#[test]
fn what_was_undone_can_be_settled_and_undone_again() {
    let by = PaymentId::mint(1, &[7; 10]);
    let mut heap = vec![succeeded()];
    for standing in [Elsewhere::Settled, Elsewhere::Undone].repeat(3) {
        let facts = Facts::from_evidence(&heap);
        let news = facts.news_of(by, standing).unwrap();
        heap.push(news);
        let told = Facts::from_evidence(heap.iter().rev());
        assert_eq!(told.is_settled_elsewhere(), standing == Elsewhere::Settled);
        assert_eq!(told.news_of(by, standing), None, "nobody is told twice");
    }
    let other = PaymentId::mint(2, &[7; 10]);
    assert_eq!(Facts::from_evidence(&heap).news_of(other, Elsewhere::Undone), None);
    // What a ledger wrote before there were turns.
    let old = r#"{"kind":"settled_elsewhere","by":"BY","standing":"settled"}"#;
    let old = old.replace("BY", &by.to_string());
    let first: Evidence = serde_json::from_str(&old).unwrap();
    assert_eq!(first, elsewhere(Elsewhere::Settled));
    assert_eq!(serde_json::to_string(&first).unwrap(), old);
}

#[test]
fn money_is_back_only_when_all_of_it_certainly_went_back() {
    let back = |heap: &[Evidence]| Facts::from_evidence(heap).standing(TOTAL).money_is_back;
    let half = refund("re_1", 10, RefundStatus::Succeeded, 600);
    let rest = |status| refund("re_2", 11, status, 650);
    assert!(!back(&[]) && !back(&[open()]) && !back(&[succeeded(), half.clone()]));
    assert!(!back(&[succeeded(), half.clone(), rest(RefundStatus::Pending)]));
    assert!(back(&[succeeded(), half.clone(), rest(RefundStatus::Succeeded)]));
    let failed = [rest(RefundStatus::Succeeded), rest(RefundStatus::Failed)];
    assert!(!back(&[succeeded(), half, failed[0].clone(), failed[1].clone()]));
    // Of two cards that were charged, one is not enough.
    let twice = [succeeded(), charge("ch_8", 8, ChargeOutcome::Succeeded)];
    let full = |id| refund(id, 12, RefundStatus::Succeeded, 1250);
    assert!(!back(&[twice[0].clone(), twice[1].clone(), full("re_1")]));
    assert!(back(&[twice[0].clone(), twice[1].clone(), full("re_1"), full("re_2")]));
}

#[test]
fn cash_is_paid_by_the_hold_and_withdrawn_once_voided() {
    let taken = Evidence::CashTaken { amount: TOTAL };
    assert_eq!(state(std::slice::from_ref(&taken)), S::Paid);
    assert_eq!(state(&[taken.clone(), elsewhere(Elsewhere::Settled)]), S::NeedsAttention);
    assert_eq!(state(&[Evidence::CashVoided, taken.clone()]), S::Withdrawn);
    let both = [taken.clone(), elsewhere(Elsewhere::Settled), Evidence::CashVoided];
    assert_eq!(state(&both), S::Withdrawn);
    assert!(!Facts::from_evidence(&both).standing(TOTAL).money_arrived);
    assert_eq!(state(&[taken, Evidence::Withdrawn, Evidence::LifetimeEnded]), S::Paid);
}

/// Every order of these seven ends in the same state (5,040 orders).
#[test]
fn every_permutation_of_a_whole_life_ends_in_the_same_state() {
    let life = [
        open(),
        declined("ch_1", 1),
        complete(),
        succeeded(),
        refund("re_1", 10, RefundStatus::Succeeded, 1250),
        refund("re_1", 10, RefundStatus::Failed, 1250),
        dispute(DisputeOutcome::Open),
    ];
    let expected = Facts::from_evidence(&life);
    let mut seen = 0;
    permute(&mut life.to_vec(), 0, &mut |order| {
        seen += 1;
        assert_eq!(Facts::from_evidence(order), expected);
    });
    assert_eq!((seen, expected.standing(TOTAL).state), (5_040, S::Disputed));
}

fn permute(items: &mut Vec<Evidence>, fixed: usize, visit: &mut impl FnMut(&[Evidence])) {
    if fixed == items.len() {
        return visit(items);
    }
    for next in fixed..items.len() {
        items.swap(fixed, next);
        permute(items, fixed + 1, visit);
        items.swap(fixed, next);
    }
}

fn any_evidence() -> impl Strategy<Value = Evidence> {
    use SessionStatus::{Complete, Expired, Open};
    let id = || 0..3_u8;
    let outcome = prop_oneof![
        Just(ChargeOutcome::Pending),
        Just(ChargeOutcome::Failed(DeclineReason::BankDeclined)),
        Just(ChargeOutcome::Succeeded),
    ];
    let status = prop_oneof![
        Just(RefundStatus::Pending),
        Just(RefundStatus::Succeeded),
        Just(RefundStatus::Canceled),
        Just(RefundStatus::Failed),
    ];
    let dispute_outcome = prop_oneof![
        Just(DisputeOutcome::Open),
        Just(DisputeOutcome::Won),
        Just(DisputeOutcome::Lost)
    ];
    prop_oneof![
        (id(), prop_oneof![Just(Open), Just(Complete), Just(Expired)])
            .prop_map(|(i, s)| session(&format!("cs_{i}"), s)),
        (id(), 0..4_i64, outcome).prop_map(|(i, at, o)| charge(&format!("ch_{i}"), at, o)),
        (id(), 0..4_i64, status, 1..1300_i64).prop_map(|(i, at, s, minor)| refund(
            &format!("re_{i}"),
            at,
            s,
            minor
        )),
        dispute_outcome.prop_map(dispute),
        Just(Evidence::CancelRequested),
        Just(Evidence::Canceled),
        Just(Evidence::Withdrawn),
        Just(Evidence::LifetimeEnded),
        Just(elsewhere(Elsewhere::Settled)),
        Just(elsewhere(Elsewhere::Undone)),
        Just(Evidence::CashTaken { amount: TOTAL }),
        Just(Evidence::CashVoided),
        Just(Evidence::OwedAgain),
        Just(Evidence::Misfit { reason: AttentionReason::ModeDiffers }),
    ]
}

#[test]
fn a_loss_is_owed_again_only_if_it_is_one_and_somebody_said_so() {
    let lost = dispute(DisputeOutcome::Lost);
    let gone = |heap: &[Evidence]| {
        let standing = Facts::from_evidence(heap).standing(TOTAL);
        assert!(standing.state.has_been_paid(), "{:?}", standing.state);
        standing.money_is_back
    };
    assert!(!gone(&[succeeded(), lost.clone()]));
    assert!(gone(&[succeeded(), lost.clone(), Evidence::OwedAgain]));
    assert!(gone(&[Evidence::OwedAgain, lost, succeeded()]));
    for other in [DisputeOutcome::Open, DisputeOutcome::Won] {
        assert!(!gone(&[succeeded(), dispute(other), Evidence::OwedAgain]), "{other:?}");
    }
    assert!(!gone(&[succeeded(), Evidence::OwedAgain]));
}

proptest! {
    #[test]
    fn order_and_repetition_change_nothing(
        heap in prop::collection::vec(any_evidence(), 0..12),
        seed in any::<u64>(),
    ) {
        let once = Facts::from_evidence(&heap);
        let mut shuffled: Vec<_> = heap.iter().chain(&heap).cloned().collect();
        let mut random = seed;
        for i in (1..shuffled.len()).rev() {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            shuffled.swap(i, (random >> 33) as usize % (i + 1));
        }
        prop_assert_eq!(Facts::from_evidence(&shuffled), once);
    }

    #[test]
    fn money_that_arrived_is_never_forgotten(
        before in prop::collection::vec(any_evidence(), 0..12),
        after in prop::collection::vec(any_evidence(), 0..12),
    ) {
        let mut facts = Facts::from_evidence(&before);
        facts.learn(&succeeded());
        for piece in &after {
            facts.learn(piece);
        }
        let standing = facts.standing(TOTAL);
        prop_assert!(standing.money_arrived);
        prop_assert!(standing.state.has_been_paid() || standing.state == S::NeedsAttention);
    }

    #[test]
    fn a_reason_is_given_exactly_where_one_is_due(
        heap in prop::collection::vec(any_evidence(), 0..12),
    ) {
        let standing = Facts::from_evidence(&heap).standing(TOTAL);
        prop_assert_eq!(standing.decline.is_some(), standing.state == S::Declined);
        prop_assert_eq!(standing.attention.is_some(), standing.state == S::NeedsAttention);
    }
}
