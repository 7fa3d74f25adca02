//! What one receiver has of one conversation: which places, and in which order they came.

/// How an entry reached a receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    Live,
    /// In a page that was pulled, or that answers a resume.
    Page,
}

/// Places are counted from the run's first, 1.
#[derive(Debug, Default)]
pub(super) struct Stream {
    /// One bit a place: held, and held from a live entry.
    held: Vec<u64>,
    live: Vec<u64>,
    whole_to: u64,
    last_live: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) new: bool,
    pub(super) duplicated: bool,
    pub(super) reordered: bool,
    pub(super) hole_from: Option<u64>,
}

impl Stream {
    pub(super) fn step(&mut self, place: u64, source: Source) -> Step {
        let new = !is_set(&self.held, place);
        let mut step = Step { new, ..Step::default() };
        if source == Source::Live {
            // A live entry may follow a page that held it already: both were under way. Twice live is the server's doing.
            step.duplicated = !new && is_set(&self.live, place);
            step.reordered = new && place < self.last_live;
            self.last_live = self.last_live.max(place);
            set(&mut self.live, place);
        }
        set(&mut self.held, place);
        while is_set(&self.held, self.whole_to + 1) {
            self.whole_to += 1;
        }
        step.hole_from = (place > self.whole_to).then_some(self.whole_to + 1);
        step
    }

    pub(super) fn reconnected(&mut self) {
        self.last_live = 0;
    }

    pub(super) fn whole_to(&self) -> u64 {
        self.whole_to
    }

    pub(super) fn holes(&self, head: u64) -> u64 {
        (self.whole_to + 1..=head).filter(|place| !is_set(&self.held, *place)).count() as u64
    }
}

fn is_set(bits: &[u64], place: u64) -> bool {
    usize::try_from(place / 64).ok().and_then(|word| bits.get(word)).is_some_and(|word| word & (1 << (place % 64)) != 0)
}

fn set(bits: &mut Vec<u64>, place: u64) {
    let Ok(word) = usize::try_from(place / 64) else { return };
    if bits.len() <= word {
        bits.resize(word + 1, 0);
    }
    bits[word] |= 1 << (place % 64);
}
