//! What the layers around the handlers do to every operation, written into the document from what they work by: the authorization table, the
//! extractors' refusals, the limits of bodies. A handler documents only what is its own, so that nothing of this can be forgotten.

use super::super::router::BODY_BYTES_MAX;
use crate::{
    authz::{self, Who},
    http::{Code, ProblemBody, codes},
    uploads,
};
use http::{Method, StatusCode};
use utoipa::openapi::{
    Content, ContentBuilder, Header, HeaderBuilder, ObjectBuilder, OpenApi, Ref, RefOr, Response, ResponseBuilder, Type,
    path::{Operation, ParameterIn, PathItem},
    security::SecurityRequirement,
};

const JSON: &str = "application/json";
const PROBLEM_JSON: &str = "application/problem+json";

/// A refusal that many operations share: one answer of the document's components.
struct Refusal {
    name: &'static str,
    codes: &'static [Code],
}

const MALFORMED: Refusal = Refusal { name: "Malformed", codes: &[codes::INVALID_REQUEST] };
const UNAUTHENTICATED: Refusal =
    Refusal { name: "Unauthenticated", codes: &[codes::UNAUTHENTICATED, codes::TOKEN_EXPIRED, codes::SESSION_REVOKED] };
const NOT_PERMITTED: Refusal = Refusal { name: "NotPermitted", codes: &[codes::FORBIDDEN] };
const NOT_FOUND: Refusal = Refusal { name: "NotFound", codes: &[codes::NOT_FOUND] };
const UNSUPPORTED: Refusal = Refusal { name: "UnsupportedMediaType", codes: &[codes::UNSUPPORTED_MEDIA_TYPE] };
const INVALID_FIELD: Refusal = Refusal { name: "InvalidField", codes: &[codes::INVALID_FIELDS] };
const INTERNAL: Refusal = Refusal { name: "Internal", codes: &[codes::INTERNAL] };
const UNAVAILABLE: Refusal = Refusal { name: "Unavailable", codes: &[codes::UNAVAILABLE] };
const SHARED: [Refusal; 8] = [MALFORMED, UNAUTHENTICATED, NOT_PERMITTED, NOT_FOUND, UNSUPPORTED, INVALID_FIELD, INTERNAL, UNAVAILABLE];

