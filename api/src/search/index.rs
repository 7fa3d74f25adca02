//! The index itself: names by pairs of characters and by the initials of their pinyin, running text by the words that jieba cuts.
//! Queries are built from terms, never parsed: what people type has no syntax that could be wrong.

use pinyin::ToPinyin;
use tantivy::{
    IndexReader, TantivyDocument, TantivyError, Term,
    collector::TopDocs,
    query::{BooleanQuery, BoostQuery, Occur, Query, TermQuery},
    schema::{Field, IndexRecordOption, STORED, Schema, TextFieldIndexing, TextOptions, Value},
    tokenizer::{LowerCaser, NgramTokenizer, TextAnalyzer, TokenStream},
};
use tantivy_jieba::JiebaTokenizer;
use uuid::Uuid;

const HITS_MAX: usize = 200;
const WRITER_BYTES: usize = 15_000_000;
const INITIALS_MAX: usize = 12;
/// A name that fits counts for more than a word in a biography.
const NAME_BOOST: f32 = 8.0;
const INITIALS_BOOST: f32 = 4.0;
/// Whoever asks for a department wants its doctors before those who mention it.
const WITHIN_BOOST: f32 = 3.0;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EntryKind {
    Doctor,
    Department,
    Disease,
}

/// One thing that can be found.
#[derive(Debug)]
pub(super) struct Entry {
    pub kind: EntryKind,
    pub id: Uuid,
    pub name: String,
    /// Name of what it is part of: a doctor's department.
    pub within: String,
    pub text: String,
}

pub(super) struct Index {
    reader: IndexReader,
    fields: Fields,
    analyzers: Analyzers,
    /// By number in the index.
    entries: Vec<(EntryKind, Uuid)>,
}

#[derive(Clone, Copy)]
struct Fields {
    number: Field,
    name: Field,
    within: Field,
    initials: Field,
    text: Field,
}

#[derive(Clone)]
struct Analyzers {
    pairs: TextAnalyzer,
    prefixes: TextAnalyzer,
    words: TextAnalyzer,
}

impl std::fmt::Debug for Index {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Index").field("entries", &self.entries.len()).finish_non_exhaustive()
    }
}

impl Index {
    pub(super) fn build(entries: Vec<Entry>) -> Result<Self, TantivyError> {
        let (schema, fields) = schema();
        let analyzers = Analyzers::new()?;
        let index = tantivy::Index::create_in_ram(schema);
        index.tokenizers().register("pairs", analyzers.pairs.clone());
        index.tokenizers().register("prefixes", analyzers.prefixes.clone());
        index.tokenizers().register("words", analyzers.words.clone());
        let mut writer = index.writer_with_num_threads::<TantivyDocument>(1, WRITER_BYTES)?;
        for (number, entry) in entries.iter().enumerate() {
            let mut document = TantivyDocument::default();
            document.add_u64(fields.number, number as u64);
            document.add_text(fields.name, &entry.name);
            document.add_text(fields.within, &entry.within);
            document.add_text(fields.initials, initials(&entry.name));
            document.add_text(fields.text, format!("{} {}", entry.name, entry.text));
            writer.add_document(document)?;
        }
        writer.commit()?;
        writer.wait_merging_threads()?;
        let entries = entries.into_iter().map(|entry| (entry.kind, entry.id)).collect();
        Ok(Self { reader: index.reader()?, fields, analyzers, entries })
    }

    /// Best first. Every word of the query has to fit somewhere.
    pub(super) fn find(&self, query: &str) -> Result<Vec<(EntryKind, Uuid)>, TantivyError> {
        let words: Vec<_> = query.split_whitespace().map(|word| (Occur::Must, self.word(word))).collect();
        if words.is_empty() {
            return Ok(Vec::new());
        }
        let searcher = self.reader.searcher();
        let hits = searcher.search(&BooleanQuery::new(words), &TopDocs::with_limit(HITS_MAX).order_by_score())?;
        let mut found = Vec::new();
        for (_, address) in hits {
            let document: TantivyDocument = searcher.doc(address)?;
            let number = document.get_first(self.fields.number).and_then(|value| value.as_u64());
            let entry = number.and_then(|number| self.entries.get(usize::try_from(number).ok()?));
            found.extend(entry.copied());
        }
        Ok(found)
    }

