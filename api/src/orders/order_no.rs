//! Order numbers people can read out: the Beijing date, nine random digits, a check digit.
//!
//! Random, because a counter would tell competitors the volume and strangers the neighbour's number. The check digit is
//! Damm's: it finds every single wrong digit and every swap of neighbours.

use chat::{entropy::Entropy, ids::Timestamp};

/// Damm, "Total anti-symmetrische Quasigruppen", 2004: a totally anti-symmetric quasigroup of order 10.
const DAMM: [[u8; 10]; 10] = [
    [0, 3, 1, 7, 5, 9, 8, 6, 4, 2],
    [7, 0, 9, 2, 1, 5, 4, 8, 6, 3],
    [4, 2, 0, 6, 8, 7, 1, 3, 5, 9],
    [1, 7, 5, 0, 9, 8, 3, 4, 2, 6],
    [6, 1, 2, 3, 0, 4, 5, 9, 7, 8],
    [3, 6, 7, 4, 2, 0, 9, 5, 8, 1],
    [5, 8, 6, 9, 7, 2, 0, 1, 3, 4],
    [8, 9, 4, 5, 3, 6, 2, 0, 1, 7],
    [9, 4, 3, 8, 6, 1, 7, 2, 0, 5],
    [2, 5, 8, 1, 4, 3, 6, 7, 9, 0],
];

/// 18 digits. Unique with the help of the table's key; a collision is one in 10^9 a day.
pub fn order_no(at: Timestamp, entropy: &Entropy) -> String {
    let date = crate::orders::beijing_date(at);
    let digits = format!("{date}{:09}", entropy.up_to(999_999_999));
    let check = damm(&digits);
    format!("{digits}{check}")
}

/// Whether somebody mistyped it.
pub fn is_order_no(text: &str) -> bool {
    text.len() == 18 && text.bytes().all(|byte| byte.is_ascii_digit()) && damm(text) == 0
}

fn damm(digits: &str) -> u8 {
    digits.bytes().fold(0, |interim, digit| DAMM[usize::from(interim)][usize::from(digit - b'0')])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ORD-02: a slip of the finger is noticed before a search is made.
    #[test]
    fn a_wrong_digit_or_a_swap_is_noticed() {
        assert_eq!(damm("572"), 4, "the worked example of the method");
        let good = order_no(Timestamp(1_700_000_000_000), &Entropy::seeded(1));
        assert!(good.starts_with("20231115"), "the date is Beijing's: {good}");
        assert!(is_order_no(&good));
        for at in 0..good.len() {
            for digit in b'0'..=b'9' {
                let mut bytes = good.clone().into_bytes();
                if bytes[at] != digit {
                    bytes[at] = digit;
                    assert!(!is_order_no(std::str::from_utf8(&bytes).unwrap()));
                }
            }
            let mut bytes = good.clone().into_bytes();
            if at + 1 < bytes.len() && bytes[at] != bytes[at + 1] {
                bytes.swap(at, at + 1);
                assert!(!is_order_no(std::str::from_utf8(&bytes).unwrap()));
            }
        }
        assert!(!is_order_no("abc") && !is_order_no(""));
    }
}
