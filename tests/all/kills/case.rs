//! One consultation as its two people live it, step by step, and what they were told of it. A step without an answer is taken again,
//! with the same key or id; a step that was answered is taken once.

use serde_json::{Value, json};
use std::{collections::HashMap, future::Future, time::Duration};
use tests::{
    rest::{Answer, Gone, Rest, Wish},
    socket::Socket,
};
use uuid::Uuid;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Order,
    BeginPayment,
    Pay,
    /// The channel's word has arrived.
    Begins,
    Cancel,
    CancelWhilePaying,
    /// The patient asks for his money back.
    AskBack,
    Accept,
    Reject,
    AcceptOrCancel,
    Terminate,
    PatientSpeaks,
    DoctorSpeaks,
    Write,
    End,
    /// The log has the closing entry and SQL knows.
    Ends,
}

use Step::*;

/// What can become of a consultation; those that are served stand here more often.
pub const LIVES: [&[Step]; 12] = [
    &[Order, Cancel],
    &[Order, BeginPayment, Cancel],
    &[Order, BeginPayment, CancelWhilePaying],
    &[Order, BeginPayment, Pay, Begins, Cancel],
    &[Order, BeginPayment, Pay, Begins, AskBack],
    &[Order, BeginPayment, Pay, Begins, Reject],
    &[Order, BeginPayment, Pay, Begins, PatientSpeaks, AcceptOrCancel],
    &[Order, BeginPayment, Pay, Begins, Accept, DoctorSpeaks, Terminate],
    &[Order, BeginPayment, Pay, Begins, Accept, PatientSpeaks, DoctorSpeaks],
    &[Order, BeginPayment, Pay, Begins, Accept, DoctorSpeaks, Write, End, Ends],
    &[Order, BeginPayment, Pay, Begins, PatientSpeaks, Accept, DoctorSpeaks, PatientSpeaks, Write, End, Ends],
    &[Order, BeginPayment, Pay, Begins, Accept, PatientSpeaks, Write, End, Ends],
];

/// Who acts, in this life of the server.
#[derive(Clone, Debug)]
pub struct People {
    pub port: u16,
    pub patient: Rest,
    pub doctor: Rest,
}

#[derive(Debug)]
pub struct Case {
    life: &'static [Step],
    /// Steps that were answered; the next one of `life` comes after them.
    taken: usize,
    /// The next step was begun and not answered.
    unsure: bool,
    /// Steps that were taken again.
    pub repeated: u64,
    key: Uuid,
    form: Value,
    id: String,
    order: String,
    cashier: String,
    /// What was answered and must stay true.
    pub facts: Vec<Step>,
    /// Acknowledged lines and their places.
    pub said: HashMap<Uuid, u64>,
    saying: Option<Uuid>,
}

impl Case {
    pub fn new(life: &'static [Step], form: Value) -> Self {
        let (id, order, cashier) = Default::default();
        let (facts, said, saying) = Default::default();
        Self { life, taken: 0, unsure: false, repeated: 0, key: Uuid::now_v7(), form, id, order, cashier, facts, said, saying }
    }

    pub fn next(&self) -> Option<Step> {
        self.life.get(self.taken).copied()
    }

    /// There is something at the server that could be looked at.
    pub fn is_ordered(&self) -> bool {
        self.taken > 0
    }

    pub fn path(&self, verb: &str) -> String {
        format!("/api/consultations/{}{verb}", self.id)
    }

    pub fn order_path(&self) -> String {
        format!("/api/orders/{}", self.order)
    }

    /// Takes the next step to its answer.
    pub async fn go_on(&mut self, step: Step, people: &People) -> Result<(), Gone> {
        let again = std::mem::replace(&mut self.unsure, true);
        self.repeated += u64::from(again);
        self.take(step, again, people).await?;
        self.unsure = false;
        self.taken += 1;
        Ok(())
    }

    async fn take(&mut self, step: Step, again: bool, people: &People) -> Result<(), Gone> {
        let People { patient, doctor, .. } = people;
        match step {
            Order => {
                let it = told(patient.post_keyed("/api/consultations", self.key, &self.form)).await?.expect("ordered");
                self.id = text(&it["id"]);
                self.order = text(&it["order"]["id"]);
            }
            BeginPayment => {
                let (path, wechat) = (format!("{}/payments", self.order_path()), json!({ "channel": "wechat" }));
                let started = told(patient.post(&path, &wechat)).await?.expect("a payment begins");
                self.cashier = text(&started["cashier_url"]);
            }
            Pay => {
                let paid = self.pay(patient).await?;
                assert!(paid || again, "the cashier took no money");
                self.facts.push(Pay);
            }
            CancelWhilePaying => {
                let (cancelled, paid) = tokio::join!(self.command(Cancel, patient, "/cancel", json!({})), self.pay(patient));
                assert!(cancelled?, "unpaid or paid, it can be cancelled");
                self.facts.push(Cancel);
                self.facts.extend(paid?.then_some(Pay));
            }
            AcceptOrCancel => {
                let accept = self.command(Accept, doctor, "/accept", json!({}));
                let (accepted, cancelled) = tokio::join!(accept, self.command(Cancel, patient, "/cancel", json!({})));
                let (accepted, cancelled) = (accepted?, cancelled?);
                assert_ne!(accepted, cancelled, "one of the two, exactly");
                self.facts.push(if accepted { Accept } else { Cancel });
            }
            PatientSpeaks => self.speak(people.port, patient).await?,
            DoctorSpeaks => self.speak(people.port, doctor).await?,
            Write => self.write(doctor, again).await?,
            Begins | Ends => drop(self.until(patient, |it| is_true(step, it)).await?),
            Cancel | AskBack | Accept | Reject | Terminate | End => {
                let (person, path, body) = match step {
                    Cancel => (patient, self.path("/cancel"), json!({})),
                    AskBack => (patient, format!("{}/refund-requests", self.order_path()), json!({ "reason": "改日再问" })),
                    Accept => (doctor, self.path("/accept"), json!({})),
                    Reject => (doctor, self.path("/reject"), json!({ "reason": "请到门诊就诊" })),
                    Terminate => (doctor, self.path("/terminate"), json!({ "reason_code": "online_unsuitable" })),
                    _ => (doctor, self.path("/end"), json!({})),
                };
                if let Err(refused) = told(person.post(&path, &body)).await? {
                    assert!(again, "{step:?} of {} was refused: {refused:?}", self.id);
                    let it = patient.get(&self.path("")).await?;
                    assert!(is_true(step, &it), "{step:?} of {} in {}: {refused:?}", self.id, it["state"]);
                }
            }
        }
        self.facts.extend(matches!(step, Begins | Ends | Cancel | AskBack | Accept | Reject | Terminate | End).then_some(step));
        Ok(())
    }

