//! The doctor list: filters by department, title, disease, rating, presence, kind and channel (FND-02, 06, 08, 09, 16), sorted, paged.

use super::{
    model::{DepartmentRef, DoctorCard, DoctorId, Title, rating},
    presence::{self, Presence},
    queries::{self, DoctorRow, Filter},
};
use crate::{
    catalogue::{DepartmentId, DiseaseId},
    consultations::{Channel, Kind},
    db::DbError,
    http::{Fields, Json, Page, PageQuery, Problem, Query},
    search,
    state::App,
    text_enum,
};
use axum::extract::State;
use serde::Deserialize;
use std::{cmp::Reverse, collections::HashMap};
use utoipa::IntoParams;

const HOT_SHOWN_MAX: usize = 8;

text_enum! {
    pub enum Sort {
        /// With `q` by relevance; else those who can answer now first, then recommended ones, then by rating.
        Default = "default",
        Rating = "rating",
        Consultations = "consultations",
        /// Cheapest offer first, among what `kind` and `channel` leave.
        Price = "price",
    }
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    /// Name, department, speciality or disease; also the initials of a name's pinyin. Up to 50 characters, words parted by spaces, of which each has
    /// to fit. Those whose name it is come first, then the doctors of a department of that name, then looser hits: any word of it in what
    /// doctors say about themselves.
    #[param(max_length = 50)]
    q: Option<String>,
    #[param(value_type = Option<Uuid>)]
    department: Option<DepartmentId>,
    title: Option<Title>,
    #[param(value_type = Option<Uuid>)]
    disease: Option<DiseaseId>,
    /// 1 to 5; doctors without a rating do not pass.
    rating_min: Option<f64>,
    /// `true`: only those who are online now.
    online: Option<bool>,
    kind: Option<Kind>,
    channel: Option<Channel>,
    /// Absent: `default`, with `q` by relevance; else those who can answer now first, then recommended ones, then by rating.
    #[param(inline)]
    sort: Option<Sort>,
    /// From 1 to 10000; absent = 1.
    #[param(minimum = 1, maximum = 10_000)]
    page: Option<u32>,
    /// 1 to 50; absent = 10.
    #[param(minimum = 1, maximum = 50)]
    page_size: Option<u32>,
}

/// Doctors: filtered, searched, sorted, in pages.
#[utoipa::path(
    get, path = "/api/doctors", tag = "doctors", params(ListQuery), responses((status = 200, body = Page<DoctorCard>))
)]
pub(super) async fn list(State(app): State<App>, Query(query): Query<ListQuery>) -> Result<Json<Page<DoctorCard>>, Problem> {
    let paging = PageQuery { page: query.page, page_size: query.page_size };
    let (limit, offset) = paging.window()?;
    let mut fields = Fields::default();
    fields.length(query.q.as_deref().unwrap_or_default(), 0..=search::QUERY_CHARS_MAX, "q");
    fields.finish()?;
    let presence = presence::online_now(&app).await?;
    let mut rows = filtered(&app, &query, &presence).await?;
    sort(&app, &mut rows, &query, &presence).await?;
    let total = i64::try_from(rows.len()).unwrap_or(i64::MAX);
    let window = rows.into_iter().skip(usize::try_from(offset).unwrap_or(usize::MAX)).take(usize::try_from(limit).unwrap_or(0));
    let mut items = Vec::new();
    for row in window {
        items.push(card(&app, row, &presence).await?);
    }
    Ok(Json(paging.answer(items, total)))
}

/// Those an administrator recommends, at most eight, who can answer now first (FND-05).
pub(crate) async fn hot(app: &App) -> Result<Vec<DoctorCard>, DbError> {
    let presence = presence::online_now(app).await?;
    let mut rows = queries::matching(app, &Filter::default()).await?;
    rows.retain(|row| row.hot_rank.is_some());
    rows.sort_by_key(|row| row.hot_rank);
    let mut shown = Vec::new();
    for row in rows.into_iter().take(HOT_SHOWN_MAX) {
        shown.push(card(app, row, &presence).await?);
    }
    Ok(shown)
}

