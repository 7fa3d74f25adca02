//! Pages of lists (ORD-06): numbered from 1, with the total.

use super::{Fields, Problem};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

const PAGE_SIZE_DEFAULT: u32 = 10;
const PAGE_SIZE_MAX: u32 = 50;
/// Deeper than anybody leafs; a search serves them better.
const PAGE_MAX: u32 = 10_000;

/// `?page=1&page_size=10`. To be flattened into a route's own query or taken beside it.
#[derive(Clone, Copy, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// From 1 to 10000; absent = 1.
    #[param(minimum = 1, maximum = 10_000)]
    pub page: Option<u32>,
    /// 1 to 50; absent = 10.
    #[param(minimum = 1, maximum = 50)]
    pub page_size: Option<u32>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Page<T> {
    pub items: Vec<T>,
    pub page: u32,
    pub page_size: u32,
    pub total: i64,
}

impl PageQuery {
    /// Checks the numbers: `(limit, offset)` for the statement. What is out of range is refused, never bent into it.
    pub fn window(self) -> Result<(i64, i64), Problem> {
        let (page, size) = (self.page(), self.size());
        let mut fields = Fields::default();
        fields.check((1..=PAGE_MAX).contains(&page), "page", "out_of_range", "应为 1 到 10000");
        fields.check((1..=PAGE_SIZE_MAX).contains(&size), "page_size", "out_of_range", "应为 1 到 50");
        fields.finish()?;
        Ok((i64::from(size), i64::from(page - 1) * i64::from(size)))
    }

    pub fn answer<T>(self, items: Vec<T>, total: i64) -> Page<T> {
        Page { items, page: self.page(), page_size: self.size(), total }
    }

    fn page(self) -> u32 {
        self.page.unwrap_or(1)
    }

    fn size(self) -> u32 {
        self.page_size.unwrap_or(PAGE_SIZE_DEFAULT)
    }
}