    /// In the name, in its department's, by its initials, or in the text.
    fn word(&self, word: &str) -> Box<dyn Query> {
        let mut ways: Vec<(Occur, Box<dyn Query>)> = Vec::new();
        let mut way = |query: Option<Box<dyn Query>>, boost: f32| {
            if let Some(query) = query {
                ways.push((Occur::Should, Box::new(BoostQuery::new(query, boost))));
            }
        };
        way(self.pairs(self.fields.name, word), NAME_BOOST);
        way(self.pairs(self.fields.within, word), WITHIN_BOOST);
        if word.bytes().all(|byte| byte.is_ascii_alphabetic()) && word.len() <= INITIALS_MAX {
            way(Some(term(self.fields.initials, &word.to_lowercase())), INITIALS_BOOST);
        }
        way(any(self.fields.text, tokens(&self.analyzers.words, word)), 1.0);
        Box::new(BooleanQuery::new(ways))
    }

    /// A name that holds all pairs of neighbours of the word; a single character, itself.
    fn pairs(&self, names: Field, word: &str) -> Option<Box<dyn Query>> {
        let single = word.chars().count() == 1;
        let wanted = tokens(&self.analyzers.pairs, word).into_iter().filter(|token| single || token.chars().count() == 2);
        let terms: Vec<_> = wanted.map(|token| (Occur::Must, term(names, &token))).collect();
        (!terms.is_empty()).then(|| Box::new(BooleanQuery::new(terms)) as Box<dyn Query>)
    }
}

impl Analyzers {
    fn new() -> Result<Self, TantivyError> {
        Ok(Self {
            pairs: TextAnalyzer::builder(NgramTokenizer::new(1, 2, false)?).filter(LowerCaser).build(),
            prefixes: TextAnalyzer::builder(NgramTokenizer::new(1, INITIALS_MAX, true)?).filter(LowerCaser).build(),
            words: TextAnalyzer::builder(JiebaTokenizer::new()).filter(LowerCaser).build(),
        })
    }
}

fn schema() -> (Schema, Fields) {
    let by = |tokenizer: &str, record| {
        TextOptions::default().set_indexing_options(TextFieldIndexing::default().set_tokenizer(tokenizer).set_index_option(record))
    };
    let mut builder = Schema::builder();
    let fields = Fields {
        number: builder.add_u64_field("number", STORED),
        name: builder.add_text_field("name", by("pairs", IndexRecordOption::WithFreqs)),
        within: builder.add_text_field("within", by("pairs", IndexRecordOption::WithFreqs)),
        initials: builder.add_text_field("initials", by("prefixes", IndexRecordOption::Basic)),
        text: builder.add_text_field("text", by("words", IndexRecordOption::WithFreqs)),
    };
    (builder.build(), fields)
}

fn term(field: Field, text: &str) -> Box<dyn Query> {
    Box::new(TermQuery::new(Term::from_field_text(field, text), IndexRecordOption::WithFreqs))
}

fn any(field: Field, tokens: Vec<String>) -> Option<Box<dyn Query>> {
    // A lone character of a longer word (的, 病) fits nearly everything.
    let several = tokens.len() > 1;
    let telling = tokens.into_iter().filter(|token| !several || token.chars().count() > 1);
    let terms: Vec<_> = telling.map(|token| (Occur::Should, term(field, &token))).collect();
    (!terms.is_empty()).then(|| Box::new(BooleanQuery::new(terms)) as Box<dyn Query>)
}

fn tokens(analyzer: &TextAnalyzer, text: &str) -> Vec<String> {
    let mut analyzer = analyzer.clone();
    let mut stream = analyzer.token_stream(text);
    let mut tokens = Vec::new();
    stream.process(&mut |token| tokens.push(token.text.clone()));
    tokens
}

/// `呼吸内科` → `hxnk`.
fn initials(name: &str) -> String {
    let latin = |c: char| c.to_pinyin().map(|pinyin| pinyin.first_letter().to_owned()).unwrap_or_else(|| c.to_lowercase().to_string());
    name.chars().filter(|c| !c.is_whitespace()).map(latin).collect()
}
