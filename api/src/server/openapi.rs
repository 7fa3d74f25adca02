//! The API's document, generated from the handlers, and its readable page.

use super::router::BODY_BYTES_MAX;
use crate::{http::ProblemBody, state::App, uploads};
use axum::{Json, Router, routing::get};
use utoipa::openapi::{
    ContentBuilder, Info, InfoBuilder, OpenApi, OpenApiBuilder, Ref, ResponseBuilder,
    path::{Operation, PathItem},
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
        .description(Some(format!(
            "Online consultation. Times are milliseconds UTC, money is fen, refusals are problem documents (RFC 9457). \
             A JSON body has {BODY_BYTES_MAX} bytes at most, the form of an upload {} bytes; more is refused with 413 `too_large`.",
            uploads::FORM_BYTES_MAX
        )))
        .build()
}

/// The refusal that the router itself gives: it belongs to every operation that takes a body.
pub(super) fn add_body_limits(document: &mut OpenApi) {
    for (path, item) in &mut document.paths.paths {
        let description = if path == uploads::PATH {
            format!("`too_large`: the file is larger than its kind may be, or the form than {} bytes", uploads::FORM_BYTES_MAX)
        } else {
            format!("`too_large`: the body is larger than {BODY_BYTES_MAX} bytes")
        };
        let content = ContentBuilder::new().schema(Some(Ref::from_schema_name(<ProblemBody as utoipa::ToSchema>::name()))).build();
        for operation in operations(item).filter(|operation| operation.request_body.is_some()) {
            let response = ResponseBuilder::new().description(&description).content("application/problem+json", content.clone());
            operation.responses.responses.entry("413".to_owned()).or_insert_with(|| response.build().into());
        }
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete].into_iter().flatten()
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

    /// Whatever takes a body says how much of it, and holds to it.
    #[tokio::test]
    async fn the_limit_of_bodies_is_documented_and_true() {
        let test = TestApp::start().await;
        let document = test.get("/api/openapi.json").await.ok();
        let mut with_body = 0;
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap().iter().filter(|(_, operation)| operation["requestBody"].is_object()) {
                let refusal = &operation["responses"]["413"];
                let schema = &refusal["content"]["application/problem+json"]["schema"]["$ref"];
                assert_eq!(schema, "#/components/schemas/ProblemBody", "{method} {path}");
                let bytes = if path == "/api/uploads" { "10551296" } else { "262144" };
                assert!(refusal["description"].as_str().unwrap().contains(bytes), "{method} {path}");
                with_body += 1;
            }
        }
        assert!(with_body > 15, "{with_body}");
        assert!(document["components"]["schemas"]["ProblemBody"].is_object());
        let filled = |bytes: usize| serde_json::json!({ "phone": "", "password": "x".repeat(bytes) });
        let over = 262_144 - filled(0).to_string().len() + 1;
        test.post("/api/auth/login", filled(over)).await.refused(413, "too_large");
        test.post("/api/auth/login", filled(over - 1)).await.refused(422, "invalid_field");
    }

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
