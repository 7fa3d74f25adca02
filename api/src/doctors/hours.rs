//! Opening times (DOC-07): when a doctor means to be reachable, by weekday, on the hospital's wall clock.

use super::{model::DoctorId, queries};
use crate::{
    authz::Actor,
    db::DbError,
    http::{Fields, Json, Problem},
    row, sql,
    state::App,
};
use axum::extract::State;
use chat::ids::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

const MINUTE_MS: i64 = 60_000;
const DAY_MINUTES: i64 = 24 * 60;
/// Asia/Shanghai has kept UTC+8 all year since 1991.
const SHANGHAI_OFFSET_MINUTES: i64 = 8 * 60;
const PERIODS_MAX: usize = 28;

row! {
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
    #[serde(deny_unknown_fields)]
    pub struct Period {
        /// Monday = 1 to Sunday = 7.
        #[schema(minimum = 1, maximum = 7)]
        pub weekday: i64,
        /// Minutes since midnight, Asia/Shanghai.
        #[schema(minimum = 0, maximum = 1439)]
        pub start_minute: i64,
        /// Exclusive; 1440 is midnight.
        #[schema(minimum = 1, maximum = 1440)]
        pub end_minute: i64,
    }
}

/// Weekday and minute of the day in Asia/Shanghai.
pub(super) fn wall_clock(at: Timestamp) -> (i64, i64) {
    let minutes = at.0.div_euclid(MINUTE_MS) + SHANGHAI_OFFSET_MINUTES;
    // 1970-01-01 was a Thursday.
    let weekday = (minutes.div_euclid(DAY_MINUTES) + 3).rem_euclid(7) + 1;
    (weekday, minutes.rem_euclid(DAY_MINUTES))
}

pub(super) fn is_open(periods: &[Period], at: Timestamp) -> bool {
    let (weekday, minute) = wall_clock(at);
    periods.iter().any(|period| period.weekday == weekday && period.start_minute <= minute && minute < period.end_minute)
}

/// His opening times.
#[utoipa::path(get, path = "/api/doctor/hours", tag = "doctors", responses((status = 200, body = [Period])))]
pub(super) async fn get(State(app): State<App>, actor: Actor) -> Result<Json<Vec<Period>>, Problem> {
    let doctor = queries::own(&app, &actor).await?.ok_or_else(Problem::not_found)?;
    Ok(Json(queries::hours(&app, doctor.id).await?))
}

/// Replaces all opening times at once.
#[utoipa::path(
    put, path = "/api/doctor/hours", tag = "doctors", request_body = [Period],
    responses((status = 200, body = [Period]), (status = 422, body = crate::http::ProblemBody))
)]
pub(super) async fn replace(State(app): State<App>, actor: Actor, Json(periods): Json<Vec<Period>>) -> Result<Json<Vec<Period>>, Problem> {
    check(&periods)?;
    let doctor = queries::own(&app, &actor).await?.ok_or_else(Problem::not_found)?;
    store(&app, doctor.id, &periods).await?;
    Ok(Json(queries::hours(&app, doctor.id).await?))
}

async fn store(app: &App, doctor: DoctorId, periods: &[Period]) -> Result<(), DbError> {
    let mut tx = app.db.begin().await?;
    tx.run(sql!("DELETE FROM doctor_hours WHERE doctor_id = $1", doctor)).await?;
    for period in periods {
        queries::insert_hours(&mut tx, doctor, *period).await?;
    }
    app.commit(tx).await
}

fn check(periods: &[Period]) -> Result<(), Problem> {
    let mut fields = Fields::default();
    fields.check(periods.len() <= PERIODS_MAX, "", "too_many", format!("最多 {PERIODS_MAX} 个时段"));
    for (index, period) in periods.iter().enumerate() {
        let path = format!("[{index}]");
        let valid = (1..=7).contains(&period.weekday)
            && (0..DAY_MINUTES).contains(&period.start_minute)
            && period.start_minute < period.end_minute
            && period.end_minute <= DAY_MINUTES;
        fields.check(valid, path.clone(), "invalid_period", "结束时间应晚于开始时间，且在同一天内");
        let clashes = periods[..index].iter().any(|other| overlap(other, period));
        fields.check(!clashes, path, "overlaps", "与另一个时段重叠");
    }
    fields.finish()
}

fn overlap(one: &Period, other: &Period) -> bool {
    one.weekday == other.weekday && one.start_minute < other.end_minute && other.start_minute < one.end_minute
}

#[cfg(test)]
mod tests {
    use super::*;

    fn period(weekday: i64, start_minute: i64, end_minute: i64) -> Period {
        Period { weekday, start_minute, end_minute }
    }

    /// 2026-03-05 09:00 in Shanghai was a Thursday.
    const THURSDAY_9: Timestamp = Timestamp(1_772_672_400_000);

    #[test]
    fn the_wall_clock_is_that_of_shanghai() {
        assert_eq!(wall_clock(THURSDAY_9), (4, 9 * 60));
        assert_eq!(wall_clock(Timestamp(0)), (4, 8 * 60));
        // 16:00 UTC on Sunday is already Monday there.
        assert_eq!(wall_clock(Timestamp(THURSDAY_9.0 + (3 * 24 + 15) * 60 * MINUTE_MS)), (1, 0));
        assert_eq!(wall_clock(Timestamp(-1)), (4, 8 * 60 - 1));
    }

    #[test]
    fn a_period_holds_its_start_but_not_its_end() {
        let at = |minutes: i64| THURSDAY_9.plus_ms(minutes * MINUTE_MS);
        let hours = [period(4, 9 * 60, 10 * 60)];
        assert!(is_open(&hours, at(0)) && is_open(&hours, at(59)));
        assert!(!is_open(&hours, at(-1)) && !is_open(&hours, at(60)) && !is_open(&hours, at(24 * 60)));
        assert!(is_open(&[period(4, 0, DAY_MINUTES)], at(14 * 60)));
    }

    #[test]
    fn impossible_and_overlapping_periods_are_refused() {
        for bad in [period(0, 0, 1), period(8, 0, 1), period(1, -1, 5), period(1, 60, 60), period(1, 60, 59), period(1, 0, 1441)] {
            assert!(check(&[bad]).is_err(), "{bad:?}");
        }
        assert!(check(&[period(1, 0, 60), period(1, 59, 90)]).is_err());
        assert!(check(&[period(1, 0, 60), period(1, 60, 90), period(2, 0, 60)]).is_ok());
        assert!(check(&vec![period(1, 0, 60); 29]).is_err());
    }
}
