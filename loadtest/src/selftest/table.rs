//! Every lie, and the honest server for every kind of work, run several at a time; one line each, and the exit code over all.

use super::expect::{Findings, compare};
use super::lies::{Lie, Load};
use super::load;
use crate::cli::{EXIT_INCORRECT, EXIT_PASS};
use crate::clock::Clock;
use crate::run::RunError;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Together they have to leave the metronomes of the others time.
const AT_ONCE: usize = 6;

#[derive(Clone, Debug)]
pub struct Options {
    pub seed: u64,
    /// Only these; all, and the honest server, when empty. `honest` names the honest runs.
    pub only: Vec<String>,
    /// How often each lie is told, where another number than its own is wanted.
    pub times: Option<u64>,
}

#[derive(Clone, Copy, Debug)]
struct Row {
    lie: Option<Lie>,
    load: Load,
    times: u64,
}

#[derive(Debug)]
struct Judged {
    row: Row,
    told: u64,
    found: Findings,
    wrong: Vec<String>,
    seconds: f64,
}

const HONEST: &str = "honest";

pub async fn run(options: &Options) -> Result<u8, RunError> {
    let rows = rows(options)?;
    let clock = Clock::start();
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut running = tokio::task::JoinSet::new();
    for (index, row) in rows.into_iter().enumerate() {
        let (places, seed) = (places.clone(), options.seed);
        running.spawn(async move {
            // The semaphore is never closed. What takes its time waiting needs no place; what measures single lines wants all of them.
            let wanted = if row.load == Load::Slow { AT_ONCE } else { 1 };
            let place = if row.waits() { None } else { places.acquire_many_owned(wanted as u32).await.ok() };
            let begin = clock.micros();
            let done = load::run(row.lie, row.load, row.times, seed).await;
            drop(place);
            (index, row, done, (clock.micros() - begin) as f64 / 1e6)
        });
    }
    let mut judged = Vec::new();
    while let Some(finished) = running.join_next().await {
        let (index, row, done, seconds) = finished.map_err(|error| RunError::Infrastructure(format!("a run broke off: {error}")))?;
        judged.push((index, row.judge(done, seconds)));
    }
    judged.sort_unstable_by_key(|(index, _)| *index);
    let judged: Vec<Judged> = judged.into_iter().map(|(_, judged)| judged).collect();
    Ok(print(&judged, options.seed, clock.micros() as f64 / 1e6))
}

fn rows(options: &Options) -> Result<Vec<Row>, RunError> {
    let honest = [Load::Text, Load::Connect, Load::Calls, Load::Money, Load::Slots].map(|load| Row { lie: None, load, times: 0 });
    let lying =
        |lie: Lie| Row { lie: Some(lie), load: lie.load(), times: options.times.filter(|_| lie != Lie::Stall).unwrap_or(lie.times()) };
    if options.only.is_empty() {
        return Ok(honest.into_iter().chain(Lie::ALL.iter().copied().map(lying)).collect());
    }
    let mut rows = Vec::new();
    for name in &options.only {
        match Lie::named(name) {
            Some(lie) => rows.push(lying(lie)),
            None if name == HONEST => rows.extend(honest),
            None => {
                let known: Vec<&str> = Lie::ALL.iter().map(|lie| lie.name()).collect();
                return Err(RunError::Usage(format!("{name:?} is no lie; there are {HONEST}, {}", known.join(", "))));
            }
        }
    }
    Ok(rows)
}

impl Row {
    fn name(self) -> String {
        self.lie.map_or_else(|| format!("{HONEST} ({:?})", self.load).to_lowercase(), |lie| lie.name().to_owned())
    }

    /// Long waiting and little work.
    fn waits(self) -> bool {
        matches!(self.lie, Some(Lie::Stall | Lie::NeverRead))
    }

    fn judge(self, done: Result<load::Done, RunError>, seconds: f64) -> Judged {
        match done {
            Ok(done) => {
                let wrong = compare(self.lie, self.times, done.told, &done.found);
                Judged { row: self, told: done.told, found: done.found, wrong, seconds }
            }
            Err(error) => Judged { row: self, told: 0, found: Findings::default(), wrong: vec![error.to_string()], seconds },
        }
    }
}

#[allow(clippy::print_stdout)] // the answer to the command
fn print(judged: &[Judged], seed: u64, seconds: f64) -> u8 {
    println!("{:<18}{:>5}  {:<5}{:>7}  found", "lie", "told", "", "s");
    for one in judged {
        let mark = if one.wrong.is_empty() { "ok" } else { "WRONG" };
        let timed = matches!(one.row.load, Load::Stall | Load::Slow);
        let latency = one.found.latency.as_ref().filter(|_| timed).map(|latency| format!(" · {}", latency.line())).unwrap_or_default();
        println!("{:<18}{:>5}  {mark:<5}{:>7.1}  {}{latency}", one.row.name(), one.told, one.seconds, one.found.line());
        if let Some(lie) = one.row.lie.filter(|_| !one.wrong.is_empty()) {
            println!("{:<18}{}", "", lie.about().trim());
        }
        for wrong in &one.wrong {
            println!("{:<18}! {wrong}", "");
        }
    }
    let right = judged.iter().filter(|one| one.wrong.is_empty()).count();
    println!("{right} of {} as told, seed {seed}, {seconds:.1} s", judged.len());
    if right == judged.len() { EXIT_PASS } else { EXIT_INCORRECT }
}