pub(in crate::server) fn complete(document: &mut OpenApi) {
    let components = document.components.get_or_insert_default();
    for refusal in SHARED {
        let mut response = problem(&words(refusal.codes));
        finish(&refusal.status(), &mut response);
        components.responses.insert(refusal.name.to_owned(), response.into());
    }
    for (path, item) in &mut document.paths.paths {
        for (method, operation) in operations(item) {
            let who = authz::find(&method, path).map_or(Who::SignedIn, |row| row.who);
            operation.operation_id = Some(operation_id(&method, path));
            secure(operation, who);
            for refusal in refusals(operation, path, who) {
                add(operation, &refusal);
            }
            add_body_limit(operation, path);
            for (status, response) in &mut operation.responses.responses {
                if let RefOr::T(response) = response {
                    finish(status, response);
                }
            }
        }
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (Method, &mut Operation)> {
    let of = [
        (Method::GET, &mut item.get),
        (Method::POST, &mut item.post),
        (Method::PUT, &mut item.put),
        (Method::PATCH, &mut item.patch),
        (Method::DELETE, &mut item.delete),
    ];
    of.into_iter().filter_map(|(method, operation)| operation.as_mut().map(|operation| (method, operation)))
}

/// `post_consultations_id_accept`: handlers of different slices share names, operations must not.
fn operation_id(method: &Method, path: &str) -> String {
    let words = path.trim_start_matches("/api").replace(['/', '-', '.'], "_").replace(['{', '}'], "");
    format!("{}{words}", method.as_str().to_lowercase())
}

/// As the authorization table says, unless the handler reads a token that it does not need.
fn secure(operation: &mut Operation, who: Who) {
    let needed = match who {
        Who::Public | Who::Callback => Vec::new(),
        _ => vec![SecurityRequirement::new("access_token", [""; 0])],
    };
    operation.security.get_or_insert(needed);
}

/// What is refused before or around the handler.
fn refusals(operation: &Operation, path: &str, who: Who) -> Vec<Refusal> {
    if who == Who::Callback {
        // It reads raw bytes and answers in the words of the other system.
        return Vec::new();
    }
    let takes = |place: &ParameterIn| {
        let mut parameters = operation.parameters.iter().flatten();
        parameters.any(|parameter| matches!(parameter, RefOr::T(parameter) if parameter.parameter_in == *place))
    };
    let has_body = operation.request_body.is_some();
    let of = [
        (has_body || takes(&ParameterIn::Header), MALFORMED),
        (who != Who::Public, UNAUTHENTICATED),
        (!matches!(who, Who::Public | Who::SignedIn), NOT_PERMITTED),
        (path.contains('{'), NOT_FOUND),
        (has_body, UNSUPPORTED),
        (has_body || takes(&ParameterIn::Query), INVALID_FIELD),
        (true, INTERNAL),
        (true, UNAVAILABLE),
    ];
    of.into_iter().filter(|(applies, _)| *applies).map(|(_, refusal)| refusal).collect()
}

/// Beside what the handler says of that status.
fn add(operation: &mut Operation, refusal: &Refusal) {
    let shared = RefOr::Ref(Ref::from_response_name(refusal.name));
    let said = operation.responses.responses.entry(refusal.status()).or_insert_with(|| shared.clone());
    let RefOr::T(response) = said else { return };
    if response.description.is_empty() {
        *said = shared;
        return;
    }
    let unsaid: Vec<Code> = refusal.codes.iter().copied().filter(|code| !response.description.contains(code.code)).collect();
    if !unsaid.is_empty() {
        response.description = format!("{}; {}", response.description, words(&unsaid));
    }
}

fn add_body_limit(operation: &mut Operation, path: &str) {
    if operation.request_body.is_none() {
        return;
    }
    let description = if path == uploads::PATH {
        format!("`too_large`: the file is larger than its kind may be, or the form than {} bytes", uploads::FORM_BYTES_MAX)
    } else {
        format!("`too_large`: the body is larger than {BODY_BYTES_MAX} bytes")
    };
    operation.responses.responses.entry("413".to_owned()).or_insert_with(|| problem(&description).into());
}

/// Says what every answer of that status has.
fn finish(status: &str, response: &mut Response) {
    if response.content.get(JSON).is_some_and(is_problem)
        && let Some(content) = response.content.shift_remove(JSON)
    {
        response.content.insert(PROBLEM_JSON.to_owned(), content);
    }
    if matches!(status, "429" | "503") {
        response.headers.insert("Retry-After".to_owned(), retry_after().into());
    }
    if response.description.is_empty() {
        let known = status.parse().ok().and_then(|status: StatusCode| status.canonical_reason());
        response.description = known.unwrap_or_default().to_owned();
    }
}

fn is_problem(content: &RefOr<Content>) -> bool {
    let RefOr::T(content) = content else { return false };
    content.schema == Some(problem_schema().into())
}

fn problem_schema() -> Ref {
    Ref::from_schema_name(<ProblemBody as utoipa::ToSchema>::name())
}

fn problem(description: &str) -> Response {
    let content = ContentBuilder::new().schema(Some(problem_schema())).build();
    ResponseBuilder::new().description(description).content(PROBLEM_JSON, content).build()
}

fn retry_after() -> Header {
    let seconds = ObjectBuilder::new().schema_type(Type::Integer).build();
    HeaderBuilder::new().schema(Some(seconds)).description(Some("Seconds; where `retry_after_ms` is known.")).build()
}

fn words(codes: &[Code]) -> String {
    codes.iter().map(|code| format!("`{}`", code.code)).collect::<Vec<_>>().join(", ")
}

impl Refusal {
    fn status(&self) -> String {
        self.codes.first().map(|code| code.status.to_string()).unwrap_or_default()
    }
}
