//! The document is compared with what the server does, takes and answers.

use crate::{
    authz::{RULES, Who},
    testing::TestApp,
};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

async fn document() -> Value {
    TestApp::start().await.get("/api/openapi.json").await.ok()
}

/// Method, path and operation of each.
fn operations(document: &Value) -> Vec<(&str, &str, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    paths
        .iter()
        .flat_map(|(path, item)| item.as_object().unwrap().iter().map(move |(method, it)| (method.as_str(), path.as_str(), it)))
        .collect()
}

/// Every object of the document.
fn each(value: &Value, see: &mut impl FnMut(&Value)) {
    see(value);
    match value {
        Value::Array(items) => items.iter().for_each(|item| each(item, see)),
        Value::Object(fields) => fields.values().for_each(|field| each(field, see)),
        _ => {}
    }
}

/// The text of all source files of this crate.
fn sources() -> String {
    fn collect(folder: &Path, into: &mut String) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, into);
            } else if path.extension().is_some_and(|end| end == "rs") {
                into.push_str(&std::fs::read_to_string(&path).unwrap());
            }
        }
    }
    let mut text = String::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut text);
    text
}

#[tokio::test]
async fn every_reference_leads_somewhere() {
    let document = document().await;
    let mut dangling = BTreeSet::new();
    let mut seen = 0;
    each(&document, &mut |value| {
        if let Some(reference) = value["$ref"].as_str() {
            seen += 1;
            if document.pointer(reference.trim_start_matches('#')).is_none() {
                dangling.insert(reference.to_owned());
            }
        }
    });
    assert!(seen > 100 && dangling.is_empty(), "{seen} references, dangling: {dangling:?}");
}

