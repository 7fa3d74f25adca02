//! Pages from the middle of a history that is being written: dense, in order, and the history everybody else saw.
//!
//! Nothing here says that a reader holds what he paged: his stream stays his own.

use super::Ledger;
use crate::report::data::Counts;
use chat::wire::Entry;

/// What was asked for.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    pub conversation: &'a str,
    pub from_seq: u64,
    pub limit: u32,
}

impl Ledger {
    pub fn paged(&mut self, asked: Asked<'_>, entries: &[Entry], head_seq: u64) {
        place(asked, entries, head_seq, &mut self.counts);
        let Some(number) = self.numbers.get(asked.conversation).copied() else { return };
        let conversation = &mut self.conversations[number as usize];
        let of_this_run = |entry: &&Entry| entry.conversation == asked.conversation && entry.seq > conversation.began_at_seq;
        for entry in entries.iter().filter(of_this_run).collect::<Vec<_>>() {
            self.counts.forked += u64::from(!conversation.same_history(entry));
            conversation.check(self.key, number, entry, &mut self.counts);
        }
    }
}

fn place(asked: Asked<'_>, entries: &[Entry], head_seq: u64, counts: &mut Counts) {
    let mut next = asked.from_seq;
    for entry in entries {
        counts.misdelivered += u64::from(entry.conversation != asked.conversation);
        counts.phantom += u64::from(entry.seq > head_seq);
        match entry.seq {
            seq if seq + 1 == next && next > asked.from_seq => counts.duplicated += 1,
            seq if seq < next => counts.reordered += 1,
            seq => {
                counts.gaps += seq - next;
                next = seq + 1;
            }
        }
    }
    counts.gaps += u64::from(entries.is_empty() && asked.from_seq <= head_seq);
    counts.phantom += u64::from(entries.len() > asked.limit as usize);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(seq: u64, hash: u8) -> Entry {
        Entry { conversation: "c".into(), seq, hash: vec![hash; 32].into(), ..Entry::default() }
    }

    fn counts(entries: &[Entry], head_seq: u64) -> Counts {
        let mut ledger = Ledger::new(1);
        ledger.conversation("c", 0);
        ledger.paged(Asked { conversation: "c", from_seq: 3, limit: 4 }, entries, head_seq);
        ledger.counts
    }

    #[test]
    fn a_page_is_dense_in_order_and_within_its_limits() {
        let page = |seqs: &[u64]| seqs.iter().map(|seq| entry(*seq, 1)).collect::<Vec<_>>();
        assert_eq!(counts(&page(&[3, 4, 5]), 9), Counts::default());
        assert_eq!(counts(&page(&[3, 5]), 9).gaps, 1);
        assert_eq!(counts(&page(&[]), 9).gaps, 1, "the head says there is something");
        assert_eq!(counts(&page(&[]), 2), Counts::default(), "beyond the head there is nothing");
        assert_eq!(counts(&page(&[3, 3, 4]), 9).duplicated, 1);
        assert_eq!(counts(&page(&[3, 4, 5, 2]), 9).reordered, 1);
        assert_eq!(counts(&page(&[3, 4, 5]), 4).phantom, 1);
        assert_eq!(counts(&page(&[3, 4, 5, 6, 7]), 9).phantom, 1, "more than was asked for");
        let foreign = Entry { conversation: "d".into(), ..entry(3, 1) };
        assert_eq!(counts(&[foreign], 9).misdelivered, 1);
    }

    #[test]
    fn two_pages_show_the_same_history() {
        let mut ledger = Ledger::new(1);
        ledger.conversation("c", 2);
        let asked = Asked { conversation: "c", from_seq: 2, limit: 9 };
        ledger.paged(asked, &[entry(2, 1), entry(3, 1)], 3);
        ledger.paged(asked, &[entry(2, 7), entry(3, 1)], 3);
        assert_eq!(ledger.counts, Counts::default(), "what stood there before the run is not judged");
        ledger.paged(asked, &[entry(2, 1), entry(3, 7)], 3);
        assert_eq!(ledger.counts.forked, 1);
    }
}
