//! The web client: `/` is the patient app, `/doctor` the workstation, each with its own client-side routes below.
//!
//! Files come from inside the binary, or from `--web-dir`; compressed ones were written by the web build and are only chosen here.
//! Without a built client there is one page that says how to build it. Unknown files are 404, never the start page.

use crate::{http::Problem, state::App};
use axum::{
    body::Body,
    extract::State,
    response::{Html, IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use rust_embed::RustEmbed;
use sha2::{Digest, Sha256};
use std::{borrow::Cow, fmt::Write, path::Path};

#[derive(RustEmbed)]
#[folder = "../web/dist/"]
#[allow_missing = true]
struct Embedded;

const NOT_BUILT: &str = "<!doctype html><html lang=\"zh-CN\"><meta charset=\"utf-8\"><title>问诊</title>\
    <h1>网页端尚未构建</h1><p>服务已在运行。请执行 <code>cd web &amp;&amp; npm ci &amp;&amp; npm run build</code> 后重新启动，\
    或用 <code>--web-dir web/dist</code> 指定目录。</p><p lang=\"en\">The web client is not built: <code>cd web &amp;&amp; npm ci &amp;&amp; \
    npm run build</code>. The API is at <a href=\"/api/docs\">/api/docs</a>.</p></html>";

pub(super) async fn serve(State(app): State<App>, uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path();
    if ["/api", "/v1", "/demo"].iter().any(|taken| path == *taken || path.strip_prefix(taken).is_some_and(|rest| rest.starts_with('/'))) {
        return Problem::not_found().into_response();
    }
    let Some(file) = file_of(path) else { return Problem::not_found().into_response() };
    match find(&app, &file, &headers).await {
        Some(found) => answer(&file, found, &headers),
        None if file.ends_with(".html") => Html(NOT_BUILT).into_response(),
        None => Problem::not_found().into_response(),
    }
}

/// The file behind a path; client-side routes lead to their entry. None for paths that leave the folder or hide.
fn file_of(path: &str) -> Option<Cow<'_, str>> {
    let path = path.trim_start_matches('/');
    let plain = path.split('/').all(|part| !part.starts_with('.') && !part.contains(['\\', '%', '\0']));
    if !plain {
        return None;
    }
    let is_file = path.rsplit('/').next().is_some_and(|name| name.contains('.'));
    Some(match path {
        file if is_file => Cow::Borrowed(file),
        "doctor" => Cow::Borrowed("doctor.html"),
        page if page.starts_with("doctor/") => Cow::Borrowed("doctor.html"),
        _ => Cow::Borrowed("index.html"),
    })
}

struct Found {
    bytes: Cow<'static, [u8]>,
    encoding: Option<&'static str>,
}

async fn find(app: &App, file: &str, headers: &HeaderMap) -> Option<Found> {
    let accepted = headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let accepts = |name: &str| accepted.split(',').any(|item| item.split(';').next().map(str::trim) == Some(name));
    for (encoding, suffix) in [("br", ".br"), ("gzip", ".gz")] {
        if accepts(encoding)
            && let Some(bytes) = read(app.config.web_dir.as_deref(), &format!("{file}{suffix}")).await
        {
            return Some(Found { bytes, encoding: Some(encoding) });
        }
    }
    read(app.config.web_dir.as_deref(), file).await.map(|bytes| Found { bytes, encoding: None })
}

async fn read(dir: Option<&Path>, file: &str) -> Option<Cow<'static, [u8]>> {
    match dir {
        Some(dir) => tokio::fs::read(dir.join(file)).await.ok().map(Cow::Owned),
        None => Embedded::get(file).map(|found| found.data),
    }
}

fn answer(file: &str, found: Found, headers: &HeaderMap) -> Response {
    let etag = etag(&found.bytes);
    // Vite puts a hash of the content into the names under assets/.
    let cache = if file.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
    let unchanged = headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == etag.as_bytes());
    let (status, body) =
        if unchanged { (StatusCode::NOT_MODIFIED, Body::empty()) } else { (StatusCode::OK, Body::from(found.bytes.into_owned())) };
    let mut response = (status, body).into_response();
    let out = response.headers_mut();
    out.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type(file)));
    out.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    out.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if let Ok(etag) = HeaderValue::from_str(&etag) {
        out.insert(header::ETAG, etag);
    }
    if let Some(encoding) = found.encoding {
        out.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    response
}

fn etag(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().take(12).fold(String::from("\""), |mut text, byte| {
        let _ = write!(text, "{byte:02x}"); // a String takes everything
        text
    }) + "\""
}

fn content_type(file: &str) -> &'static str {
    match file.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "webmanifest" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TestApp;
    use http::Request;

    async fn with_client() -> (tempfile::TempDir, TestApp) {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("assets")).unwrap();
        for (name, text) in
            [("index.html", "patient"), ("doctor.html", "doctor"), ("assets/a-1.js", "plain"), ("assets/a-1.js.br", "brotli")]
        {
            std::fs::write(dir.path().join(name), text).unwrap();
        }
        let web_dir = dir.path().to_owned();
        (dir, TestApp::start_with(|config| config.web_dir = Some(web_dir)).await)
    }

    #[tokio::test]
    async fn entries_and_their_routes_are_served_and_nothing_outside() {
        let (_dir, test) = with_client().await;
        for (path, body) in [("/", "patient"), ("/orders/7", "patient"), ("/doctor", "doctor"), ("/doctor/queue", "doctor")] {
            assert_eq!(test.get(path).await.status(200).text(), body, "{path}");
        }
        for path in ["/assets/none.js", "/../Cargo.toml", "/.vite/manifest.json", "/%2e%2e/x.toml", "/api", "/api/x", "/v1/x"] {
            test.get(path).await.refused(404, "not_found");
        }
    }

    #[tokio::test]
    async fn compressed_files_are_chosen_and_revalidated() {
        let (_dir, test) = with_client().await;
        let ask = |name: &str, value: &str| Request::builder().uri("/assets/a-1.js").header(name, value).body(Body::empty()).unwrap();
        let compressed = test.send_raw(ask("accept-encoding", "gzip, br")).await.status(200);
        assert_eq!((compressed.text().as_str(), &compressed.headers["content-encoding"]), ("brotli", &HeaderValue::from_static("br")));
        assert!(compressed.headers["cache-control"].to_str().unwrap().contains("immutable"));
        let plain = test.get("/assets/a-1.js").await.status(200);
        let etag = plain.headers["etag"].to_str().unwrap().to_owned();
        assert_eq!(test.send_raw(ask("if-none-match", &etag)).await.status(304).text(), "");
        let page = test.get("/").await;
        assert!(page.headers["content-security-policy"].to_str().unwrap().contains("frame-ancestors 'self'"));
        assert_eq!(page.headers["x-content-type-options"], "nosniff");
    }
}
