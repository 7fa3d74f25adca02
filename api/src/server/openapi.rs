//! The API's document, generated from the handlers, and its readable page.

use crate::state::App;
use axum::{Json, Router, routing::get};
use utoipa::openapi::{
    Info, InfoBuilder, OpenApi, OpenApiBuilder,
    security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
};
use utoipa_swagger_ui::SwaggerUi;

pub(super) fn head() -> OpenApi {
    let mut document = OpenApiBuilder::new().info(info()).build();
    let bearer = SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build());
    document.components.get_or_insert_default().add_security_scheme("access_token", bearer);
    document.security = Some(vec![SecurityRequirement::new::<_, [&str; 0], &str>("access_token", [])]);
    document
}

fn info() -> Info {
    InfoBuilder::new()
        .title("Wenzhen")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some("Online consultation. Times are milliseconds UTC, money is fen, refusals are problem documents (RFC 9457)."))
        .build()
}

pub(super) fn routes(document: OpenApi) -> Router<App> {
    let served = document.clone();
    Router::new()
        .route("/api/openapi.json", get(move || std::future::ready(Json(served.clone()))))
        .merge(SwaggerUi::new("/api/docs").config(utoipa_swagger_ui::Config::from("/api/openapi.json")))
}

#[cfg(test)]
mod tests {
    use crate::testing::TestApp;

    /// What a query takes stands in the document, once.
    #[tokio::test]
    async fn queries_are_documented() {
        let test = TestApp::start().await;
        let document = test.get("/api/openapi.json").await.ok();
        let expected = [
            ("/api/consultations", &["group", "page", "page_size"][..]),
            ("/api/doctor/consultations", &["list", "page", "page_size"]),
            ("/api/conversations/{id}/entries", &["id", "from_seq", "limit"]),
            ("/api/notifications", &["category", "unread", "page", "page_size"]),
            ("/api/admin/reviews", &["state", "page", "page_size"]),
            ("/api/orders", &["state", "page", "page_size"]),
            ("/api/records", &["page", "page_size"]),
            ("/api/doctors", &["q", "department", "page", "page_size"]),
        ];
        for (path, wanted) in expected {
            let parameters = document["paths"][path]["get"]["parameters"].as_array().cloned().unwrap_or_default();
            for name in wanted {
                let times = parameters.iter().filter(|parameter| parameter["name"] == *name).count();
                assert_eq!(times, 1, "{path} {name}");
            }
        }
    }
}
