//! Frames over TCP: four bytes of length, big-endian, then JSON. Reading and sending are cancel-safe: a task of its own writes, so
//! that a frame is never cut. A peer's frame never takes more memory than the limit, which is small until it has proved who it is.

use bytes::{Buf, BytesMut};
use serde::{Serialize, de::DeserializeOwned};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc;

pub const STRANGER_BYTES_MAX: usize = 4 << 10;
/// A report with a row for each second of three days fits.
pub const KNOWN_BYTES_MAX: usize = 256 << 20;
const HEADER_BYTES: usize = 4;
/// A peer that takes nothing for so long is gone.
const WRITE_WITHIN: Duration = Duration::from_secs(30);
const WAITING_FRAMES_MAX: usize = 16;

#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    #[error("the other side closed the connection")]
    Closed,
    #[error("connection")]
    Io(#[from] std::io::Error),
    #[error("a frame of {bytes} bytes, {limit} are allowed")]
    TooLarge { bytes: usize, limit: usize },
    #[error("a frame that is not the protocol")]
    Malformed(#[source] serde_json::Error),
}

#[derive(Debug)]
pub struct Reader {
    stream: OwnedReadHalf,
    buffer: BytesMut,
    limit: usize,
}

/// What was sent is still written after this is dropped.
#[derive(Debug)]
pub struct Writer(mpsc::Sender<Vec<u8>>);

pub fn split(stream: TcpStream) -> (Reader, Writer) {
    // A ping's round trip is measured; where this fails it is only less exact.
    let _ = stream.set_nodelay(true);
    let (read, write) = stream.into_split();
    let (frames, waiting) = mpsc::channel(WAITING_FRAMES_MAX);
    tokio::spawn(write_all(write, waiting));
    (Reader { stream: read, buffer: BytesMut::new(), limit: STRANGER_BYTES_MAX }, Writer(frames))
}

/// Ends with the writer, or when the peer is gone or takes nothing.
async fn write_all(mut stream: OwnedWriteHalf, mut waiting: mpsc::Receiver<Vec<u8>>) {
    while let Some(frame) = waiting.recv().await {
        if !matches!(tokio::time::timeout(WRITE_WITHIN, stream.write_all(&frame)).await, Ok(Ok(()))) {
            return;
        }
    }
}

impl Reader {
    /// After the peer has proved who it is.
    pub fn trust(&mut self) {
        self.limit = KNOWN_BYTES_MAX;
    }

    pub async fn next<T: DeserializeOwned>(&mut self) -> Result<T, FrameError> {
        loop {
            if let Some(frame) = self.take()? {
                return serde_json::from_slice(&frame).map_err(FrameError::Malformed);
            }
            match self.stream.read_buf(&mut self.buffer).await {
                Ok(0) => return Err(FrameError::Closed),
                Ok(_) => {}
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return Err(FrameError::Closed),
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn take(&mut self) -> Result<Option<BytesMut>, FrameError> {
        let Some(header) = self.buffer.first_chunk::<HEADER_BYTES>() else { return Ok(None) };
        let bytes = u32::from_be_bytes(*header) as usize;
        if bytes > self.limit {
            return Err(FrameError::TooLarge { bytes, limit: self.limit });
        }
        if self.buffer.len() < HEADER_BYTES + bytes {
            return Ok(None);
        }
        self.buffer.advance(HEADER_BYTES);
        Ok(Some(self.buffer.split_to(bytes)))
    }
}

impl Writer {
    pub async fn send<T: Serialize>(&self, message: &T) -> Result<(), FrameError> {
        let mut frame = vec![0; HEADER_BYTES];
        serde_json::to_writer(&mut frame, message).map_err(FrameError::Malformed)?;
        let bytes = frame.len() - HEADER_BYTES;
        let length = u32::try_from(bytes).ok().filter(|_| bytes <= KNOWN_BYTES_MAX);
        let length = length.ok_or(FrameError::TooLarge { bytes, limit: KNOWN_BYTES_MAX })?;
        frame[..HEADER_BYTES].copy_from_slice(&length.to_be_bytes());
        self.0.send(frame).await.map_err(|_| FrameError::Closed)
    }
}
