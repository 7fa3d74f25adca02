//! One call from invite to its last entry, step by step. A step that does not come about ends the call and names the failure.

use super::Options;
use super::course::{Course, Turn};
use super::pair::Pair;
use super::signals;
use crate::clock::unix_ms;
use crate::measure::Metric;
use crate::seed::Seeded;
use crate::talk::Do;
use chat::wire::{
    CallAccept, CallAttach, CallCancel, CallConnection, CallHangUp, CallIceRequest, CallInvite, CallMedia, CallReject, CallRinging,
    CallSignal, call_command::Kind, call_connection, call_signal,
};
use std::time::Duration;

/// For one step of the server.
const STEP: Duration = Duration::from_secs(10);
/// The ring's half minute, and a step.
const RING: Duration = Duration::from_secs(40);
/// The longest a talker waits before he tries again is half a minute.
const BACK: Duration = Duration::from_secs(45);
const REPORT_EVERY: Duration = Duration::from_secs(5);
/// How a second invite may be refused while the first is on its way.
const GLARE_REFUSALS: [&str; 3] = ["call_in_progress", "line_busy", "busy"];

/// The class of what did not come about.
type Step<T> = Result<T, String>;

impl Pair {
    pub(super) async fn play(&mut self, intended_micros: u64, course: &mut Course, options: &Options) {
        self.forget();
        if let Some(word) = course.turn.word() {
            self.run.meters.expected(word);
        }
        let mut call = self.invite(course.caller, intended_micros, &mut course.dice);
        if let Err(class) = self.act(&mut call, intended_micros, course, options).await {
            self.failed += 1;
            self.run.fail(&class);
            // Whichever of the two still fits ends it; the other is refused, and no failure.
            self.command(course.caller, &call, Kind::Cancel(CallCancel {}));
            self.command(course.caller, &call, Kind::HangUp(CallHangUp {}));
            let ended = call.clone();
            self.until(STEP, |pair| pair.heard[0].over.contains_key(&ended)).await;
            self.is_over(&call);
        }
    }

    fn invite(&mut self, caller: usize, intended_micros: u64, dice: &mut Seeded) -> String {
        let call = uuid::Builder::from_unix_timestamp_millis(unix_ms(), &dice.bytes()).into_uuid().to_string();
        self.makes(caller, &call);
        self.run.meters.lag(intended_micros, self.run.clock.micros());
        let invite = CallInvite { conversation: self.conversation(), media: CallMedia::Video.into() };
        self.command(caller, &call, Kind::Invite(invite));
        call
    }

    async fn act(&mut self, call: &mut String, intended_micros: u64, course: &mut Course, options: &Options) -> Step<()> {
        if course.turn == Turn::Glare {
            let other = self.invite(1 - course.caller, intended_micros, &mut course.dice);
            (*call, course.caller) = self.after_glare(course.caller, call, &other).await?;
        }
        let (caller, callee) = (course.caller, 1 - course.caller);
        self.rings(caller, call, intended_micros).await?;
        self.command(callee, call, Kind::Ringing(CallRinging {}));
        match course.turn {
            Turn::Reject => self.command(callee, call, Kind::Reject(CallReject { reason: "declined".into() })),
            Turn::Cancel => self.command(caller, call, Kind::Cancel(CallCancel {})),
            Turn::NoAnswer => {}
            _ => {
                self.answer(call, callee, options).await?;
                self.negotiate(call, caller, Some(intended_micros), course, options).await?;
                self.connect(call).await?;
                self.talk(call, course, options).await?;
                self.hang_up(call, course.hangs_up).await?;
            }
        }
        self.ends(call, if course.turn == Turn::NoAnswer { RING } else { STEP }).await
    }

