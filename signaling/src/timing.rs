//! The times and sizes a client may rely on. DOMAIN D.1 (call sub-machine) sets the first three.

/// From the invitation until `no_answer`.
pub const RING_MS: i64 = 30_000;
/// From the answer, or from a new start, until both sides must have reported `connected`.
pub const CONNECT_MS: i64 = 15_000;
/// How long a broken connection, or a call whose two people have no socket, is waited for.
pub const RECONNECT_MS: i64 = 60_000;
/// However often a device comes back with a new peer connection, connecting ends by then.
pub const CONNECT_TOTAL_MS: i64 = 60_000;
/// An ended call still answers `attach` this long.
pub const REMEMBER_ENDED_MS: i64 = 60_000;
/// At most one advice to restart ICE in this time.
pub const RESTART_ADVICE_EVERY_MS: i64 = 5_000;
/// Loss of received packets that counts as bad, in parts per thousand.
pub const LOSSY_PERMILLE: u32 = 100;
/// So many bad reports in a row, and dropping video is advised.
pub const LOSSY_REPORTS: u8 = 3;

/// A session description; browsers' are 3–8 KiB.
pub const SDP_BYTES_MAX: usize = 16 * 1024;
pub const SDP_LINES_MAX: usize = 400;
pub const SDP_LINE_BYTES_MAX: usize = 1024;
pub const SDP_SECTIONS_MAX: usize = 8;
pub const CANDIDATE_BYTES_MAX: usize = 512;
/// `reject.reason`.
pub const REASON_CHARS_MAX: usize = 32;
/// TURN credentials never live longer.
pub const TURN_LIFETIME_S_MAX: i64 = 600;

#[cfg(test)]
mod tests {
    /// A message that the schema has and the tour does not mention would be found by nobody.
    #[test]
    fn the_protocol_document_names_every_message_of_the_schema() {
        let schema = include_str!("../../chat/proto/wenzhen/v1/call.proto");
        let tour = include_str!("../PROTOCOL.md");
        let names = schema.lines().filter_map(|line| line.strip_prefix("message ")?.split([' ', '{']).next());
        let missing: Vec<_> =
            names.clone().filter(|name| !tour.contains(&format!("`{name}")) && !tour.contains(&format!("{name} {{"))).collect();
        assert!(names.count() > 20 && missing.is_empty(), "not in PROTOCOL.md: {missing:?}");
    }

    #[test]
    fn the_protocol_document_names_the_times_and_sizes() {
        let tour = include_str!("../PROTOCOL.md");
        for text in [
            format!("{} s after the invite", super::RING_MS / 1000),
            format!("{} s after `CallStarted`", super::CONNECT_MS / 1000),
            format!("{} s after neither", super::RECONNECT_MS / 1000),
            format!("{} KiB, {} lines", super::SDP_BYTES_MAX / 1024, super::SDP_LINES_MAX),
            format!("{} bytes", super::CANDIDATE_BYTES_MAX),
        ] {
            assert!(tour.contains(&text), "PROTOCOL.md does not say: {text}");
        }
    }
}
