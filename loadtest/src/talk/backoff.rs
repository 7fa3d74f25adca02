//! How long somebody waits before he tries to come back: what the server asked for, and on top a step that doubles.

use crate::connect::ComeBack;
use crate::seed::Seeded;
use std::time::Duration;

const FIRST_MS: u64 = 500;
const MAX_MS: u64 = 30_000;

/// Starts anew with every `welcome`.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    tries: u32,
}

impl Backoff {
    pub(super) fn wait(&mut self, asked: ComeBack, dice: &mut Seeded) -> Duration {
        let step_ms = FIRST_MS.saturating_mul(1 << self.tries.min(16)).min(MAX_MS) as f64;
        self.tries += 1;
        let random_ms = dice.unit() * asked.within_ms as f64 + dice.unit() * step_ms / 2.0;
        Duration::from_millis(asked.not_before_ms + (step_ms / 2.0 + random_ms) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_step_doubles_to_half_a_minute_and_the_window_is_drawn_anew() {
        let mut dice = Seeded::new(4, "backoff");
        let (mut backoff, asked) = (Backoff::default(), ComeBack { within_ms: 1_000, ..ComeBack::default() });
        for step_ms in [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000] {
            let waited = backoff.wait(asked, &mut dice).as_millis() as u64;
            assert!((step_ms / 2..=step_ms + 1_000).contains(&waited), "{waited} ms at a step of {step_ms}");
        }
        let mut spread = (0..100).map(|_| Backoff::default().wait(asked, &mut dice).as_millis()).collect::<Vec<_>>();
        spread.sort_unstable();
        assert!(spread[99] - spread[0] > 700, "{spread:?}");
    }

    #[test]
    fn nobody_comes_before_the_moment_the_server_named() {
        let mut dice = Seeded::new(4, "backoff");
        let asked = ComeBack { not_before_ms: 7_000, ..ComeBack::default() };
        assert!((0..100).all(|_| Backoff::default().wait(asked, &mut dice) >= Duration::from_millis(7_250)));
    }
}
