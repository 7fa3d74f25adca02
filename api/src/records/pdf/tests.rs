//! What is on the paper, checked from outside: text by poppler's `pdftotext`, ink by `pdftoppm`.

use super::*;
use std::process::{Command, Stdio};

fn document(text: &str) -> RecordDocument {
    let fact = |label: &str, value: &str| Fact { label: label.into(), value: value.into() };
    RecordDocument {
        hospital: "云湖市第一人民医院互联网医院".into(),
        title: "复诊病历".into(),
        order_no: "WZ2026030500017".into(),
        facts: vec![fact("姓名", "赵䶮"), fact("性别", "女"), fact("年龄", "34岁"), fact("科室", "呼吸内科")],
        sections: vec![Section { heading: "诊断".into(), text: text.into() }],
        doctor: "周喆 主任医师".into(),
        signed_at: Timestamp(1_772_672_400_000),
        content_hash: "9f86d081884c7d659a2feaa0c55ad015".into(),
        issue: Issue { viewer: "赵䶮".into(), at: Timestamp(1_772_672_460_000) },
    }
}

/// Runs a poppler tool on a document. Without the tool the test is skipped, except where `CI=true` says it has to be there.
fn poppler(tool: &str, arguments: &[&str], pdf: &[u8]) -> Option<Vec<u8>> {
    if Command::new(tool).arg("-v").stdout(Stdio::null()).stderr(Stdio::null()).status().is_err() {
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "{tool} is missing: install poppler-utils");
        return None;
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("record.pdf");
    std::fs::write(&path, pdf).unwrap();
    let output = Command::new(tool).args(arguments).arg(&path).arg("-").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(output.stdout)
}

fn text_of(pdf: &[u8]) -> Option<String> {
    poppler("pdftotext", &["-layout"], pdf).map(|text| String::from_utf8(text).unwrap())
}

/// REC-01, REC-02, REC-04: the Chinese text comes back out of the document.
#[test]
fn the_text_is_read_back() {
    let pdf = render(&document("急性上呼吸道感染，体温38.5℃，血氧≥95%，地塞米松0.75mg×2。")).unwrap();
    let Some(text) = text_of(&pdf) else { return };
    let squeezed: String = text.split_whitespace().collect();
    for expected in [
        "云湖市第一人民医院互联网医院",
        "复诊病历",
        "姓名：赵䶮",
        "急性上呼吸道感染，体温38.5℃，血氧≥95%，地塞米松0.75mg×2。",
        "医生：周喆主任医师",
        "签署时间：2026-03-0509:00（北京时间）",
        "订单号：WZ2026030500017",
        "出具时间：2026-03-0509:01（北京时间）",
        "查阅人：赵䶮",
        "内容校验：9f86d081884c7d65",
        "第1页/共1页",
    ] {
        assert!(squeezed.contains(expected), "{expected} is not in\n{text}");
    }
}

/// The characters that other fonts drew as boxes while the text still read right.
#[test]
fn digits_units_and_rare_names_are_drawn_as_themselves() {
    let wanted = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ℃≥≤×μ￥①²‰±䶮龘㐀喆赑鿍";
    let glyphs: Vec<char> = wanted.chars().collect();
    let Some(ink) = rendered(&glyphs.iter().map(|c| Some(*c)).chain([None]).collect::<Vec<_>>()) else { return };
    let (tofu, drawn) = ink.split_last().unwrap();
    assert!(tofu.iter().any(|dark| *dark), "the box itself must be visible, else the comparison proves nothing");
    for (index, image) in drawn.iter().enumerate() {
        assert!(image.iter().any(|dark| *dark), "{} is blank", glyphs[index]);
        assert_ne!(image, tofu, "{} is a box", glyphs[index]);
        if let Some(twin) = drawn[..index].iter().position(|other| other == image) {
            panic!("{} looks exactly like {}", glyphs[index], glyphs[twin]);
        }
    }
}

/// One page per character, large, by the same faces as the record; `None` draws glyph 0. Pixels as dark or not.
fn rendered(characters: &[Option<char>]) -> Option<Vec<Vec<bool>>> {
    use krilla::geom::Point;
    use krilla::text::{GlyphId, KrillaGlyph};
    let fonts = Fonts::embedded();
    let mut pdf = krilla::Document::new();
    for character in characters {
        let glyph = character.map(|c| fonts.glyph(c).unwrap());
        let mut page = pdf.start_page_with(krilla::page::PageSettings::from_wh(48.0, 48.0).unwrap());
        let mut surface = page.surface();
        let id = GlyphId::new(glyph.map_or(0, |glyph| glyph.id));
        let drawn = [KrillaGlyph::new(id, 1.0, 0.0, 0.0, 0.0, 0..1, None)];
        surface.draw_glyphs(Point::from_xy(4.0, 36.0), &drawn, fonts.face(glyph.map_or(0, |glyph| glyph.face)), "x", 36.0, false);
        surface.finish();
        page.finish();
    }
    let images = poppler_images(&pdf.finish().unwrap())?;
    assert_eq!(images.len(), characters.len());
    Some(images)
}

