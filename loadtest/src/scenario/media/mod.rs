//! `media`: pictures and voice clips uploaded, sent and downloaded by the other side, while people go on talking beside it.
//!
//! What arrives is checked byte by byte where it must be the same (voice) and by its measures where the server writes it anew
//! (pictures). Some uploads break off, some files are hostile.

mod clip;
mod hostile;
mod picture;
mod receive;
mod send;
mod upload;

use crate::plan::Arrivals;
use crate::run::{Part, RunError};
use crate::scenario::text::with_heads;
use crate::schedule::Intended;
use crate::seed::Seeded;
use crate::talk::{Do, Habits, Talker, read_all};
use serde::Deserialize;
use std::sync::Arc;
use tokio_util::task::TaskTracker;

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// Part of the events that are pictures, and that are voice clips; the rest are lines.
    pub image_share: f64,
    pub voice_share: f64,
    pub image_kib_min: usize,
    pub image_kib_max: usize,
    pub voice_s_min: u32,
    pub voice_s_max: u32,
    /// Part of the uploads that break off half-way.
    pub abort_share: f64,
    /// Part of the uploads that are hostile files.
    pub hostile_share: f64,
    /// Part of the downloads after which somebody else tries the same address.
    pub stranger_share: f64,
    /// Different pictures, and different clips, that the uploads choose from.
    pub originals: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            image_share: 0.1,
            voice_share: 0.1,
            image_kib_min: 200,
            image_kib_max: 8 * 1024,
            voice_s_min: 5,
            voice_s_max: 60,
            abort_share: 0.03,
            hostile_share: 0.01,
            stranger_share: 0.02,
            originals: 8,
        }
    }
}

impl Options {
    fn check(&self) -> Result<(), RunError> {
        let shares = [self.image_share, self.voice_share, self.abort_share, self.hostile_share, self.stranger_share];
        let right = shares.iter().all(|share| (0.0..=1.0).contains(share))
            && self.image_share + self.voice_share <= 1.0
            && (1..=self.image_kib_max).contains(&self.image_kib_min)
            && (1..=self.voice_s_max).contains(&self.voice_s_min)
            && self.originals > 0;
        if right { Ok(()) } else { Err(RunError::Usage(format!("options of media that cannot be: {self:?}"))) }
    }
}

/// What the tasks of this part share.
#[derive(Debug)]
struct Studio {
    part: Part,
    options: Options,
    originals: send::Originals,
    gallery: receive::Gallery,
}

pub async fn run(part: Part) -> Result<(), RunError> {
    let options: Options = part.options()?;
    options.check()?;
    if part.plan.arrivals == Arrivals::Closed {
        return Err(RunError::Usage("media has no closed loop: uploads come at a rate".into()));
    }
    let mut dice = Seeded::new(part.run.plan.seed, &format!("{} originals", part.label()));
    let originals = tokio::task::spawn_blocking(move || send::Originals::make(&options, &mut dice)).await;
    let originals = originals.map_err(|error| RunError::Infrastructure(error.to_string()))?;
    let studio = Arc::new(Studio { part: part.clone(), options, originals, gallery: receive::Gallery::default() });
    let sockets = with_heads(&part, part.open_all().await).await;
    part.begin().await;
    let receivers = TaskTracker::new();
    let (mut seats, mut tasks) = (Vec::new(), Vec::new());
    for (person, socket, head) in sockets {
        let (told, hearing) = tokio::sync::mpsc::unbounded_channel();
        let (seat, task) = Talker::seat(&part.run, person, socket, head, Habits::default(), Some(told));
        receivers.spawn(receive::receive(studio.clone(), person, hearing));
        seats.push(seat);
        tasks.push(task);
    }
    let uploads = TaskTracker::new();
    act(&studio, &seats, &uploads).await;
    uploads.close();
    // What is longer under way than the plan's patience is told by its own deadline.
    let _ = tokio::time::timeout(part.run.plan.patience.0, uploads.wait()).await;
    part.done().await;
    read_all(seats, tasks).await;
    receivers.close();
    let _ = tokio::time::timeout(part.run.plan.patience.0, receivers.wait()).await;
    Ok(())
}

/// Lines, pictures and clips by the part's schedule until its end.
async fn act(studio: &Arc<Studio>, seats: &[crate::talk::Seat], uploads: &TaskTracker) {
    let speakers: Vec<_> = seats.iter().map(|seat| (seat.person, seat.conversation, seat.sender())).collect();
    let (options, start) = (studio.options, studio.part.run.start_micros());
    let (runtime, of_uploads, acting) = (tokio::runtime::Handle::current(), uploads.clone(), studio.clone());
    let act = move |event: Intended| {
        let (person, conversation, speaker) = &speakers[event.actor as usize];
        let intended_micros = start + event.at_micros;
        let mut dice = Seeded::new(event.nonce, "media");
        let draw = dice.unit();
        if draw >= options.image_share + options.voice_share {
            // A talker who is gone for good says so in the accounts.
            let _ = speaker.send(Do::Say { intended_micros });
            return;
        }
        let is_image = draw < options.image_share;
        let (person, conversation) = (*person, *conversation);
        let event = send::Event { person, conversation, speaker: speaker.clone(), intended_micros, is_image };
        of_uploads.spawn_on(send::upload(acting.clone(), event, dice), &runtime);
    };
    studio.part.pace(seats.len(), act).await;
    studio.part.until_end().await;
}