/// The words of an enum are those that travel: all of them snake_case, and those of every `text_enum!` exactly its texts.
#[tokio::test]
async fn enums_are_written_as_they_travel() {
    let document = document().await;
    each(&document, &mut |value| {
        for word in value["enum"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            assert!(word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{word} in {value}");
        }
    });
    let mut compared = 0;
    for block in sources().split("text_enum! {\n").skip(1) {
        let Some((_, declared)) = block.split_once("pub enum ") else { continue };
        let Some((name, variants)) = declared.split_once(" {") else { continue };
        let written: Vec<&str> = variants.split_once('}').unwrap().0.split('"').skip(1).step_by(2).collect();
        let schema = &document["components"]["schemas"][name];
        if schema.is_object() {
            assert_eq!(schema["enum"], json!(written), "{name}");
            compared += 1;
        }
    }
    assert!(compared >= 10, "{compared}");
    let parameters = document["paths"]["/api/doctor/consultations"]["get"]["parameters"].as_array().unwrap();
    let list = parameters.iter().find(|parameter| parameter["name"] == "list").unwrap();
    assert_eq!(list["schema"]["enum"], json!(["waiting", "in_progress", "completed"]), "{list}");
    assert_eq!(document["components"]["schemas"]["PayChannel"]["enum"], json!(["wechat"]));
}

/// What the document calls the type that is declared here: its name, unless an attribute says another.
fn schema_name(declared: &str) -> Option<&str> {
    for line in declared.lines().map(str::trim_start) {
        if let Some((_, renamed)) = line.split_once("#[schema(as = ") {
            return renamed.split(')').next();
        }
        let is_declaration = !line.starts_with(['#', '/']);
        if let Some((_, name)) = line.split_once("struct ").or_else(|| line.split_once("enum ")).filter(|_| is_declaration) {
            return name.split(|c: char| !c.is_alphanumeric()).next();
        }
    }
    None
}

/// Of two types of one name the document would keep one and mean both.
#[tokio::test]
async fn no_two_types_share_a_name() {
    let document = document().await;
    let mut types: BTreeMap<String, usize> = BTreeMap::new();
    let text = sources();
    let named = text.split("ToSchema)]\n").skip(1).chain(text.split("text_enum! {\n").skip(1));
    for name in named.filter_map(schema_name).filter(|name| document["components"]["schemas"][*name].is_object()) {
        *types.entry(name.to_owned()).or_default() += 1;
    }
    let shared: Vec<_> = types.iter().filter(|(_, times)| **times > 1).collect();
    assert!(types.len() > 40 && shared.is_empty(), "{} types, shared names: {shared:?}", types.len());
}

/// What a generator and its reader need of every operation.
#[tokio::test]
async fn every_operation_is_described() {
    let document = document().await;
    let mut ids = BTreeSet::new();
    for (method, path, operation) in operations(&document) {
        let summary = operation["summary"].as_str().unwrap_or_default();
        assert!(!summary.is_empty() && !summary.contains('\n'), "{method} {path}: {summary:?}");
        assert!(ids.insert(operation["operationId"].as_str().unwrap().to_owned()), "{method} {path}");
        let described = |parameter: &Value| parameter["description"].as_str().is_some_and(|text| !text.is_empty());
        let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
        let in_path = parameters.iter().filter(|parameter| parameter["in"] == "path");
        assert_eq!(in_path.clone().count(), path.matches('{').count(), "{method} {path}");
        assert!(in_path.clone().all(described), "{method} {path}");
        for (status, answer) in operation["responses"].as_object().unwrap() {
            assert!(answer["$ref"].is_string() || described(answer), "{method} {path} {status}");
        }
    }
    assert!(ids.len() > 50);
}

/// The document says of every operation what the authorization table says, and every refusal is a problem document.
#[tokio::test]
async fn security_and_refusals_are_those_of_the_table() {
    let document = document().await;
    for row in RULES {
        let operation = &document["paths"][row.path][row.method.to_lowercase()];
        let token = json!({ "access_token": [] });
        let expected = match row.who {
            _ if row.path == "/api/auth/refresh" => json!([{}, token]),
            Who::Public | Who::Callback => json!([]),
            _ => json!([token]),
        };
        assert_eq!(operation["security"], expected, "{} {}", row.method, row.path);
        let has = |status: &str| operation["responses"][status].is_object();
        let needs_token = !matches!(row.who, Who::Public | Who::Callback);
        assert!(!needs_token || has("401"), "{} {}", row.method, row.path);
        assert_eq!(matches!(row.who, Who::Patient | Who::Doctor | Who::Staff(_)), has("403"), "{} {}", row.method, row.path);
        if row.who != Who::Callback {
            let takes_body = operation["requestBody"].is_object();
            assert!(
                has("500") && has("503") && (!takes_body || ["400", "413", "415", "422"].into_iter().all(has)),
                "{} {}",
                row.method,
                row.path
            );
        }
    }
    each(&document, &mut |value| {
        assert_ne!(value["application/json"]["schema"]["$ref"], "#/components/schemas/ProblemBody", "{value}");
    });
    let refusals = document["components"]["responses"].as_object().unwrap();
    assert!(refusals.values().all(|refusal| refusal["content"]["application/problem+json"].is_object()), "{refusals:?}");
    assert!(refusals["Unauthenticated"]["description"].as_str().unwrap().contains("`token_expired`"));
    let too_soon = &document["paths"]["/api/auth/sms-codes"]["post"]["responses"]["429"];
    assert!(too_soon["headers"]["Retry-After"].is_object(), "{too_soon}");
}

/// Files are bytes, not lists of numbers.
#[tokio::test]
async fn files_are_binary() {
    let document = document().await;
    for (path, media_type) in [
        ("/api/attachments/{id}", "image/jpeg"),
        ("/api/attachments/{id}", "audio/wav"),
        ("/api/attachments/{id}/thumbnail", "image/jpeg"),
        ("/api/consultations/{id}/record.pdf", "application/pdf"),
    ] {
        let schema = &document["paths"][path]["get"]["responses"]["200"]["content"][media_type]["schema"];
        let schema = schema["$ref"].as_str().and_then(|reference| document.pointer(&reference[1..])).unwrap_or(schema);
        assert_eq!((&schema["type"], &schema["format"]), (&json!("string"), &json!("binary")), "{path} {media_type}");
    }
}

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
