//! The door of this crate: accept, store, load, delete. Decoding runs on a few blocking workers under a deadline.

use crate::sealed::{self, Key, Variant};
use crate::store::{BlobId, BlobStore, Blobs, StoredBlob};
use crate::{Limits, MediaError, image, sniff, voice};
use bytes::Bytes;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// One encoded picture. `Debug` shows its size only.
#[derive(Clone, PartialEq, Eq)]
pub struct Rendition {
    pub mime: &'static str,
    pub bytes: Bytes,
    pub width_px: u32,
    pub height_px: u32,
}

impl std::fmt::Debug for Rendition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Rendition({} {}×{}, {} bytes)", self.mime, self.width_px, self.height_px, self.bytes.len())
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessedImage {
    pub full: Rendition,
    pub thumbnail: Rendition,
}

#[derive(Clone, PartialEq, Eq)]
pub struct ProcessedVoice {
    pub mime: &'static str,
    pub bytes: Bytes,
    /// Counted from the packets, not from what a header says.
    pub duration_ms: u32,
}

impl std::fmt::Debug for ProcessedVoice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ProcessedVoice({} {} ms, {} bytes)", self.mime, self.duration_ms, self.bytes.len())
    }
}

/// Written anew by this crate: the only thing that can be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Processed {
    Image(ProcessedImage),
    Voice(ProcessedVoice),
}

#[derive(Clone, Debug)]
pub struct Attachments {
    limits: Limits,
    workers: Arc<Semaphore>,
    blobs: Blobs,
}

impl Attachments {
    /// Makes the folder of a local store if it is not there.
    pub fn open(store: &BlobStore, limits: Limits) -> Result<Self, MediaError> {
        Ok(Self { limits, workers: Arc::new(Semaphore::new(limits.workers_max.max(1))), blobs: Blobs::open(store)? })
    }

    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// JPEG, PNG, WebP or GIF (its first frame) becomes a JPEG, or a PNG where something is transparent, and a small JPEG.
    pub async fn accept_image(&self, bytes: Bytes, declared_mime: &str) -> Result<ProcessedImage, MediaError> {
        within(&bytes, self.limits.image_bytes_max)?;
        let format = sniff::agreed(&bytes, declared_mime, true)?;
        let limits = self.limits;
        self.on_worker(move || image::process(&bytes, format, &limits)).await
    }

    /// Opus out of WebM or Ogg becomes Ogg, AAC out of MP4 becomes an ADTS stream, 16-bit PCM stays WAV.
    pub async fn accept_voice(&self, bytes: Bytes, declared_mime: &str) -> Result<ProcessedVoice, MediaError> {
        within(&bytes, self.limits.voice_bytes_max)?;
        let format = sniff::agreed(&bytes, declared_mime, false)?;
        let limits = self.limits;
        self.on_worker(move || voice::process(bytes, format, &limits)).await
    }

    /// Durable when it returns. The thumbnail goes first, so that a full picture is never without one.
    pub async fn store(&self, processed: &Processed, key: &Key) -> Result<StoredBlob, MediaError> {
        let id = BlobId::random();
        let (full, thumbnail) = match processed {
            Processed::Image(image) => (&image.full.bytes, Some(&image.thumbnail.bytes)),
            Processed::Voice(voice) => (&voice.bytes, None),
        };
        if let Some(thumbnail) = thumbnail {
            self.blobs.put(id, Variant::Thumbnail, sealed::seal(thumbnail, key, id, Variant::Thumbnail)?).await?;
        }
        self.blobs.put(id, Variant::Full, sealed::seal(full, key, id, Variant::Full)?).await?;
        Ok(StoredBlob { id, bytes: full.len(), thumbnail: thumbnail.is_some() })
    }

    pub async fn load(&self, id: BlobId, variant: Variant, key: &Key) -> Result<Bytes, MediaError> {
        sealed::open(&self.blobs.get(id, variant).await?, key, id, variant)
    }

    /// Both variants; a repeat is fine.
    pub async fn delete(&self, id: BlobId) -> Result<(), MediaError> {
        self.blobs.delete(id, Variant::Full).await?;
        self.blobs.delete(id, Variant::Thumbnail).await
    }