    /// Which of the two calls lives, and who made it.
    async fn after_glare(&mut self, first_caller: usize, first: &str, second: &str) -> Step<(String, usize)> {
        let calls = [(first, first_caller), (second, 1 - first_caller)];
        let refused = |pair: &Self, (call, caller): (&str, usize)| {
            pair.heard[caller].refused.as_ref().is_some_and(|(re, code)| re == call && GLARE_REFUSALS.contains(&code.as_str()))
        };
        self.until(STEP, |pair| calls.iter().any(|call| refused(pair, *call))).await;
        match (refused(self, calls[0]), refused(self, calls[1])) {
            (false, true) => {
                self.is_over(second);
                Ok((first.to_owned(), first_caller))
            }
            (true, false) => {
                self.is_over(first);
                Ok((second.to_owned(), 1 - first_caller))
            }
            (true, true) => Err("call_glare_refused_both".into()),
            (false, false) => Err("call_glare_unsettled".into()),
        }
    }

    async fn rings(&mut self, caller: usize, call: &str, intended_micros: u64) -> Step<()> {
        let rung_at = |pair: &Self| pair.heard[1 - caller].incoming.as_ref().filter(|(incoming, _)| incoming == call).map(|(_, at)| *at);
        let refusal = |pair: &Self| pair.heard[caller].refused.clone().filter(|(re, _)| re == call);
        self.until(STEP, |pair| rung_at(pair).is_some() || refusal(pair).is_some()).await;
        match (rung_at(self), refusal(self)) {
            (Some(at), _) => {
                self.run.meters.record(Metric::CallRing, intended_micros, at);
                Ok(())
            }
            (None, Some((_, code))) => Err(code),
            (None, None) => Err("call_no_ring".into()),
        }
    }

    async fn answer(&mut self, call: &str, callee: usize, options: &Options) -> Step<()> {
        self.until(Duration::from_millis(options.answer_after_ms), |_| false).await;
        let accepted = self.run.clock.micros();
        self.command(callee, call, Kind::Accept(CallAccept {}));
        let started = self.until(STEP, |pair| pair.heard.iter().all(|heard| heard.started_at.is_some())).await;
        match self.heard[1 - callee].started_at {
            Some(at) if started => {
                self.run.meters.record(Metric::CallAnswer, accepted, at);
                Ok(())
            }
            _ => Err(self.why(callee, "call_not_started")),
        }
    }

    /// Offer, answer and candidates of both; `intended_micros` the first time, when the whole set-up is measured.
    async fn negotiate(
        &mut self,
        call: &str,
        caller: usize,
        intended_micros: Option<u64>,
        course: &mut Course,
        options: &Options,
    ) -> Step<()> {
        self.heard.iter_mut().for_each(|heard| heard.description = None);
        let offer = signals::description(&mut course.dice, "actpass");
        self.signal(caller, call, CallSignal { kind: Some(call_signal::Kind::OfferSdp(offer)) });
        if !self.until(STEP, |pair| pair.heard[1 - caller].description.is_some()).await {
            return Err(self.why(caller, "call_offer_lost"));
        }
        let answer = signals::description(&mut course.dice, "active");
        self.signal(1 - caller, call, CallSignal { kind: Some(call_signal::Kind::AnswerSdp(answer)) });
        for side in 0..2 {
            for candidate in signals::candidates(&mut course.dice, options.candidates) {
                self.signal(side, call, candidate);
            }
        }
        if !self.until(STEP, |pair| pair.flying.is_empty()).await {
            return Err(self.why(caller, "call_signal_lost"));
        }
        if let (Some(intended), Some((_, at))) = (intended_micros, &self.heard[caller].description) {
            self.run.meters.record(Metric::CallSetup, intended, *at);
        }
        Ok(())
    }

    /// Both report it, and each hears of the other.
    async fn connect(&mut self, call: &str) -> Step<()> {
        let before = [self.heard[0].peer_states, self.heard[1].peer_states];
        self.report(call, call_connection::State::Connected);
        let heard = self.until(STEP, |pair| (0..2).all(|side| pair.heard[side].peer_states > before[side])).await;
        if heard { Ok(()) } else { Err(self.why(0, "call_peer_unheard")) }
    }

