//! Words of the command line and of scenario files: durations, rates, stages.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::str::FromStr;
use std::time::Duration;

/// A duration as people write it: `500ms`, `30s`, `10m`, `1h`.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
pub struct Span(pub Duration);

impl Span {
    pub const fn seconds(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }

    pub fn micros(self) -> u64 {
        u64::try_from(self.0.as_micros()).unwrap_or(u64::MAX)
    }
}

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is not a duration; write 500ms, 30s, 10m or 1h");
        let split = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (number, unit) = text.split_at(split);
        let factor = match unit {
            "us" => 0.000_001,
            "ms" => 0.001,
            "s" | "" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return Err(wrong()),
        };
        let seconds = number.parse::<f64>().map_err(|_| wrong())? * factor;
        Duration::try_from_secs_f64(seconds).map(Self).map_err(|_| wrong())
    }
}

impl std::fmt::Display for Span {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0.as_millis() {
            whole if whole % 1000 == 0 => write!(f, "{}s", whole / 1000),
            part => write!(f, "{part}ms"),
        }
    }
}

/// Events per second: `5000/s`, `0.5`, `120/m`.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
pub struct Rate(pub f64);

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (number, per) = match text.split_once('/') {
            None | Some((_, "s")) => (text.split('/').next().unwrap_or(text), 1.0),
            Some((number, "m")) => (number, 60.0),
            Some(_) => (text, 1.0),
        };
        match number.parse::<f64>() {
            Ok(rate) if rate >= 0.0 && rate.is_finite() => Ok(Self(rate / per)),
            _ => Err(format!("{text:?} is not a rate; write 5000/s")),
        }
    }
}

impl std::fmt::Display for Rate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/s", self.0)
    }
}

/// Within `over` the rate goes evenly to `rate_to`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stage {
    pub over: Span,
    pub rate_to: Rate,
}

/// The rate over time: straight lines between points, `0:0,60s:5000,10m:5000,30s:0`. A first point of length 0 sets where it begins.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stages(pub Vec<Stage>);

impl Stages {
    pub fn constant(rate: Rate, over: Span) -> Self {
        Self(vec![Stage { over: Span::seconds(0), rate_to: rate }, Stage { over, rate_to: rate }])
    }

    pub fn length(&self) -> Span {
        Span(self.0.iter().map(|stage| stage.over.0).sum())
    }

    pub fn highest(&self) -> f64 {
        self.0.iter().map(|stage| stage.rate_to.0).fold(0.0, f64::max)
    }

    pub fn rate_at(&self, micros: u64) -> f64 {
        let (mut from, mut rate) = (0, self.0.first().map_or(0.0, |first| if first.over.0.is_zero() { first.rate_to.0 } else { 0.0 }));
        for stage in &self.0 {
            let length = stage.over.micros();
            if micros < from + length {
                return rate + (stage.rate_to.0 - rate) * (micros - from) as f64 / length as f64;
            }
            from += length;
            rate = stage.rate_to.0;
        }
        0.0
    }

    /// The same curve over another time.
    pub fn stretched(&self, factor: f64) -> Self {
        Self(self.0.iter().map(|stage| Stage { over: Span(stage.over.0.mul_f64(factor)), ..*stage }).collect())
    }

    pub fn scaled(&self, factor: f64) -> Self {
        Self(self.0.iter().map(|stage| Stage { rate_to: Rate(stage.rate_to.0 * factor), ..*stage }).collect())
    }
}

impl FromStr for Stages {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let stage = |part: &str| {
            let (over, rate) = part.split_once(':').ok_or_else(|| format!("{part:?} is not a stage; write 60s:5000"))?;
            Ok(Stage { over: over.trim().parse()?, rate_to: rate.trim().parse()? })
        };
        let stages = Self(text.split(',').map(stage).collect::<Result<_, String>>()?);
        if stages.length().0.is_zero() { Err(format!("the stages {text:?} take no time")) } else { Ok(stages) }
    }
}

impl std::fmt::Display for Stages {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let parts: Vec<String> = self.0.iter().map(|stage| format!("{}:{}", stage.over, stage.rate_to.0)).collect();
        f.write_str(&parts.join(","))
    }
}

macro_rules! as_text {
    ($($name:ident),+) => {$(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    )+};
}
as_text!(Span, Rate, Stages);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_durations_and_stages_say_what_is_wrong() {
        assert_eq!("5000/s".parse(), Ok(Rate(5000.0)));
        assert_eq!("120/m".parse(), Ok(Rate(2.0)));
        assert_eq!("500ms".parse(), Ok(Span(Duration::from_millis(500))));
        assert_eq!("10m".parse(), Ok(Span::seconds(600)));
        for wrong in ["-1/s", "fast", "inf", "5/h"] {
            assert!(wrong.parse::<Rate>().is_err(), "{wrong}");
        }
        for wrong in ["10 parsecs", "s", "-3s"] {
            assert!(wrong.parse::<Span>().is_err(), "{wrong}");
        }
        assert!("60s".parse::<Stages>().is_err() && "0:5".parse::<Stages>().is_err());
    }

    #[test]
    fn the_rate_follows_straight_lines_between_the_points() {
        let stages: Stages = "0:0,60s:6000,10s:6000,20s:0".parse().expect("well formed");
        assert_eq!(stages.length(), Span::seconds(90));
        assert_eq!(stages.rate_at(30_000_000), 3000.0);
        assert_eq!(stages.rate_at(65_000_000), 6000.0);
        assert_eq!(stages.rate_at(80_000_000), 3000.0);
        assert_eq!(stages.rate_at(90_000_000), 0.0);
        assert_eq!(stages.to_string().parse(), Ok(stages));
    }
}
