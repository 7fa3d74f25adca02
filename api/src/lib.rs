//! The business around the conversation: accounts, doctors, consultations, orders, records; HTTP, SQL, configuration.

pub mod records;
