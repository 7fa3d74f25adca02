//! WeChat Pay's other side, for demos and tests: it places, pays, closes and refunds, signs what it says and seals its
//! notices, and it can delay, repeat, reorder, lose and forge as the real world does.
//!
//! It listens on a loopback port of its own, so that our real client speaks real HTTP to it. Its book is a journal file:
//! a refund after a restart finds its payment, and a notice nobody took is sent again, as the bank would do it.

mod book;
mod cashier;
mod faults;
mod journal;
mod keys;
mod notices;
mod routes;

pub use cashier::router as cashier_router;
pub use faults::Faults;
pub use keys::{SimulatorKeys, SimulatorKeysError};
pub use notices::Delivery;

use super::wechat::{
    ApiV3Key, Merchant, RsaSigner, TrustedKeys,
    types::{RefundAmount, RefundNotice, RefundRequest, RefundStatus},
};
use book::{Book, Change, No, Notice, PlacedRefund};
use chat::{clock::Clock, entropy::Entropy};
use journal::Journal;
use notices::Waiting;
use rsa::RsaPublicKey;
use serde::Serialize;
use std::{
    collections::VecDeque,
    net::SocketAddr,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// The simulated merchant and application.
const MCHID: &str = "1900000001";
const APPID: &str = "wxdemo0000000001";
const MERCHANT_SERIAL: &str = "SIMULATEDMERCHANT01";
const PLATFORM_SERIAL: &str = "PUB_KEY_ID_SIMULATED01";

#[derive(Debug)]
pub struct Simulator {
    clock: Clock,
    entropy: Entropy,
    api_v3: ApiV3Key,
    merchant: RsaSigner,
    merchants: TrustedKeys,
    platform: RsaSigner,
    platforms: TrustedKeys,
    stranger: RsaSigner,
    state: Mutex<(Book, Journal)>,
    faults: Mutex<Faults>,
    queue: Mutex<VecDeque<Waiting>>,
    work: Notify,
}

impl Simulator {
    /// `journal`: the file of its book, made when missing.
    pub fn open(keys: SimulatorKeys, journal: &Path, clock: Clock, entropy: Entropy) -> std::io::Result<Arc<Self>> {
        let mut book = Book::default();
        let journal = Journal::open(journal, |change| book.put(change))?;
        let queue = book.waiting().cloned().map(Waiting::from).collect();
        Ok(Arc::new(Self {
            clock,
            entropy,
            merchants: TrustedKeys::default().with(MERCHANT_SERIAL, RsaPublicKey::from(&keys.merchant)),
            platforms: TrustedKeys::default().with(PLATFORM_SERIAL, RsaPublicKey::from(&keys.platform)),
            stranger: RsaSigner::new(PLATFORM_SERIAL, keys.merchant.clone()),
            merchant: RsaSigner::new(MERCHANT_SERIAL, keys.merchant),
            platform: RsaSigner::new(PLATFORM_SERIAL, keys.platform),
            api_v3: keys.api_v3,
            state: Mutex::new((book, journal)),
            faults: Mutex::default(),
            queue: Mutex::new(queue),
            work: Notify::new(),
        }))
    }

    /// What our client has to know to talk to it.
    pub fn merchant(&self) -> Merchant {
        Merchant {
            mchid: MCHID.into(),
            appid: APPID.into(),
            signer: self.merchant.clone(),
            platform: self.platforms.clone(),
            api_v3_key: self.api_v3.clone(),
        }
    }

    /// Serves the channel's paths on a free loopback port until cancelled.
    pub async fn listen(self: &Arc<Self>, stop: CancellationToken) -> std::io::Result<SocketAddr> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let router = routes::router(self.clone());
        tokio::spawn(async move {
            let served = axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned()).await;
            if let Err(error) = served {
                tracing::error!(%error, "payments.simulator.stopped");
            }
        });
        Ok(address)
    }

    /// The person at the cashier pays. Answers the channel's refusal code if it does not take the money.
    pub fn pay(&self, prepay_id: &str) -> Result<(), &'static str> {
        let now_ms = self.clock.now().0;
        let notice = self.change(|book, simulator| {
            let order = book.paid(prepay_id, now_ms)?;
            let notice = simulator.notice(&order.notify_url, "TRANSACTION.SUCCESS", "transaction", &routes::trade_of(&order));
            Ok((std::iter::once(Change::Order(order)).chain(notice.clone().map(Change::Notice)).collect(), notice))
        });
        self.notify(notice.map_err(|no| no.code)?);
        Ok(())
    }

    /// The bank refuses the person's card.
    pub fn fail(&self, prepay_id: &str) -> Result<(), &'static str> {
        self.change(|book, _| Ok((vec![Change::Order(book.failed(prepay_id)?)], ()))).map_err(|no| no.code)
    }

    pub fn set_faults(&self, faults: Faults) {
        *self.faults.lock().unwrap_or_else(PoisonError::into_inner) = faults;
    }

    /// (captured, refunded) fen in the channel's own book.
    pub fn totals_fen(&self) -> (i64, i64) {
        self.book().totals_fen()
    }

    fn faults(&self) -> Faults {
        *self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a fault down; false when there is none left.
    fn spend_fault(&self, which: impl FnOnce(&mut Faults) -> &mut u32) -> bool {
        let mut faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        let left = which(&mut faults);
        let spent = *left > 0;
        *left = left.saturating_sub(1);
        spent
    }

    fn queue(&self) -> MutexGuard<'_, VecDeque<Waiting>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn book(&self) -> BookGuard<'_> {
        BookGuard(self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Decides on the book, writes the journal, changes the book: in that order, under one lock.
    fn change<T>(&self, decide: impl FnOnce(&Book, &Self) -> Result<(Vec<Change>, T), No>) -> Result<T, No> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (book, journal) = &mut *state;
        let (changes, answer) = decide(book, self)?;
        journal.append(&changes).map_err(|_| No { status: 500, code: "SYSTEM_ERROR" })?;
        for change in changes {
            book.put(change);
        }
        Ok(answer)
    }

    /// Accepts a refund and lets it end as the faults say; the answer still says what was true when it was accepted.
    fn refund(&self, request: &RefundRequest) -> Result<PlacedRefund, No> {
        let end = self.faults().refunds_end;
        let (accepted, notice) = self.change(|book, simulator| {
            let (refund, order) = book.refund(request, simulator.new_number("5030"))?;
            let mut changes: Vec<Change> = order.map(Change::Order).into_iter().collect();
            let mut notice = None;
            if refund.status == RefundStatus::Processing {
                let ended = PlacedRefund { status: end, ..refund.clone() };
                notice = simulator.notice_of_refund(&ended);
                changes.push(Change::Refund(ended));
                changes.extend(notice.clone().map(Change::Notice));
            }
            Ok((changes, (refund, notice)))
        })?;
        self.notify(notice);
        Ok(accepted)
    }

    fn notice_of_refund(&self, refund: &PlacedRefund) -> Option<Notice> {
        let event_type = match refund.status {
            RefundStatus::Success => "REFUND.SUCCESS",
            RefundStatus::Closed => "REFUND.CLOSED",
            RefundStatus::Abnormal => "REFUND.ABNORMAL",
            RefundStatus::Processing => return None,
        };
        let said = RefundNotice {
            mchid: MCHID.into(),
            refund_id: refund.refund_id.clone(),
            out_refund_no: refund.out_refund_no.clone(),
            transaction_id: refund.transaction_id.clone(),
            out_trade_no: refund.out_trade_no.clone(),
            refund_status: refund.status,
            amount: RefundAmount { total: refund.total, refund: refund.amount },
        };
        self.notice(&refund.notify_url, event_type, "refund", &said)
    }

    /// What the merchant is to be told; nothing while notices get lost.
    fn notice(&self, url: &str, event_type: &str, original_type: &str, said: &impl Serialize) -> Option<Notice> {
        let notice = Notice {
            id: self.new_number("EV-"),
            url: url.into(),
            event_type: event_type.into(),
            original_type: original_type.into(),
            resource: serde_json::to_string(said).unwrap_or_default(),
        };
        (!self.faults().lose_notices).then_some(notice)
    }

    fn new_number(&self, prefix: &str) -> String {
        format!("{prefix}{:024}", u128::from_le_bytes(self.entropy.bytes()) % 1_000_000_000_000_000_000_000_000)
    }

    fn new_prepay_id(&self) -> String {
        format!("wx{}", String::from_utf8_lossy(&self.letters::<34>()))
    }
}

struct BookGuard<'a>(MutexGuard<'a, (Book, Journal)>);

impl std::ops::Deref for BookGuard<'_> {
    type Target = Book;
    fn deref(&self) -> &Book {
        &self.0.0
    }
}
