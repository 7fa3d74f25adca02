//! Money under way: consultations are ordered, paid, accepted, rejected, cancelled, talked in and ended while the server is killed
//! again and again. In the end every order is served or paid back, once, and the channel's book says the same as ours.

use super::{
    books::{Books, Sql},
    case::{Case, People},
    kills,
    lane::Lane,
    seed,
};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use std::collections::HashMap;
use tests::{process::Server, rest::Rest};
use tokio::{sync::watch, task::JoinSet};

const LANES: usize = 10;
/// A life of the server ends after so many answered steps, drawn from the seed.
const STEPS_BEFORE_KILL: std::ops::Range<u64> = 1..80;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_paid_is_served_or_paid_back_once_through_kill_9() {
    let (kills, seed) = (kills(), seed());
    println!("seed {seed}, {kills} kills");
    let mut random = StdRng::seed_from_u64(seed);
    let mut server = Server::start().await;
    let before = Counted::of(&server).await;
    let mut lanes: Vec<Lane> = (0..LANES).map(|number| Lane::new(number, seed)).collect();
    let mut taken = 0;
    for _ in 0..kills {
        let (steps, counted) = watch::channel(0);
        let enough = random.random_range(STEPS_BEFORE_KILL);
        lanes = one_life(&mut server, lanes, enough, (steps, counted.clone())).await;
        taken += *counted.borrow();
        is_sound(&server);
        server.restart().await;
    }
    taken += to_the_end(&server, &mut lanes, &before).await;
    assert!(server.terminate().success(), "drains and ends cleanly:\n{}", server.log());

    let (sql, channel) = (Sql::open(&server).await, Books::of_the_channel(&server.data()));
    sql.nothing_twice_and_nothing_stuck().await;
    assert_eq!(sql.books().await, channel, "our books and the channel's");
    let (captured_fen, refunded_fen) = channel.totals_fen();
    let said = is_sound(&server);
    assert!(said.contains(&format!("captured {captured_fen} fen, refunded {refunded_fen} fen")), "{said}");
    let cases: Vec<&Case> = lanes.iter().flat_map(|lane| &lane.cases).collect();
    let repeated: u64 = cases.iter().map(|case| case.repeated).sum();
    println!("{kills} kills, {} consultations, {taken} steps answered, {repeated} of them repeated; {said}", cases.len());
}

/// Everybody acts until the server is killed; comes back with what they know.
async fn one_life(
    server: &mut Server,
    lanes: Vec<Lane>,
    enough: u64,
    (steps, mut counted): (watch::Sender<u64>, watch::Receiver<u64>),
) -> Vec<Lane> {
    let crowd = Crowd::sign_in(server.port).await;
    let mut living = JoinSet::new();
    for mut lane in lanes {
        let (people, steps) = (crowd.of(lane.number), steps.clone());
        living.spawn(async move {
            let Err(_gone) = lane.live(&people, &steps).await;
            lane
        });
    }
    tokio::select! {
        reached = counted.wait_for(|count| *count >= enough) => drop(reached.expect("the sender is here")),
        // Only a contradiction ends a lane before that.
        Some(ended) = living.join_next() => panic!("a lane ended: {ended:?}"),
    }
    server.kill();
    let mut lanes = living.join_all().await;
    lanes.sort_by_key(|lane| lane.number);
    lanes
}

/// Without another kill: what was begun comes to its end, every effect happens, and everything is looked at. The steps of that.
async fn to_the_end(server: &Server, lanes: &mut [Lane], before: &Counted) -> u64 {
    let crowd = Crowd::sign_in(server.port).await;
    let (steps, counted) = watch::channel(0);
    for lane in lanes.iter_mut() {
        let people = crowd.of(lane.number);
        lane.recall(&people).await.expect("the server stays");
        lane.finish(&people, &steps).await.expect("the server stays");
    }
    Sql::open(server).await.at_rest(&server.data()).await;
    let mut ended: HashMap<String, i64> = HashMap::new();
    for lane in lanes.iter() {
        let people = crowd.of(lane.number);
        let served = lane.is_at_rest(&people).await.expect("the server stays");
        *ended.entry(people.doctor.user.clone()).or_default() += i64::try_from(served).expect("few");
    }
    let after = Counted::of(server).await;
    for (doctor, ended) in ended {
        assert_eq!(after.0[&doctor], before.0[&doctor] + ended, "each consultation is counted once");
    }
    *counted.borrow()
}

/// `wenzhen verify` on what lies there now, be it the middle of everything.
fn is_sound(server: &Server) -> String {
    let verified = server.wenzhen(&["verify"]);
    let said = String::from_utf8_lossy(&verified.stdout).into_owned();
    assert!(verified.status.success(), "{said}{}", String::from_utf8_lossy(&verified.stderr));
    said
}

/// The patients and doctors of the demo, signed in anew: a token does not outlive a long run.
struct Crowd {
    port: u16,
    patients: Vec<Rest>,
    doctors: Vec<Rest>,
}

impl Crowd {
    async fn sign_in(port: u16) -> Self {
        let mut crowd = Self { port, patients: Vec::new(), doctors: Vec::new() };
        for account in api::demo::accounts() {
            match account.role {
                "patient" => crowd.patients.push(Rest::patient(port, &account.sign_in, api::demo::PASSWORD).await),
                "doctor" => crowd.doctors.push(Rest::staff(port, &account.sign_in, api::demo::PASSWORD).await),
                _ => {}
            }
        }
        crowd
    }

    fn of(&self, lane: usize) -> People {
        let (patient, doctor) = (&self.patients[lane % self.patients.len()], &self.doctors[lane % self.doctors.len()]);
        People { port: self.port, patient: patient.clone(), doctor: doctor.clone() }
    }
}

/// How many consultations each doctor's page counts, by his user id.
struct Counted(HashMap<String, i64>);

impl Counted {
    async fn of(server: &Server) -> Self {
        let mut counted = HashMap::new();
        for doctor in Crowd::sign_in(server.port).await.doctors {
            let id = doctor.get("/api/doctor/profile").await.expect("the server stays")["id"].clone();
            let page = doctor.get(&format!("/api/doctors/{}", id.as_str().expect("an id"))).await.expect("the server stays");
            counted.insert(doctor.user.clone(), page["consultation_count"].as_i64().expect("a count"));
        }
        Self(counted)
    }
}
