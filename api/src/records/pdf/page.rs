//! Draws laid-out pages: the text, the running head and footer, and the watermark.
//! The watermark is drawn as shapes: a text extractor or a screen reader would otherwise read it into the sentences it lies under.

use super::fonts::Fonts;
use super::layout::{HEIGHT_PT, MARGIN_PT, Page, Run, WIDTH_PT, Weight};
use super::{PdfError, RecordDocument, lines, shanghai_time};
use krilla::color::luma;
use krilla::geom::{PathBuilder, Point, Transform};
use krilla::num::NormalizedF32;
use krilla::page::PageSettings;
use krilla::paint::{Fill, Stroke};
use krilla::surface::Surface;
use krilla::text::{GlyphId, KrillaGlyph};

const SMALL_PT: f32 = 8.5;

pub(super) fn draw_all(pdf: &mut krilla::Document, document: &RecordDocument, pages: &[Page], fonts: &Fonts) -> Result<(), PdfError> {
    let watermark = lines::clean(&format!("{} {}", document.issue.viewer, shanghai_time(document.issue.at))).replace('\n', " ");
    let size = PageSettings::from_wh(WIDTH_PT, HEIGHT_PT).expect("A4 is a size");
    for (index, page) in pages.iter().enumerate() {
        let mut sheet = pdf.start_page_with(size.clone());
        let mut surface = sheet.surface();
        draw_watermark(&mut surface, &watermark, fonts)?;
        for y in &page.rules {
            draw_rule(&mut surface, *y);
        }
        for run in &page.runs {
            draw_run(&mut surface, run, fonts)?;
        }
        for run in margins(document, index, pages.len(), fonts)? {
            draw_run(&mut surface, &run, fonts)?;
        }
        draw_rule(&mut surface, HEIGHT_PT - 66.0);
        surface.finish();
        sheet.finish();
    }
    Ok(())
}

/// Running head from the second page on, and two footer lines.
fn margins(document: &RecordDocument, index: usize, count: usize, fonts: &Fonts) -> Result<Vec<Run>, PdfError> {
    let small = |x: f32, y: f32, text: String| Run {
        x,
        y,
        size_pt: SMALL_PT,
        weight: Weight::Regular,
        text: lines::clean(&text).replace('\n', " "),
    };
    let order = format!("订单号： {}", document.order_no);
    let number = format!("第 {} 页 / 共 {count} 页", index + 1);
    let issued = format!("出具时间：{}（北京时间）　查阅人：{}", shanghai_time(document.issue.at), document.issue.viewer);
    let right = |text: &str| Ok::<f32, PdfError>(WIDTH_PT - MARGIN_PT - lines::width(&lines::clean(text), fonts)? * SMALL_PT);
    let mut runs = vec![
        small(MARGIN_PT, HEIGHT_PT - 52.0, format!("{order}　医生：{}", document.doctor)),
        small(right(&number)?, HEIGHT_PT - 52.0, number),
        small(MARGIN_PT, HEIGHT_PT - 38.0, issued),
    ];
    if index > 0 {
        runs.push(small(MARGIN_PT, 44.0, format!("{}　{}", document.hospital, document.title)));
        runs.push(small(right(&order)?, 44.0, order));
    }
    Ok(runs)
}

fn draw_rule(surface: &mut Surface<'_>, y: f32) {
    let mut path = PathBuilder::new();
    path.move_to(MARGIN_PT, y);
    path.line_to(WIDTH_PT - MARGIN_PT, y);
    let Some(path) = path.finish() else { return };
    surface.set_fill(None);
    surface.set_stroke(Some(Stroke { paint: luma::Color::new(120).into(), width: 0.6, ..Stroke::default() }));
    surface.draw_path(&path);
    surface.set_stroke(None);
}

/// Five lines of it across the page, pale enough to read through and too many to cut away.
fn draw_watermark(surface: &mut Surface<'_>, text: &str, fonts: &Fonts) -> Result<(), PdfError> {
    surface.set_stroke(None);
    surface.set_fill(Some(Fill {
        paint: luma::Color::new(90).into(),
        opacity: NormalizedF32::new(0.10).expect("within 0..=1"),
        ..Fill::default()
    }));
    for row in 0..5 {
        let (x, y) = (if row % 2 == 0 { 60.0 } else { 230.0 }, 190.0 + row as f32 * 150.0);
        surface.push_transform(&Transform::from_rotate_at(-25.0, x, y));
        let drawn = draw_text(surface, x, y, 20.0, text, fonts, true);
        // Also after a refusal: a surface dropped with a transform on it panics.
        surface.pop();
        drawn?;
    }
    Ok(())
}

fn draw_run(surface: &mut Surface<'_>, run: &Run, fonts: &Fonts) -> Result<(), PdfError> {
    let ink = luma::Color::new(20);
    surface.set_fill(Some(Fill { paint: ink.into(), ..Fill::default() }));
    let outline = Stroke { paint: ink.into(), width: run.size_pt * 0.025, ..Stroke::default() };
    surface.set_stroke((run.weight == Weight::Bold).then_some(outline));
    draw_text(surface, run.x, run.y, run.size_pt, &run.text, fonts, false)?;
    surface.set_stroke(None);
    Ok(())
}

/// Draws glyph by glyph, one operator for each stretch that the same face draws.
fn draw_text(surface: &mut Surface<'_>, x: f32, y: f32, size_pt: f32, text: &str, fonts: &Fonts, outlined: bool) -> Result<(), PdfError> {
    let mut glyphs: Vec<KrillaGlyph> = Vec::new();
    let (mut face, mut start, mut pen) = (0, x, x);
    for (at, character) in text.char_indices() {
        let glyph = fonts.glyph(character)?;
        if glyph.face != face && !glyphs.is_empty() {
            surface.draw_glyphs(Point::from_xy(start, y), &glyphs, fonts.face(face), text, size_pt, outlined);
            glyphs.clear();
            start = pen;
        }
        face = glyph.face;
        let range = at..at + character.len_utf8();
        glyphs.push(KrillaGlyph::new(GlyphId::new(glyph.id), glyph.advance_em, 0.0, 0.0, 0.0, range, None));
        pen += glyph.advance_em * size_pt;
    }
    if !glyphs.is_empty() {
        surface.draw_glyphs(Point::from_xy(start, y), &glyphs, fonts.face(face), text, size_pt, outlined);
    }
    Ok(())
}
