//! The only place in this crate that draws randomness: blob ids and nonces, from the operating system.

pub(crate) fn bytes<const N: usize>() -> [u8; N] {
    let mut buffer = [0; N];
    getrandom::fill(&mut buffer).expect("the operating system has randomness; without it nothing may be sealed");
    buffer
}
