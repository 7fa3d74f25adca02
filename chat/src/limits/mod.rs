//! How much one socket, person or address may ask of the node. Every queue and every rate has a number here.
//!
//! Times are milliseconds. Tests shorten them; nothing else should need to.

mod bucket;

pub(crate) use bucket::TokenBucket;

/// Limits of sockets. The defaults are for people; a load test raises the rates.
#[derive(Clone, Debug)]
pub struct HubLimits {
    /// Open sockets of one person; one more closes the oldest (`replaced`).
    pub sockets_per_user_max: usize,
    /// Upgraded sockets of one address (IPv4, or IPv6 /64) that have not said hello yet.
    pub unauthenticated_per_ip_max: u32,
    /// Upgrades a second on this node; what is above is refused before the upgrade.
    pub accepts_per_s: u32,
    pub accepts_burst: u32,
    /// Commands of one person, over all his sockets.
    pub commands_per_s: u32,
    pub commands_burst: u32,
    /// Sends of one person; a send counts as a command too.
    pub sends_per_s: u32,
    pub sends_burst: u32,
    /// Received bytes of one person.
    pub bytes_per_s: u32,
    pub bytes_burst: u32,
    /// Refusals of one person for exceeding these rates; beyond it his socket closes (`abuse`).
    pub refusals_per_s: u32,
    pub refusals_burst: u32,
    /// Bytes waiting for one socket before it lags.
    pub queue_bytes_max: usize,
    /// Bytes of urgent entries that pass a full queue.
    pub urgent_bytes_max: usize,
    /// Sends of one socket that may be on their way to the disk at once.
    pub sends_in_flight_max: usize,
    pub hello_timeout_ms: u32,
    pub heartbeat_ms: u32,
    pub no_progress_ms: u32,
    /// How often deadlines are looked at: the precision of the three above and of token expiry.
    pub sweep_ms: u32,
}

impl Default for HubLimits {
    fn default() -> Self {
        Self {
            sockets_per_user_max: 12,
            unauthenticated_per_ip_max: 256,
            accepts_per_s: 1_000,
            accepts_burst: 4_000,
            commands_per_s: 30,
            commands_burst: 120,
            sends_per_s: 5,
            sends_burst: 30,
            bytes_per_s: 64 * 1024,
            bytes_burst: 512 * 1024,
            refusals_per_s: 2,
            refusals_burst: 40,
            queue_bytes_max: 64 * 1024,
            urgent_bytes_max: 16 * 1024,
            sends_in_flight_max: 16,
            hello_timeout_ms: 5_000,
            heartbeat_ms: 20_000,
            no_progress_ms: 30_000,
            sweep_ms: 500,
        }
    }
}

/// What one command may carry. Part of the protocol: told in PROTOCOL.md, not configurable.
pub mod wire_limits {
    /// Unicode scalar values of a text.
    pub const TEXT_CHARS_MAX: usize = 4_000;
    pub const CAPTION_CHARS_MAX: usize = 200;
    pub const CLIENT_CHARS_MAX: usize = 64;
    pub const PULL_ENTRIES_MAX: u32 = 200;
    pub const PULL_ENTRIES_DEFAULT: u32 = 50;
    /// A page ends before it grows over this, but holds at least one entry.
    pub const PAGE_BYTES_MAX: usize = 48 * 1024;
    pub const CURSORS_MAX: usize = 200;
    /// A cursor that is behind by more gets no page of its own; the client pulls.
    pub const RESUME_PAGE_ENTRIES_MAX: u64 = 50;
    pub const HEADS_MAX: usize = 500;
    pub const WATCHED_USERS_MAX: usize = 200;
}
