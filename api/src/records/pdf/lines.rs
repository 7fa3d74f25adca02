//! Breaks Chinese text into lines: anywhere between ideographs, never inside a word, a number or a dose,
//! never so that a line begins with a closing mark or ends with an opening one (避头尾, GB/T 15834).

use super::PdfError;
use super::fonts::Fonts;

/// May not begin a line.
const CLOSING: &str = "，。、；：？！）】》」』〉〕｝’”…—·～％‰℃℉°,.;:?!)]}%々ー";
/// May not end a line.
const OPENING: &str = "（【《「『〈〔｛‘“([{￥¥$№#";

/// Line feeds only, tabs as spaces, no characters that draw nothing by their nature.
/// Direction overrides stay and are refused as unprintable: they would change what is read.
pub(super) fn clean(text: &str) -> String {
    text.replace("\r\n", "\n")
        .chars()
        .filter(|c| !matches!(c, '\u{200B}'..='\u{200D}' | '\u{2060}' | '\u{FEFF}' | '\u{FE00}'..='\u{FE0F}' | '\u{AD}'))
        .map(|c| match c {
            '\r' | '\u{2028}' | '\u{2029}' => '\n',
            '\t' => ' ',
            other => other,
        })
        .collect()
}

/// Lines of one paragraph, none wider than `width` em except where a single character is.
pub(super) fn wrap(paragraph: &str, width_em: f32, fonts: &Fonts) -> Result<Vec<String>, PdfError> {
    let mut lines = Vec::new();
    let (mut line, mut used) = (String::new(), 0.0);
    for atom in atoms(paragraph) {
        let wide = width(&atom, fonts)?;
        if used + wide <= width_em {
            line.push_str(&atom);
            used += wide;
            continue;
        }
        if !line.is_empty() {
            lines.push(finish(&mut line));
        }
        used = fill(&atom, width_em, fonts, &mut lines, &mut line)?;
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(finish(&mut line));
    }
    Ok(lines)
}

pub(super) fn width(text: &str, fonts: &Fonts) -> Result<f32, PdfError> {
    text.chars().map(|c| fonts.glyph(c).map(|glyph| glyph.advance_em)).sum()
}

/// Starts a new line with an atom; one that is wider than a whole line is cut between characters.
fn fill(atom: &str, width_em: f32, fonts: &Fonts, lines: &mut Vec<String>, line: &mut String) -> Result<f32, PdfError> {
    let mut used = 0.0;
    for character in atom.trim_start_matches(' ').chars() {
        let wide = fonts.glyph(character)?.advance_em;
        if used + wide > width_em && !line.is_empty() {
            lines.push(finish(line));
            used = 0.0;
        }
        line.push(character);
        used += wide;
    }
    Ok(used)
}

fn finish(line: &mut String) -> String {
    let done = std::mem::take(line);
    done.trim_end_matches(' ').to_owned()
}

/// The pieces between which a line may be broken.
fn atoms(paragraph: &str) -> Vec<String> {
    let characters: Vec<char> = paragraph.chars().collect();
    let mut atoms = Vec::new();
    let mut atom = String::new();
    for (index, &character) in characters.iter().enumerate() {
        atom.push(character);
        if index + 1 == characters.len() || may_break(&characters, index) {
            atoms.push(std::mem::take(&mut atom));
        }
    }
    atoms
}

/// Between the characters at `index` and `index + 1`.
fn may_break(characters: &[char], index: usize) -> bool {
    let (before, after) = (characters[index], characters[index + 1]);
    if CLOSING.contains(after) || OPENING.contains(before) || after == ' ' {
        return false;
    }
    if before == ' ' {
        // A number keeps its unit also across a space: `0.5 mg` torn apart reads as another dose.
        let number = index > 0 && characters[index - 1].is_ascii_digit();
        return !(number && (after.is_ascii_alphabetic() || matches!(after, 'μ' | 'µ')));
    }
    !(before.is_ascii_digit() || is_word(before) && is_word(after))
}

/// Belongs to a Latin word, a number or a formula.
fn is_word(character: char) -> bool {
    !is_ideographic(character)
}

fn is_ideographic(character: char) -> bool {
    matches!(character, '\u{2E80}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{FE30}'..='\u{FE4F}' | '\u{FF00}'..='\u{FFEF}' | '\u{20000}'..='\u{3FFFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrapped(text: &str, width_em: f32) -> Vec<String> {
        wrap(text, width_em, Fonts::embedded()).unwrap()
    }

    #[test]
    fn a_line_neither_begins_with_a_closing_mark_nor_ends_with_an_opening_one() {
        let text = "患者主诉（三天前）受凉后出现咳嗽、咳痰，伴低热；无胸痛。“夜间加重”，自服《感冒灵》后稍缓解……";
        for width in 4..30 {
            for line in wrapped(text, width as f32) {
                let first = line.chars().next().unwrap();
                let last = line.chars().last().unwrap();
                assert!(!CLOSING.contains(first), "{width}: {line}");
                assert!(!OPENING.contains(last), "{width}: {line}");
            }
            assert_eq!(wrapped(text, width as f32).concat(), text, "nothing may be lost at {width} em");
        }
    }

    #[test]
    fn a_dose_is_never_torn() {
        let text = "每次口服 0.25 mg 每日3次，体温38.5℃，布洛芬200mg，血压120/80mmHg。";
        for width in 8..30 {
            let lines = wrapped(text, width as f32);
            for whole in ["0.25 mg", "3次", "38.5℃", "200mg", "120/80mmHg"] {
                assert!(lines.iter().any(|line| line.contains(whole)), "{whole} at {width} em: {lines:?}");
            }
        }
    }

    #[test]
    fn no_line_is_too_wide_and_a_very_long_word_is_cut() {
        let text = "A".repeat(200) + "好的" + &"9".repeat(90);
        for line in wrapped(&text, 12.0) {
            assert!(width(&line, Fonts::embedded()).unwrap() <= 12.0);
        }
        assert_eq!(wrapped(&text, 12.0).concat(), text);
    }

    #[test]
    fn an_empty_paragraph_is_an_empty_line() {
        assert_eq!(wrapped("", 10.0), [""]);
    }
}
