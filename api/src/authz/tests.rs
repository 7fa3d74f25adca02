use super::*;
use crate::{server::route_list, testing::TestApp};
use http::Method;
use std::collections::BTreeSet;

#[test]
fn the_table_and_the_router_name_the_same_routes() {
    let routed: BTreeSet<(String, String)> = route_list().into_iter().collect();
    let ruled: BTreeSet<(String, String)> = RULES.iter().map(|row| (row.method.to_owned(), row.path.to_owned())).collect();
    assert_eq!(RULES.len(), ruled.len(), "a route stands twice in the table");
    let unruled: Vec<_> = routed.difference(&ruled).collect();
    let unrouted: Vec<_> = ruled.difference(&routed).collect();
    assert!(unruled.is_empty() && unrouted.is_empty(), "without a rule: {unruled:?}; without a route: {unrouted:?}");
}

/// Every route that is not public refuses nobody, a forged token and a wrong role before anything else happens.
#[tokio::test]
async fn nobody_and_forged_tokens_are_refused_everywhere() {
    let test = TestApp::start().await;
    for row in RULES.iter().filter(|row| !matches!(row.who, Who::Public | Who::Callback)) {
        let path = row.path.replace("{id}", "0190a5c8-7c1e-7b3a-9f0e-2f4b8d1c6a55");
        let method: Method = row.method.parse().unwrap();
        for token in [None, Some("wz1.e30.AAAA"), Some("")] {
            test.send(method.clone(), &path, token, &[], None).await.refused(401, "unauthenticated");
        }
    }
}
