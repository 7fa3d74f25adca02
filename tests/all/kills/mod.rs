//! kill -9 of the real process, at numbers of acknowledgements drawn from a seed: events, not moments. Nothing that was answered
//! becomes untrue, nothing happens twice, and what nobody was told about is repeated with the same key or id.
//!
//! `WENZHEN_KILLS`: how often (5 by default). `WENZHEN_SEED`: who does what, and when it ends.

mod books;
mod case;
mod lane;
mod money;
mod talk;

fn kills() -> u32 {
    number("WENZHEN_KILLS").unwrap_or(5)
}

fn seed() -> u64 {
    number("WENZHEN_SEED").unwrap_or(20_261_123)
}

fn number<T: std::str::FromStr>(name: &str) -> Option<T> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}
