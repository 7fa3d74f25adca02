//! Damaged copies of good files, the same ones for the same seed (SplitMix64).

pub struct Mutants(u64);

impl Mutants {
    pub fn of(seed: u64) -> Self {
        Self(seed)
    }

    pub fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((mixed ^ mixed >> 31) % end.max(1) as u64).unwrap()
    }

    /// One to six bytes changed, bits turned, ends cut off.
    pub fn damage(&mut self, good: &[u8]) -> Vec<u8> {
        let mut bytes = good.to_vec();
        for _ in 0..1 + self.below(6) {
            let at = self.below(bytes.len());
            match self.below(6) {
                0..3 => bytes[at] = self.below(256) as u8,
                3..5 => bytes[at] ^= 1 << self.below(8),
                _ => bytes.truncate(at.max(16)),
            }
        }
        bytes
    }
}