    /// A worker that overruns the deadline keeps its place until it is done: decoders cannot be stopped, only limited.
    async fn on_worker<T: Send + 'static>(&self, work: impl FnOnce() -> Result<T, MediaError> + Send + 'static) -> Result<T, MediaError> {
        let workers = Arc::clone(&self.workers);
        let job = async move {
            let permit = workers.acquire_owned().await.map_err(|_| MediaError::Timeout)?;
            let done = tokio::task::spawn_blocking(move || {
                let _permit = permit;
                work()
            });
            // A panicking decoder is a file that cannot be decoded; the runtime has caught it.
            done.await.unwrap_or(Err(MediaError::Undecodable))
        };
        tokio::time::timeout(self.limits.timeout, job).await.unwrap_or(Err(MediaError::Timeout))
    }
}

fn within(bytes: &Bytes, max: usize) -> Result<(), MediaError> {
    if bytes.len() > max { Err(MediaError::TooLarge { max }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{image, voice};
    use std::time::Duration;

    fn open(limits: Limits) -> (tempfile::TempDir, Attachments) {
        let dir = tempfile::tempdir().unwrap();
        let attachments = Attachments::open(&BlobStore::Local { dir: dir.path().join("blobs") }, limits).unwrap();
        (dir, attachments)
    }

    #[tokio::test]
    async fn u_16_what_is_stored_is_sealed_and_comes_back_only_with_its_key() {
        let (dir, attachments) = open(Limits::default());
        let made = attachments.accept_image(image::carriers::laden_jpeg(400, 300, 1).into(), "image/jpeg").await.unwrap();
        let (full, thumbnail, key) = (made.full.bytes.clone(), made.thumbnail.bytes.clone(), Key([9; 32]));
        let stored = attachments.store(&Processed::Image(made), &key).await.unwrap();
        assert_eq!(attachments.load(stored.id, Variant::Full, &key).await.unwrap(), full);
        assert_eq!(attachments.load(stored.id, Variant::Thumbnail, &key).await.unwrap(), thumbnail);
        assert!(matches!(attachments.load(stored.id, Variant::Full, &Key([8; 32])).await, Err(MediaError::Sealed)));
        assert!(matches!(attachments.load(BlobId::random(), Variant::Full, &key).await, Err(MediaError::NotFound)));
        for file in files(dir.path()) {
            let bytes = std::fs::read(file).unwrap();
            assert!(
                !image::carriers::contains(&bytes, b"JFIF") && !image::carriers::contains(&bytes, &full[100..132]),
                "stored in the clear"
            );
        }
        attachments.delete(stored.id).await.unwrap();
        attachments.delete(stored.id).await.unwrap();
        assert!(matches!(attachments.load(stored.id, Variant::Full, &key).await, Err(MediaError::NotFound)));
    }

    #[tokio::test]
    async fn sizes_types_and_deadlines_are_refusals() {
        let (_dir, attachments) = open(Limits { image_bytes_max: 1_000, voice_bytes_max: 100, ..Limits::default() });
        assert!(matches!(attachments.accept_image(vec![0; 1_001].into(), "image/png").await, Err(MediaError::TooLarge { max: 1_000 })));
        assert!(matches!(attachments.accept_voice(vec![0; 101].into(), "audio/ogg").await, Err(MediaError::TooLarge { max: 100 })));
        let disguised = attachments.accept_image(Bytes::from_static(b"\x89PNG\r\n\x1a\n"), "image/jpeg").await;
        assert!(matches!(disguised, Err(MediaError::TypeMismatch)));
        let (_dir, attachments) = open(Limits { timeout: Duration::ZERO, ..Limits::default() });
        let late = attachments.accept_image(image::carriers::jpeg(2_000, 2_000).into(), "image/jpeg").await;
        assert!(matches!(late, Err(MediaError::Timeout)));
    }

    #[tokio::test]
    async fn a_voice_message_has_no_thumbnail() {
        let (_dir, attachments) = open(Limits::default());
        let made = attachments.accept_voice(Bytes::from_static(voice::samples::CHROMIUM_WEBM), "audio/webm;codecs=opus").await.unwrap();
        let stored = attachments.store(&Processed::Voice(made.clone()), &Key([1; 32])).await.unwrap();
        assert!(!stored.thumbnail);
        assert_eq!(attachments.load(stored.id, Variant::Full, &Key([1; 32])).await.unwrap(), made.bytes);
    }

    fn files(dir: &std::path::Path) -> Vec<std::path::PathBuf> {
        let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
        entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
    }
}