/// Cards in the order of the ids; an id nobody has is left out.
pub(crate) async fn cards(app: &App, ids: &[DoctorId]) -> Result<Vec<DoctorCard>, DbError> {
    let presence = presence::online_now(app).await?;
    let mut shown = Vec::new();
    for id in ids {
        if let Some(row) = queries::find(app, *id).await? {
            shown.push(card(app, row, &presence).await?);
        }
    }
    Ok(shown)
}

pub(super) async fn card(app: &App, row: DoctorRow, presence: &Presence<'_>) -> Result<DoctorCard, DbError> {
    Ok(DoctorCard {
        online: presence.is_online(row.id, row.user_id),
        prices: queries::prices(app, row.id).await?,
        rating: rating(row.rating_sum, row.rating_count),
        id: row.id,
        user_id: row.user_id,
        name: row.name,
        avatar_url: row.avatar_url,
        title: row.title,
        title_label: row.title.label(),
        department: DepartmentRef { id: row.department_id, name: row.department_name },
        hospital: row.hospital,
        expertise: row.expertise,
        rating_count: row.rating_count,
        consultation_count: row.consultation_count,
        accepting: row.accepting,
    })
}

async fn filtered(app: &App, query: &ListQuery, presence: &Presence<'_>) -> Result<Vec<DoctorRow>, Problem> {
    let filter =
        Filter { department: query.department, title: query.title, disease: query.disease, kind: query.kind, channel: query.channel };
    let mut rows = queries::matching(app, &filter).await?;
    if let Some(least) = query.rating_min {
        rows.retain(|row| rating(row.rating_sum, row.rating_count).is_some_and(|rating| rating >= least));
    }
    if query.online == Some(true) {
        rows.retain(|row| presence.is_online(row.id, row.user_id));
    }
    Ok(rows)
}

/// Puts the rows in order and, with `q`, leaves only those that the search found.
async fn sort(app: &App, rows: &mut Vec<DoctorRow>, query: &ListQuery, presence: &Presence<'_>) -> Result<(), Problem> {
    // The last word in every order, so that a page never shows a doctor twice.
    rows.sort_by_key(|row| row.id);
    let wanted = query.q.as_deref().map(str::trim).filter(|text| !text.is_empty());
    if let Some(wanted) = wanted {
        let found = search::doctors(app, wanted).await?;
        let ranks: HashMap<DoctorId, usize> = found.into_iter().enumerate().map(|(rank, id)| (id, rank)).collect();
        rows.retain(|row| ranks.contains_key(&row.id));
        rows.sort_by_key(|row| ranks[&row.id]);
    }
    let stars = |row: &DoctorRow| Reverse(rating(row.rating_sum, row.rating_count).map_or(0, |rating| (rating * 10.0) as i64));
    match query.sort.unwrap_or(Sort::Default) {
        Sort::Default if wanted.is_some() => {}
        Sort::Default => rows.sort_by_key(|row| {
            let reachable = row.accepting && presence.is_online(row.id, row.user_id);
            (!reachable, row.hot_rank.unwrap_or(i64::MAX), stars(row), Reverse(row.consultation_count))
        }),
        Sort::Rating => rows.sort_by_key(|row| (stars(row), Reverse(row.rating_count))),
        Sort::Consultations => rows.sort_by_key(|row| Reverse(row.consultation_count)),
        Sort::Price => sort_by_price(app, rows, query).await?,
    }
    Ok(())
}

async fn sort_by_price(app: &App, rows: &mut [DoctorRow], query: &ListQuery) -> Result<(), DbError> {
    let mut cheapest = HashMap::new();
    for row in rows.iter() {
        let fitting = queries::prices(app, row.id).await?.into_iter().filter(|price| {
            query.kind.is_none_or(|kind| kind == price.kind) && query.channel.is_none_or(|channel| channel == price.channel)
        });
        cheapest.insert(row.id, fitting.map(|price| price.amount_fen).min().unwrap_or(i64::MAX));
    }
    rows.sort_by_key(|row| cheapest[&row.id]);
    Ok(())
}
