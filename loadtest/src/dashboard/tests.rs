use super::*;
use crate::report::sample;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::style::Color;

fn drawn(live: &Live, width: u16, height: u16) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw::draw(frame, live, false)).unwrap();
    terminal.backend().buffer().clone()
}

fn text(buffer: &Buffer) -> String {
    let width = usize::from(buffer.area.width);
    let symbols: Vec<&str> = buffer.content.iter().map(|cell| cell.symbol()).collect();
    symbols.chunks(width).map(|row| row.concat() + "\n").collect()
}

/// Colour of the first cell of a text.
fn colour_of(buffer: &Buffer, wanted: &str) -> Color {
    let whole = text(buffer);
    let (row, line) = whole.lines().enumerate().find(|(_, line)| line.contains(wanted)).unwrap_or_else(|| panic!("{wanted} in\n{whole}"));
    let column = line[..line.find(wanted).unwrap()].chars().count();
    buffer[(column as u16, row as u16)].fg
}

#[test]
fn a_calm_run_shows_its_figures_at_both_sizes() {
    let live = sample::live(&sample::passed(), 40);
    for (width, height) in [(80, 24), (120, 40)] {
        let picture = text(&drawn(&live, width, height));
        for part in [
            "reconnect",
            "10,000 people",
            "steady",
            "of 2 min 00 s",
            "acked 5,0",
            "ack p50 4.",
            "server 0.",
            "memory 2",
            "in flight",
            "late p99",
            "p99.9",
            "delivery",
            "q stops",
        ] {
            assert!(picture.contains(part), "{part} at {width}x{height} in\n{picture}");
        }
        assert!(!picture.contains("VIOLATION") && !picture.contains("FAILED"), "{picture}");
        assert!(picture.chars().any(|symbol| ('\u{2801}'..='\u{28ff}').contains(&symbol)), "curves are drawn");
        assert_eq!(picture.lines().count(), usize::from(height));
        println!("{picture}");
    }
}

#[test]
fn a_fault_and_violations_are_red() {
    let live = sample::live(&sample::failed(), 52);
    for (width, height) in [(80, 24), (120, 40)] {
        let buffer = drawn(&live, width, height);
        assert_eq!(colour_of(&buffer, "3 lost"), Color::Red);
        assert_eq!(colour_of(&buffer, "FAILED"), Color::Red);
        assert_eq!(colour_of(&buffer, "fault"), Color::Red);
        assert!(text(&buffer).contains("THE SERVER IS WRONG") && text(&buffer).contains("4 VIOLATIONS"));
        println!("{}", text(&buffer));
    }
}

#[test]
fn before_the_first_second_and_in_a_small_window_nothing_breaks() {
    let live = sample::live(&sample::passed(), 40);
    for (width, height) in [(1, 1), (20, 5), (59, 40), (80, 17), (60, 18), (300, 100)] {
        drawn(&live, width, height);
        drawn(&Live::default(), width, height);
    }
    assert!(text(&drawn(&live, 59, 10)).contains("acked"), "a sentence instead of the picture");
}

#[test]
fn text_from_outside_cannot_drive_the_terminal() {
    let mut live = sample::live(&sample::passed(), 40);
    live.failures.insert("\u{1b}[2Jclear".into(), 1);
    live.scenario = "\u{1b}]0;title\u{7}".into();
    assert!(drawn(&live, 120, 40).content.iter().all(|cell| !cell.symbol().contains(char::is_control)));
}

#[test]
fn q_and_control_c_stop_and_other_keys_do_not() {
    let key = |code, modifiers| meaning(&Event::Key(KeyEvent::new(code, modifiers)));
    assert_eq!(key(KeyCode::Char('q'), KeyModifiers::NONE), Some(Key::Stop));
    assert_eq!(key(KeyCode::Char('c'), KeyModifiers::CONTROL), Some(Key::Stop));
    assert_eq!((key(KeyCode::Char('c'), KeyModifiers::NONE), key(KeyCode::Enter, KeyModifiers::NONE)), (None, None));
    assert_eq!(meaning(&Event::Resize(80, 24)), Some(Key::Redraw));
}

#[tokio::test]
async fn without_a_terminal_lines_are_shown_until_the_end() {
    let (live, shown) = watch::channel(Live::default());
    let stop = CancellationToken::new();
    let showing = show(Tui::Off, shown, stop.clone());
    live.send(sample::live(&sample::passed(), 3)).unwrap();
    showing.end().await;
    assert!(!stop.is_cancelled() && live.is_closed(), "the end of the run is no wish to stop it");
}
