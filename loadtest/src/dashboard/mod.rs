//! What a person sees while a run goes on: the dashboard on a terminal, plain lines elsewhere.
//!
//! It only looks: `q`, Ctrl-C and SIGTERM ask the run to stop and the run decides how. The terminal is given back in every case, a panic
//! included.

mod draw;
mod panels;

use crate::cli::Tui;
use crate::report::data::Live;
use crate::report::lines;
use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use std::io::{IsTerminal, Write as _};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How long a key may wait while the run ends.
const KEY_POLL: Duration = Duration::from_millis(100);

#[derive(Debug)]
pub struct Shown {
    over: CancellationToken,
    task: JoinHandle<()>,
}

impl Shown {
    /// Afterwards the terminal is as it was.
    pub async fn end(self) {
        self.over.cancel();
        // A picture that broke off must not take the report with it.
        let _ = self.task.await;
    }
}

/// Shows `live` until [`Shown::end`] or until nobody sends it any more; whoever wants to stop the run cancels `stop`.
pub fn show(tui: Tui, live: watch::Receiver<Live>, stop: CancellationToken) -> Shown {
    let over = CancellationToken::new();
    let wanted = match tui {
        Tui::Auto => std::io::stdout().is_terminal() && std::io::stdin().is_terminal(),
        Tui::On => true,
        Tui::Off => false,
    };
    // A terminal that refuses raw mode still takes lines.
    let terminal = if wanted { ratatui::try_init().ok() } else { None };
    let task = match terminal {
        Some(terminal) => tokio::spawn(dashboard(terminal, live, stop, over.clone())),
        None => tokio::spawn(plain(live, stop, over.clone())),
    };
    Shown { over, task }
}

async fn plain(mut live: watch::Receiver<Live>, stop: CancellationToken, over: CancellationToken) {
    loop {
        tokio::select! {
            () = over.cancelled() => return,
            () = signalled(), if !stop.is_cancelled() => stop.cancel(),
            changed = live.changed() => match changed {
                Ok(()) => {
                    let line = lines::second(&live.borrow_and_update());
                    // Nobody reads them: the run goes on.
                    let _ = writeln!(std::io::stderr(), "{line}");
                }
                Err(_) => return,
            },
        }
    }
}

/// Gives the terminal back, however the picture ends.
struct Restore;

impl Drop for Restore {
    fn drop(&mut self) {
        ratatui::restore();
    }
}

async fn dashboard(mut terminal: DefaultTerminal, mut live: watch::Receiver<Live>, stop: CancellationToken, over: CancellationToken) {
    let restore = Restore;
    let (keys, mut pressed) = mpsc::unbounded_channel();
    let reading = tokio::task::spawn_blocking({
        let over = over.clone();
        move || read_keys(&keys, &over)
    });
    loop {
        // A frame that could not be written is followed by the next.
        let _ = terminal.draw(|frame| draw::draw(frame, &live.borrow(), stop.is_cancelled()));
        tokio::select! {
            () = over.cancelled() => break,
            () = signalled(), if !stop.is_cancelled() => stop.cancel(),
            key = pressed.recv() => if let Some(Key::Stop) = key { stop.cancel() },
            changed = live.changed() => if changed.is_err() { break },
        }
    }
    over.cancel();
    // It ends within one poll, and must not take keys that are the shell's.
    let _ = reading.await;
    drop(restore);
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key {
    Stop,
    Redraw,
}

fn read_keys(keys: &mpsc::UnboundedSender<Key>, over: &CancellationToken) {
    while !over.is_cancelled() {
        match event::poll(KEY_POLL) {
            Ok(true) => {
                let Ok(event) = event::read() else { return };
                if let Some(key) = meaning(&event)
                    && keys.send(key).is_err()
                {
                    return;
                }
            }
            Ok(false) => {}
            Err(_) => return,
        }
    }
}

fn meaning(event: &Event) -> Option<Key> {
    match event {
        Event::Key(KeyEvent { code: KeyCode::Char('q' | 'Q'), kind: KeyEventKind::Press, .. }) => Some(Key::Stop),
        Event::Key(KeyEvent { code: KeyCode::Char('c'), modifiers, kind: KeyEventKind::Press, .. })
            if modifiers.contains(KeyModifiers::CONTROL) =>
        {
            Some(Key::Stop)
        }
        Event::Resize(..) => Some(Key::Redraw),
        _ => None,
    }
}

/// SIGINT or SIGTERM; never, where they cannot be heard.
async fn signalled() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                Ok(()) = tokio::signal::ctrl_c() => {}
                Some(()) = terminate.recv() => {}
                else => std::future::pending().await,
            }
        }
        Err(_) => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests;
