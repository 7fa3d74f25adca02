//! What a socket may ask: history, coming back, marks, typing, a pong. Calls are told in their own file.

use super::world::World;
use super::world::{TOKEN_LIFE_MS, now_ms};
use chat::errors::Code;
use chat::wire::{Command, Heads, Marks as MarksEvent, Pong, Presence, Pull, Refreshed, Resume, SetTyping, Typing, WatchPresence, command};

/// A resume's page; what is behind by more is pulled.
const RESUME_PAGE: u32 = 50;

impl World {
    pub fn command(&mut self, line: u64, command: Command, arrived_micros: u64) {
        let Some(person) = self.lines.get(&line).map(|line| line.person) else { return };
        match command.kind {
            Some(command::Kind::Send(send)) => self.say(line, send, arrived_micros),
            Some(command::Kind::Pull(pull)) => self.pull(line, person, &pull),
            Some(command::Kind::Resume(resume)) => self.resume(line, person, &resume),
            Some(command::Kind::Delivered(mark)) => self.mark(line, person, &mark.conversation, mark.up_to_seq, 0),
            Some(command::Kind::Read(mark)) => self.mark(line, person, &mark.conversation, mark.up_to_seq, mark.up_to_seq),
            Some(command::Kind::Typing(typing)) => self.typing(line, person, typing),
            Some(command::Kind::WatchPresence(watch)) => self.presence(line, watch),
            Some(command::Kind::Ping(ping)) => self.tell(line, Pong { nonce: ping.nonce, server_time_ms: now_ms() }),
            Some(command::Kind::Refresh(refresh)) => match self.by_token(&refresh.access_token) {
                Some(found) if found == person => self.tell(line, Refreshed { token_expires_at_ms: now_ms() + TOKEN_LIFE_MS }),
                _ => self.refuse(line, Code::Unauthenticated, "", ""),
            },
            Some(command::Kind::Call(call)) => self.call(line, person, call),
            Some(command::Kind::Hello(_)) => self.refuse(line, Code::AlreadyAuthenticated, "", ""),
            None => self.refuse(line, Code::UnknownCommand, "", ""),
        }
    }

    fn pull(&self, line: u64, person: usize, pull: &Pull) {
        let Some(known) = self.conversations.get(&pull.conversation).filter(|known| known.member(person).is_some()) else {
            return self.refuse(line, Code::UnknownConversation, "", &pull.conversation);
        };
        if pull.from_seq > 1 && !known.is_ours(pull.from_seq - 1, &pull.hash_prefix) {
            return self.tell(line, known.history_changed(person));
        }
        self.tell(line, known.page(person, pull.from_seq, pull.limit));
        if pull.from_seq == 0 {
            self.tell_marks(line, person, &pull.conversation);
        }
    }

    fn resume(&mut self, line: u64, person: usize, resume: &Resume) {
        let at = |conversation: &str| resume.cursors.iter().find(|cursor| cursor.conversation == conversation).map(|cursor| cursor.seq);
        let own = self.conversations.values().filter(|known| known.member(person).is_some());
        let moved = own.filter(|known| at(&known.id) != Some(known.head_for(person)));
        let heads = Heads { heads: moved.map(|known| known.head(person)).collect(), lagging: false };
        self.tell(line, heads);
        for cursor in &resume.cursors {
            let Some(known) = self.conversations.get_mut(&cursor.conversation).filter(|known| known.member(person).is_some()) else {
                self.refuse(line, Code::UnknownConversation, "", &cursor.conversation);
                continue;
            };
            let head_seq = known.head_for(person);
            if cursor.seq > head_seq || !known.is_ours(cursor.seq, &cursor.hash_prefix) {
                let changed = known.history_changed(person);
                self.tell(line, changed);
                continue;
            }
            if let Some(index) = self.skips.iter().position(|skipped| *skipped == person) {
                self.skips.swap_remove(index);
                known.hide(person, cursor.seq + 1);
            }
            if (1..=u64::from(RESUME_PAGE)).contains(&(head_seq - cursor.seq)) {
                let page = known.page(person, cursor.seq + 1, RESUME_PAGE);
                self.tell(line, page);
            }
            self.tell_marks(line, person, &cursor.conversation);
        }
    }

    fn tell_marks(&self, line: u64, person: usize, conversation: &str) {
        let Some(known) = self.conversations.get(conversation) else { return };
        for (other, marks) in known.marks.iter().filter(|(other, _)| **other != person) {
            let user = self.residents[*other].user.clone();
            let (delivered_seq, read_seq) = (marks.delivered, marks.read);
            self.tell(line, MarksEvent { conversation: conversation.to_owned(), user, delivered_seq, read_seq });
        }
    }

    fn mark(&mut self, line: u64, person: usize, conversation: &str, delivered: u64, read: u64) {
        let Some(known) = self.own(person, conversation) else {
            return self.refuse(line, Code::UnknownConversation, "", conversation);
        };
        let head_seq = known.head_seq();
        let marks = known.marks.entry(person).or_default();
        marks.delivered = marks.delivered.max(delivered.min(head_seq));
        marks.read = marks.read.max(read.min(head_seq));
        let (delivered_seq, read_seq) = (marks.delivered, marks.read);
        let told = super::speak::members(known);
        let user = self.residents[person].user.clone();
        for other in told {
            self.tell_person(other, MarksEvent { conversation: conversation.to_owned(), user: user.clone(), delivered_seq, read_seq });
        }
    }

    fn typing(&mut self, line: u64, person: usize, typing: SetTyping) {
        let Some(known) = self.own(person, &typing.conversation) else {
            return self.refuse(line, Code::UnknownConversation, "", &typing.conversation);
        };
        let others = super::speak::members(known).into_iter().filter(|other| *other != person).collect::<Vec<_>>();
        let user = self.residents[person].user.clone();
        for other in others {
            self.tell_person(other, Typing { conversation: typing.conversation.clone(), user: user.clone(), active: typing.active });
        }
    }

    fn presence(&self, line: u64, watch: WatchPresence) {
        for user in watch.users {
            let person = self.residents.iter().position(|resident| resident.user == user);
            self.tell(line, Presence { user, online: person.is_some_and(|person| self.is_here(person)) });
        }
    }
}
