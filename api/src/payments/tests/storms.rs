//! Every order of events, and random ones with crashes: one final state, and books that agree with the channel's (L3, D.11).

use super::*;
use crate::payments::{PaymentState, wechat::types::RefundStatus};
use chat::entropy::Entropy;

/// F26: notice, repeated notice, query, cancellation and closing in all 120 orders leave the same money in the same places.
#[tokio::test]
async fn all_orders_of_events_agree() {
    let mut test = TestApp::start().await;
    for (round, order_of_events) in permutations(5).into_iter().enumerate() {
        if round % 40 == 39 {
            test = test.restart().await;
        }
        let order = open_order(&test, payer(&test).await, 500).await;
        let payment = begin(&test, order).await.unwrap();
        simulator(&test).set_faults(Faults { repeat_notices: 1, ..Faults::default() });
        simulator(&test).pay(payment.prepay_id.as_deref().unwrap()).unwrap();
        let notices = simulator(&test).take_deliveries();
        simulator(&test).set_faults(Faults::default());
        for event in &order_of_events {
            match event {
                0 | 1 => drop(post_notice(&test, &notices[*event]).await),
                2 => drop(super::super::query::ask(&test.app, wechat(&test), &payment).await.unwrap()),
                3 => cancel(&test, order).await,
                _ => test.settle().await,
            }
        }
        test.settle().await;
        cancel(&test, order).await;
        test.settle().await;
        deliver_all(&test).await;
        let row = order_row(&test, order).await;
        assert_eq!(payment_row(&test, &payment).await.state, PaymentState::Captured, "{order_of_events:?}");
        assert_eq!(row.refund_state, orders::RefundState::Refunded, "{order_of_events:?}");
    }
    let report = sound(&test).await;
    assert_eq!((report.captured_fen, report.refunded_fen), (60_000, 60_000));
    assert_eq!(simulator(&test).totals_fen(), (60_000, 60_000));
}

/// D.5, D.10, D.11-3..6: random people, faults, clocks and crashes; at rest the books are sound and equal to the channel's.
#[tokio::test]
async fn random_storms_leave_sound_books() {
    for seed in 0..12 {
        let dice = Entropy::seeded(seed);
        let mut test = TestApp::start().await;
        let mut placed: Vec<(OrderId, PaymentRow)> = Vec::new();
        for _ in 0..40 {
            test = step(test, &dice, &mut placed).await;
            let report = ledger::verify(&test.app.db).await.unwrap();
            assert!(report.is_sound(), "seed {seed}: {:?}", report.findings);
        }
        come_to_rest(&test).await;
        let report = sound(&test).await;
        assert_eq!((report.captured_fen, report.refunded_fen), simulator(&test).totals_fen(), "seed {seed}");
        for (order, _) in &placed {
            let row = order_row(&test, *order).await;
            assert_ne!(row.refund_state, orders::RefundState::Processing, "seed {seed}: nothing is stuck");
        }
    }
}

async fn step(test: TestApp, dice: &Entropy, placed: &mut Vec<(OrderId, PaymentRow)>) -> TestApp {
    let pick = |len: usize| usize::try_from(dice.up_to(u64::try_from(len.max(1) - 1).unwrap())).unwrap();
    let chosen = placed.get(pick(placed.len())).cloned();
    match (pick(10), chosen) {
        (0 | 1, _) | (_, None) => {
            let order = open_order(&test, payer(&test).await, 1 + i64::try_from(pick(1_000)).unwrap()).await;
            if let Some(payment) = begin(&test, order).await {
                placed.push((order, payment));
            }
        }
        (2 | 3, Some((_, payment))) => {
            if let Some(prepay_id) = &payment.prepay_id {
                let _ = simulator(&test).pay(prepay_id);
            }
        }
        (4, Some((_, payment))) => {
            if let Some(prepay_id) = &payment.prepay_id {
                let _ = simulator(&test).fail(prepay_id);
            }
        }
        (5, Some((order, _))) => cancel(&test, order).await,
        (6, Some(_)) => {
            let mut waiting = simulator(&test).take_deliveries();
            while !waiting.is_empty() {
                let delivery = waiting.swap_remove(pick(waiting.len()));
                post_notice(&test, &delivery).await;
                if dice.up_to(2) == 0 {
                    post_notice(&test, &delivery).await;
                }
            }
        }
        (7, Some(_)) => test.advance_ms(1_000 * i64::try_from(pick(400)).unwrap()).await,
        (8, Some(_)) => simulator(&test).set_faults(faults(dice)),
        // A crash: what was committed and not yet handled is all that is left. The channel sends again what nobody took.
        (_, Some(_)) => return test.restart().await,
    }
    test
}

fn faults(dice: &Entropy) -> Faults {
    let ends = [RefundStatus::Success, RefundStatus::Success, RefundStatus::Closed];
    Faults {
        lose_notices: dice.up_to(3) == 0,
        repeat_notices: usize::try_from(dice.up_to(2)).unwrap(),
        reorder_notices: dice.up_to(1) == 0,
        forge_notices: dice.up_to(3) == 0,
        lose_answers: u32::try_from(dice.up_to(2)).unwrap(),
        unsigned_answers: u32::try_from(dice.up_to(1)).unwrap(),
        refunds_end: ends[usize::try_from(dice.up_to(2)).unwrap()],
        ..Faults::default()
    }
}

fn permutations(len: usize) -> Vec<Vec<usize>> {
    if len == 0 {
        return vec![vec![]];
    }
    permutations(len - 1)
        .into_iter()
        .flat_map(|shorter| (0..len).map(move |at| [&shorter[..at], &[len - 1], &shorter[at..]].concat()))
        .collect()
}
