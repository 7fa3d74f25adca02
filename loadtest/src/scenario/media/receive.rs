//! The other side: downloads what a message refers to and checks it against what was uploaded.

use super::send::Original;
use super::upload::Stored;
use super::{Studio, picture};
use crate::measure::Metric;
use crate::seed::Seeded;
use crate::talk::Told;
use chat::wire::{Entry, body};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::mpsc;

/// What was stored, by attachment.
#[derive(Debug, Default)]
pub(super) struct Gallery(Mutex<HashMap<String, (Stored, Original)>>);

impl Gallery {
    pub(super) fn put(&self, stored: Stored, original: Original) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(stored.id.clone(), (stored, original));
    }

    fn find(&self, id: &str) -> Option<(Stored, Original)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }
}

/// Until the talker ends.
pub(super) async fn receive(studio: Arc<Studio>, person: u32, mut hearing: mpsc::UnboundedReceiver<Told>) {
    let mut dice = Seeded::new(studio.part.run.plan.seed, &format!("{} receiver {person}", studio.part.label()));
    while let Some(told) = hearing.recv().await {
        match told {
            Told::Attached(entry) => download(&studio, person, &entry, &mut dice).await,
            Told::Refused { code, .. } => studio.part.run.fail(&code),
            _ => {}
        }
    }
}

async fn download(studio: &Studio, person: u32, entry: &Entry, dice: &mut Seeded) {
    let run = &studio.part.run;
    let heard_micros = run.clock.micros();
    let Some((id, measures)) = attached(entry) else { return };
    let Some((stored, original)) = studio.gallery.find(id) else { return };
    let who = studio.part.person(person);
    let path = format!("/api/attachments/{id}");
    match run.http.bytes(run.target(who), &path, &who.access_token()).await {
        Ok((200, mime, bytes)) => {
            run.meters.record(Metric::Download, heard_micros, run.clock.micros());
            if measures != (original.width_px, original.height_px, original.duration_ms) || !is_whole(&stored, &original, &mime, &bytes) {
                run.ledger(|ledger| ledger.counts.corrupted += 1);
            }
        }
        Ok((404, ..)) => run.ledger(|ledger| ledger.counts.lost += 1),
        Ok((status, ..)) => run.fail(&format!("http_{status}")),
        Err(class) => run.fail(&class),
    }
    if dice.chance(studio.options.stranger_share) {
        pry(studio, &path, &who.conversation, dice).await;
    }
}

/// Attachment, and width, height and duration, as the entry tells them.
fn attached(entry: &Entry) -> Option<(&str, (u32, u32, u32))> {
    match entry.body.as_ref()?.kind.as_ref()? {
        body::Kind::Image(image) => Some((&image.attachment, (image.width_px, image.height_px, 0))),
        body::Kind::Voice(voice) => Some((&voice.attachment, (0, 0, voice.duration_ms))),
        _ => None,
    }
}

/// A picture is written anew, so only its measures and its ends can be known; a clip comes as it went.
fn is_whole(stored: &Stored, original: &Original, mime: &str, bytes: &[u8]) -> bool {
    let same = if original.duration_ms > 0 {
        bytes == original.file
    } else {
        picture::size_px(mime, bytes) == Some((original.width_px, original.height_px))
    };
    same && mime == stored.mime && bytes.len() as u64 == stored.bytes
}

/// Somebody of another conversation knows the address.
async fn pry(studio: &Studio, path: &str, conversation: &str, dice: &mut Seeded) {
    let run = &studio.part.run;
    let stranger = studio.part.person(studio.part.people[dice.below(studio.part.people.len())]);
    if stranger.conversation == conversation {
        return;
    }
    match run.http.bytes(run.target(stranger), path, &stranger.access_token()).await {
        Ok((404, ..)) => {}
        Ok((200, ..)) => run.ledger(|ledger| ledger.counts.misdelivered += 1),
        Ok((status, ..)) => run.fail(&format!("stranger_http_{status}")),
        Err(class) => run.fail(&class),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_back_is_what_went() {
        let made = picture::jpeg(5_000, &mut Seeded::new(1, "received"));
        let stored = Stored {
            id: "a".into(),
            mime: made.mime.into(),
            bytes: made.bytes.len() as u64,
            width_px: made.width_px,
            height_px: made.height_px,
            duration_ms: 0,
        };
        let original = Original::of_picture(&made);
        assert!(is_whole(&stored, &original, "image/jpeg", &made.bytes));
        assert!(!is_whole(&stored, &original, "image/png", &made.bytes), "another type");
        assert!(!is_whole(&stored, &original, "image/jpeg", &made.bytes[..made.bytes.len() - 1]), "cut short");
        let other = picture::jpeg(50_000, &mut Seeded::new(1, "received"));
        assert!(!is_whole(&stored, &original, "image/jpeg", &other.bytes), "another picture");
    }
}
