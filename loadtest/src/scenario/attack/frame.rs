//! Frames by hand (RFC 6455, section 5), so that they can be wrong.

/// The server's first frame that means an end, or nothing yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    Close(u16),
    /// The bytes end within a frame.
    Incomplete,
}

pub(super) const FIN: u8 = 0x80;
/// "Compressed", which nobody negotiated.
pub(super) const RSV1: u8 = 0x40;
pub(super) const CONTINUATION: u8 = 0;
pub(super) const TEXT: u8 = 1;
pub(super) const BINARY: u8 = 2;
pub(super) const PING: u8 = 9;
const CLOSE: u8 = 8;

/// A masked frame, as a client's has to be.
pub(super) fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = header(first, payload.len() as u64, true);
    let mask = [0x37, 0xfa, 0x21, 0x3d];
    frame.extend(mask);
    frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

/// A client's frame without its mask: against section 5.1.
pub(super) fn unmasked(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = header(first, payload.len() as u64, false);
    frame.extend(payload);
    frame
}

/// Announces more than anybody will send.
pub(super) fn header(first: u8, length: u64, is_masked: bool) -> Vec<u8> {
    let mask = if is_masked { 0x80 } else { 0 };
    match length {
        0..=125 => vec![first, mask | length as u8],
        126..=65_535 => [&[first, mask | 126][..], &(length as u16).to_be_bytes()].concat(),
        _ => [&[first, mask | 127][..], &length.to_be_bytes()].concat(),
    }
}

/// Looks through what the server sent for its close frame.
pub(super) fn find_close(mut bytes: &[u8]) -> Seen {
    while let [first, second, rest @ ..] = bytes {
        let (length, rest) = match (second & 0x7f, rest) {
            (126, [a, b, rest @ ..]) => (usize::from(u16::from_be_bytes([*a, *b])), rest),
            (127, [a, b, c, d, e, f, g, h, rest @ ..]) => {
                (usize::try_from(u64::from_be_bytes([*a, *b, *c, *d, *e, *f, *g, *h])).unwrap_or(usize::MAX), rest)
            }
            (126 | 127, _) => return Seen::Incomplete,
            (length, rest) => (usize::from(length), rest),
        };
        let Some(payload) = rest.get(..length) else { return Seen::Incomplete };
        if first & 0x0f == CLOSE {
            let code = payload.first_chunk::<2>().map_or(1005, |code| u16::from_be_bytes(*code));
            return Seen::Close(code);
        }
        bytes = &rest[length..];
    }
    Seen::Incomplete
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_close_frame_is_found_behind_others_and_half_a_one_is_none() {
        let mut bytes = unmasked(FIN | BINARY, &[7; 300]);
        bytes.extend(unmasked(FIN | PING, b""));
        assert_eq!(find_close(&bytes), Seen::Incomplete);
        bytes.extend(unmasked(FIN | CLOSE, &[0x0f, 0xa9, b'a']));
        assert_eq!(find_close(&bytes), Seen::Close(4009));
        assert_eq!(find_close(&bytes[..bytes.len() - 1]), Seen::Incomplete);
        assert_eq!(find_close(&unmasked(FIN | CLOSE, b"")), Seen::Close(1005));
    }

    #[test]
    fn a_mask_hides_the_payload_and_long_ones_have_long_lengths() {
        assert_eq!(masked(FIN | TEXT, b"Hello"), [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58]);
        assert_eq!(unmasked(FIN | BINARY, &[0; 70_000])[..10], [0x82, 127, 0, 0, 0, 0, 0, 1, 0x11, 0x70]);
    }
}