    /// Whether it is so afterwards: by this command, or by the same one before.
    async fn command(&self, step: Step, person: &Rest, verb: &str, body: Value) -> Result<bool, Gone> {
        match told(person.post(&self.path(verb), &body)).await? {
            Ok(_) => Ok(true),
            Err(_) => Ok(is_true(step, &person.get(&self.path("")).await?)),
        }
    }

    /// At the simulated cashier. False: it takes no money, or has it already.
    async fn pay(&self, patient: &Rest) -> Result<bool, Gone> {
        Ok(patient.submit(&self.cashier, "action=pay").send().await?.is_ok())
    }

    /// The draft from nothing; a repeat finds its own.
    async fn write(&self, doctor: &Rest, again: bool) -> Result<(), Gone> {
        let record = json!({ "version": 0, "impression": "上呼吸道感染可能", "advice": "多饮水,休息,三天不缓解请就诊" });
        if let Err(refused) = told(doctor.put(&self.path("/record"), &record)).await? {
            assert!(again && refused.code == "version_conflict", "{refused:?}");
            assert_eq!(doctor.get(&self.path("/record")).await?["advice"], record["advice"]);
        }
        Ok(())
    }

    /// One line, under one id until it is acknowledged.
    async fn speak(&mut self, port: u16, person: &Rest) -> Result<(), Gone> {
        // The log follows SQL a moment later; until then nobody is told where to speak.
        let conversation = text(&self.until(person, |it| it["conversation_id"].is_string()).await?["conversation_id"]);
        let id = *self.saying.get_or_insert_with(Uuid::now_v7);
        let mut socket = Socket::open(port, &person.token).await.map_err(|_| Gone)?;
        let mut every = tokio::time::interval(LOOK_AGAIN);
        let sent = patiently("his line is taken", async {
            loop {
                every.tick().await;
                match socket.say_and_wait(&conversation, id, "您好").await.ok_or(Gone)? {
                    Ok(sent) => return Ok(sent),
                    // And he may speak a moment after he may read.
                    Err(code) if ["rate_limited", "conversation_not_open"].contains(&code.as_str()) => {}
                    Err(code) => panic!("a line of {} was refused: {code}", self.id),
                }
            }
        });
        self.said.insert(id, sent.await?.seq);
        self.saying = None;
        Ok(())
    }

    pub async fn until(&self, person: &Rest, right: impl Fn(&Value) -> bool) -> Result<Value, Gone> {
        until(person, &self.path(""), right).await
    }
}

const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// Longer than anything takes on a busy machine, and shorter than the minute after which claims run out by themselves.
const PATIENCE: Duration = Duration::from_secs(40);

async fn patiently<T>(what: &str, work: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, work).await.unwrap_or_else(|_| panic!("{what}: not within {PATIENCE:?}"))
}

/// Looks until it is as wanted.
pub async fn until(person: &Rest, path: &str, right: impl Fn(&Value) -> bool) -> Result<Value, Gone> {
    let mut every = tokio::time::interval(LOOK_AGAIN);
    let mut last = Value::Null;
    let looking = async {
        loop {
            every.tick().await;
            last = person.get(path).await?;
            if right(&last) {
                return Ok(());
            }
        }
    };
    let found = tokio::time::timeout(PATIENCE, looking).await;
    assert!(found.is_ok(), "{path} has stayed {last}");
    found.unwrap_or(Err(Gone)).map(|()| last)
}

/// Asks until the answer is not "later".
async fn told(wish: Wish) -> Answer {
    let mut every = tokio::time::interval(LOOK_AGAIN);
    patiently("an answer that is not temporary", async {
        loop {
            every.tick().await;
            match wish.send().await? {
                Err(refused) if refused.temporary => {}
                answer => return Ok(answer),
            }
        }
    })
    .await
}

/// What the consultation looks like once this was done.
pub fn is_true(step: Step, it: &Value) -> bool {
    let state = it["state"].as_str().unwrap_or_default();
    match step {
        Begins => it["paid_at"].is_i64(),
        Accept => it["accepted_at"].is_i64(),
        Cancel | AskBack => state == "cancelled",
        Reject => state == "rejected",
        Terminate => state == "terminated",
        End => ["ending", "ended"].contains(&state),
        Ends => state == "ended",
        _ => true,
    }
}

pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("a text instead of {value}")).to_owned()
}