/// `pdftoppm -gray` writes one PGM (`P5 width height 255` and the pixels) after the other.
fn poppler_images(pdf: &[u8]) -> Option<Vec<Vec<bool>>> {
    if Command::new("pdftoppm").arg("-v").stdout(Stdio::null()).stderr(Stdio::null()).status().is_err() {
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "pdftoppm is missing: install poppler-utils");
        return None;
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("glyphs.pdf");
    std::fs::write(&path, pdf).unwrap();
    let status = Command::new("pdftoppm").args(["-gray", "-r", "72"]).arg(&path).arg(dir.path().join("page")).status().unwrap();
    assert!(status.success());
    let mut files: Vec<_> = std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "pgm"));
    files.sort();
    let pixels = |path| {
        let image = std::fs::read(path).unwrap();
        image[image.len() - 48 * 48..].iter().map(|grey| *grey < 128).collect()
    };
    Some(files.into_iter().map(pixels).collect())
}

#[test]
fn a_character_without_a_glyph_refuses_wherever_it_stands() {
    let missing = '\u{1F9EA}';
    let mut documents = vec![document("吃两片🧪"), document("好"), document("好"), document("好"), document("好")];
    documents[1].facts[0].value.push(missing);
    documents[2].doctor.push(missing);
    documents[3].issue.viewer.push(missing);
    documents[4].hospital.push(missing);
    for document in documents {
        let error = render(&document).unwrap_err();
        assert!(matches!(error, PdfError::MissingGlyph { character } if character == missing), "{error}");
    }
    assert_eq!(find_unprintable("正常的文字\n\u{200B}第二段", Fonts::embedded()), None);
    assert_eq!(find_unprintable("正常🧪", Fonts::embedded()), Some(missing));
    assert_eq!(find_unprintable("a\u{202E}b", Fonts::embedded()), Some('\u{202E}'));
}

#[test]
fn names_and_the_symbols_of_medicine_can_be_printed() {
    let text = include_str!("../../../assets/fonts/names.txt");
    assert_eq!(find_unprintable(text, Fonts::embedded()), None);
    let symbols = "℃℉‰±×÷≤≥≈≠∞°′″²³½¼μΩαβγδ①②⑩ⅠⅡⅢⅣ㎎㎏㎜㎝→←↑↓□■○●√✓♀♂￥€（）【】《》“”‘’—…·、。";
    assert_eq!(find_unprintable(symbols, Fonts::embedded()), None);
}

#[test]
fn a_record_of_fifty_pages_keeps_every_line_and_numbers_its_pages() {
    let paragraphs: Vec<String> = (1..=1700).map(|n| format!("第{n}条：随访记录，血压{}/80mmHg。", 100 + n % 60)).collect();
    let pdf = render(&document(&paragraphs.join("\n"))).unwrap();
    let Some(text) = text_of(&pdf) else { return };
    let squeezed: String = text.split_whitespace().collect();
    for paragraph in &paragraphs {
        assert!(squeezed.contains(paragraph), "{paragraph} is missing");
    }
    let count = text.matches("页 / 共").count();
    assert!(count >= 45, "{count} pages");
    assert!(squeezed.contains(&format!("第{count}页/共{count}页")));
}

#[test]
fn the_same_record_gives_the_same_bytes_and_names_nobody_in_its_metadata() {
    let one = render(&document("好")).unwrap();
    assert_eq!(one, render(&document("好")).unwrap());
    assert!(!format!("{:?}", document("好")).contains("赵"));
}

/// U-15: the copy shows for whom and when it was made; another viewer gets other ink.
#[test]
fn the_watermark_changes_with_its_viewer() {
    let mut other = document("好");
    other.issue.viewer = "孙大夫".into();
    assert_ne!(render(&document("好")).unwrap(), render(&other).unwrap());
}

#[test]
fn a_fallback_font_must_exist_and_be_a_font() {
    assert!(matches!(Fonts::with_fallback("/nonexistent".as_ref()), Err(PdfError::FallbackFont(_))));
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("font.ttf");
    std::fs::write(&path, b"not a font").unwrap();
    assert!(matches!(Fonts::with_fallback(&path), Err(PdfError::BadFont(_))));
    std::fs::write(&path, include_bytes!("../../../assets/fonts/NotoSansSC-Regular.subset.ttf")).unwrap();
    assert!(Fonts::with_fallback(&path).is_ok());
}
