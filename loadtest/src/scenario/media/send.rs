//! One upload: a file as people send it, half a file, or a hostile one; then the message that refers to it.

use super::upload::{self, Stored};
use super::{Options, Studio, clip, hostile, picture};
use crate::clock::unix_ms;
use crate::measure::Metric;
use crate::people::Role;
use crate::run::ACCEPTED;
use crate::seed::Seeded;
use crate::talk::Do;
use bytes::Bytes;
use chat::wire::{Image, Voice, body};
use std::sync::Arc;
use tokio::sync::mpsc;

/// Files made once; making them for each upload would load the generator more than the server.
#[derive(Debug)]
pub(super) struct Originals {
    pictures: Vec<Original>,
    clips: Vec<Original>,
    hostile: Vec<hostile::Hostile>,
}

/// A file, what it is, and the form in which it travels.
#[derive(Clone, Debug)]
pub(super) struct Original {
    pub width_px: u32,
    pub height_px: u32,
    pub duration_ms: u32,
    pub file: Bytes,
    form: Bytes,
}

#[derive(Debug)]
pub(super) struct Event {
    pub person: u32,
    pub conversation: u32,
    pub speaker: mpsc::UnboundedSender<Do>,
    pub intended_micros: u64,
    pub is_image: bool,
}

impl Original {
    pub(super) fn of_picture(made: &picture::Picture) -> Self {
        let form = upload::form("image", made.mime, &made.bytes);
        Self { width_px: made.width_px, height_px: made.height_px, duration_ms: 0, file: made.bytes.clone().into(), form }
    }
}

impl Originals {
    pub(super) fn make(options: &Options, dice: &mut Seeded) -> Self {
        let pictures = (0..options.originals).map(|number| {
            // Evenly over the orders of magnitude: most pictures are small, a few are as large as they may be.
            let (low, high) = ((options.image_kib_min * 1024) as f64, (options.image_kib_max * 1024) as f64);
            let bytes = (low * (high / low).powf(number as f64 / (options.originals - 1).max(1) as f64)) as usize;
            let made = if number % 4 == 3 { picture::png(bytes, dice) } else { picture::jpeg(bytes, dice) };
            Original::of_picture(&made)
        });
        let pictures = pictures.collect();
        let clips = (0..options.originals).map(|_| {
            let span_ms = (options.voice_s_max - options.voice_s_min) * 1000;
            let ms = options.voice_s_min * 1000 + (dice.unit() * f64::from(span_ms)) as u32;
            let file = clip::wav(ms, dice);
            let form = upload::form("voice", clip::MIME, &file);
            Original { width_px: 0, height_px: 0, duration_ms: ms, file: file.into(), form }
        });
        let clips = clips.collect();
        Self { pictures, clips, hostile: hostile::all(dice) }
    }
}

pub(super) async fn upload(studio: Arc<Studio>, event: Event, mut dice: Seeded) {
    let (options, run) = (studio.options, &studio.part.run);
    if dice.chance(options.hostile_share) {
        let chosen = dice.below(studio.originals.hostile.len());
        return try_hostile(&studio, event.person, &studio.originals.hostile[chosen]).await;
    }
    let (list, number) = match event.is_image {
        true => (&studio.originals.pictures, dice.below(studio.originals.pictures.len())),
        false => (&studio.originals.clips, dice.below(studio.originals.clips.len())),
    };
    let original = &list[number];
    let who = studio.part.person(event.person);
    let (target, token) = (run.target(who), who.access_token());
    if dice.chance(options.abort_share) {
        // What became of it, nobody asked to know: the next uploads show whether the server minds.
        let _ = upload::abort(target, &token, &original.form).await;
        return;
    }
    let answer = upload::send(&run.http, target, &token, original.form.clone()).await;
    let stored = answer.and_then(|answer| match serde_json::from_value::<Stored>(answer.body.clone()) {
        Ok(stored) if answer.status == 201 => Ok(stored),
        _ => Err(answer.class()),
    });
    let metric = if event.is_image { Metric::UploadImage } else { Metric::UploadVoice };
    studio.part.outcome(metric, event.intended_micros, &stored.as_ref().map(drop).map_err(Clone::clone));
    let Ok(stored) = stored else { return };
    let attachment = stored.id.clone();
    let body = match event.is_image {
        true => body::Kind::Image(Image { attachment: stored.id.clone(), ..Image::default() }),
        false => body::Kind::Voice(Voice { attachment: stored.id.clone(), ..Voice::default() }),
    };
    if !is_of(original, &stored) {
        run.ledger(|ledger| ledger.counts.corrupted += 1);
    }
    studio.gallery.put(stored, original.clone());
    // The message can be meant only from now on; how long the upload took is told apart. It is in the ledger before anybody could
    // believe that all is said.
    let intended_micros = run.clock.micros();
    let slot = if who.role == Role::Patient { 0 } else { 1 };
    let id = run.ledger(|ledger| {
        let place = ledger.sending_attachment(event.conversation, slot, intended_micros, &attachment);
        ledger.id(place, unix_ms()).to_string()
    });
    // A talker who is gone for good says so in the accounts.
    let _ = event.speaker.send(Do::Attach { id, body });
}

/// Whether the server took the file for what it is.
fn is_of(original: &Original, stored: &Stored) -> bool {
    (stored.width_px, stored.height_px) == (original.width_px, original.height_px) && stored.duration_ms == original.duration_ms
}

async fn try_hostile(studio: &Studio, person: u32, hostile: &hostile::Hostile) {
    let run = &studio.part.run;
    let who = studio.part.person(person);
    let form = upload::form(hostile.kind, hostile.mime, &hostile.bytes);
    match upload::send(&run.http, run.target(who), &who.access_token(), form).await {
        Ok(answer) if answer.is_success() => run.fail(&format!("{ACCEPTED}hostile_{}", hostile.name)),
        Ok(answer) if hostile.refusals.contains(&answer.class().as_str()) => {}
        Ok(answer) => run.fail(&format!("hostile_{}_{}", hostile.name, answer.class())),
        Err(class) => run.fail(&class),
    }
}
