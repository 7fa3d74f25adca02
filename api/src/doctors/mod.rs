//! Doctors: the public list and page, and what a doctor sets himself: profile, hours, prices, availability.
//!
//! | who | may |
//! |---|---|
//! | anybody | list, filter and read doctors with prices and presence |
//! | doctor | change his own expertise, biography, hours, prices, whether he takes new patients |
//!
//! Name, title, hospital and licence are verified: no route here changes them. A price stays inside the band of
//! kind × channel × title. Online = has a socket and it is his opening time; both are asked at that moment.

mod hours;
mod list;
mod model;
mod offer;
mod page;
mod presence;
mod prices;
mod profile;
mod queries;

#[cfg(test)]
mod tests;

pub use hours::Period;
pub(crate) use list::{cards, hot};
pub use model::{DoctorCard, DoctorId, Price, PriceBand, Title};
pub use offer::{Offer, count_consultation, count_rating, find_card, find_doctor_of, find_offer};
pub(crate) use queries::{NewDoctor, insert_band, insert_doctor, insert_hours, insert_price, searchable};

use crate::{Slice, state::App};
use utoipa_axum::{router::OpenApiRouter, routes};

pub const SLICE: Slice = Slice { routes, topics: &[], timers: &[] };

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list::list))
        .routes(routes!(page::get))
        .routes(routes!(profile::get, profile::change))
        .routes(routes!(profile::set_availability))
        .routes(routes!(hours::get, hours::replace))
        .routes(routes!(prices::get, prices::replace))
        .routes(routes!(prices::get_bands))
}
