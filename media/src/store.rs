//! Where sealed blobs lie. Ids are random and say nothing; a blob is written once and never changed.

use crate::{MediaError, entropy, sealed::Variant};
use bytes::Bytes;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutOptions, local::LocalFileSystem, path::Path};
use std::path::PathBuf;
use std::sync::Arc;
use uuid::Uuid;

/// Name of a stored attachment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BlobId(pub Uuid);

impl BlobId {
    pub fn random() -> Self {
        Self(uuid::Builder::from_random_bytes(entropy::bytes()).into_uuid())
    }
}

/// What was stored. `thumbnail` says whether that variant exists, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredBlob {
    pub id: BlobId,
    pub bytes: usize,
    pub thumbnail: bool,
}

/// The seam; a variant for S3-compatible stores comes beside it. Contract: `put` is durable when it returns and refuses to overwrite.
#[derive(Clone, Debug)]
pub enum BlobStore {
    Local { dir: PathBuf },
}

#[derive(Clone, Debug)]
pub(crate) struct Blobs(Arc<dyn ObjectStore>);

impl Blobs {
    pub fn open(store: &BlobStore) -> Result<Self, MediaError> {
        let BlobStore::Local { dir } = store;
        std::fs::create_dir_all(dir).map_err(MediaError::Folder)?;
        let local = LocalFileSystem::new_with_prefix(dir).map_err(failed("opening"))?;
        Ok(Self(Arc::new(local.with_fsync(true))))
    }

    pub async fn put(&self, id: BlobId, variant: Variant, sealed: Bytes) -> Result<(), MediaError> {
        let once = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
        self.0.put_opts(&path(id, variant), sealed.into(), once).await.map_err(failed("writing"))?;
        Ok(())
    }

    pub async fn get(&self, id: BlobId, variant: Variant) -> Result<Bytes, MediaError> {
        let found = self.0.get(&path(id, variant)).await.map_err(|error| match error {
            object_store::Error::NotFound { .. } => MediaError::NotFound,
            error => failed("reading")(error),
        })?;
        found.bytes().await.map_err(failed("reading"))
    }

    /// Nothing there is fine.
    pub async fn delete(&self, id: BlobId, variant: Variant) -> Result<(), MediaError> {
        match self.0.delete(&path(id, variant)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(failed("deleting")(error)),
        }
    }
}

/// Two characters of the id as a folder: no folder grows without bound.
fn path(id: BlobId, variant: Variant) -> Path {
    let text = id.0.simple().to_string();
    Path::from(format!("{}/{text}.{}", &text[..2], variant.word()))
}

fn failed(doing: &'static str) -> impl Fn(object_store::Error) -> MediaError {
    move |source| MediaError::Store { doing, source }
}