    fn report(&self, call: &str, state: call_connection::State) {
        for side in 0..2 {
            let report = CallConnection { state: state.into(), round_trip_ms: 40, loss_permille: 2 };
            self.command(side, call, Kind::Connection(report));
        }
    }

    async fn talk(&mut self, call: &str, course: &mut Course, options: &Options) -> Step<()> {
        let mut left = Duration::from_millis(options.talk_ms);
        if course.turn == Turn::NetworkSwitch {
            left /= 2;
            self.until(left, Self::somebody_heard_the_end).await;
            self.switch_network(call, course, options).await?;
        }
        while !left.is_zero() {
            let now = left.min(REPORT_EVERY);
            if self.until(now, Self::somebody_heard_the_end).await {
                return Err("call_ended_early".into());
            }
            left -= now;
            self.report(call, call_connection::State::Connected);
        }
        Ok(())
    }

    fn somebody_heard_the_end(&self) -> bool {
        self.heard.iter().any(|heard| !heard.over.is_empty())
    }

    /// The socket is lost and the path of the media with it: attach, the advice, new credentials, a new negotiation.
    async fn switch_network(&mut self, call: &str, course: &mut Course, options: &Options) -> Step<()> {
        let side = course.switches;
        self.heard[side].is_without_socket = true;
        self.tell(side, Do::LoseSocket);
        if !self.until(BACK, |pair| !pair.heard[side].is_without_socket).await {
            return Err("call_never_back".into());
        }
        self.heard[side].has_snapshot = false;
        self.command(side, call, Kind::Attach(CallAttach { media_kept: true }));
        if !self.until(STEP, |pair| pair.heard[side].has_snapshot).await {
            return Err(self.why(side, "call_no_snapshot"));
        }
        let report = CallConnection { state: call_connection::State::Reconnecting.into(), round_trip_ms: 0, loss_permille: 0 };
        self.command(side, call, Kind::Connection(report));
        if !self.until(STEP, |pair| pair.heard[course.caller].restarts_ice).await {
            return Err(self.why(side, "call_no_advice"));
        }
        self.command(course.caller, call, Kind::IceRequest(CallIceRequest {}));
        if !self.until(STEP, |pair| pair.heard[course.caller].has_ice).await {
            return Err(self.why(course.caller, "call_no_ice"));
        }
        self.negotiate(call, course.caller, None, course, options).await?;
        self.report(call, call_connection::State::Connected);
        Ok(())
    }

    async fn hang_up(&mut self, call: &str, side: usize) -> Step<()> {
        let departed = self.run.clock.micros();
        self.command(side, call, Kind::HangUp(CallHangUp {}));
        self.until(STEP, |pair| pair.heard[1 - side].over.contains_key(call)).await;
        match self.heard[1 - side].over.get(call) {
            Some(at) => {
                self.run.meters.record(Metric::CallEnd, departed, *at);
                Ok(())
            }
            None => Err(self.why(side, "call_end_unheard")),
        }
    }

    /// Every call has its end, told to both and written down.
    async fn ends(&mut self, call: &str, within: Duration) -> Step<()> {
        let told = self.until(within, |pair| pair.heard.iter().all(|heard| heard.over.contains_key(call))).await;
        let written = told && self.until(STEP, |pair| pair.heard.iter().all(|heard| heard.ended.contains(call))).await;
        if written { Ok(()) } else { Err(if told { "call_end_unwritten" } else { "call_stuck" }.into()) }
    }

    /// The server's own word where it gave one.
    fn why(&self, side: usize, otherwise: &str) -> String {
        let refused = [side, 1 - side].into_iter().find_map(|side| self.heard[side].refused.as_ref());
        refused.map_or_else(|| otherwise.to_owned(), |(_, code)| code.clone())
    }
}
