//! Reading and writing fixed fields. Big-endian, so that byte order is number order.

use uuid::Uuid;

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum MalformedRow {
    #[error("row ends early")]
    Short,
    #[error("bytes after the end of the row")]
    Long,
    #[error("unknown row version {0}")]
    Version(u8),
    #[error("no such value in {0}")]
    Value(&'static str),
}

pub struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub fn new(row: &'a [u8]) -> Self {
        Self(row)
    }

    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], MalformedRow> {
        let (field, rest) = self.0.split_first_chunk::<N>().ok_or(MalformedRow::Short)?;
        self.0 = rest;
        Ok(*field)
    }

    pub fn u8(&mut self) -> Result<u8, MalformedRow> {
        self.array::<1>().map(|[byte]| byte)
    }
    pub fn u16(&mut self) -> Result<u16, MalformedRow> {
        self.array().map(u16::from_be_bytes)
    }
    pub fn u64(&mut self) -> Result<u64, MalformedRow> {
        self.array().map(u64::from_be_bytes)
    }
    pub fn i64(&mut self) -> Result<i64, MalformedRow> {
        self.array().map(i64::from_be_bytes)
    }
    pub fn id<T: From<Uuid>>(&mut self) -> Result<T, MalformedRow> {
        self.array().map(|bytes| T::from(Uuid::from_bytes(bytes)))
    }

    pub fn version(&mut self, expected: u8) -> Result<(), MalformedRow> {
        let found = self.u8()?;
        if found == expected { Ok(()) } else { Err(MalformedRow::Version(found)) }
    }

    pub fn rest(self) -> &'a [u8] {
        self.0
    }

    pub fn end(self) -> Result<(), MalformedRow> {
        if self.0.is_empty() { Ok(()) } else { Err(MalformedRow::Long) }
    }
}
