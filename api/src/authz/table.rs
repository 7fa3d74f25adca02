//! The table itself: method, path, who. Reviewed like code.

use crate::accounts::StaffFunction;
use Who::{Callback, Doctor, Patient, Public, SignedIn, Staff};

/// Who may call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// Anybody. A valid token is still read, for what a signed-in person sees beyond.
    Public,
    /// Anybody signed in, for what is his.
    SignedIn,
    Patient,
    Doctor,
    /// Staff with that function, looked up at that moment.
    Staff(StaffFunction),
    /// Another system that signs what it sends; the handler verifies the raw bytes.
    Callback,
}

#[derive(Clone, Copy, Debug)]
pub struct Access {
    pub method: &'static str,
    pub path: &'static str,
    pub who: Who,
}

const fn row(method: &'static str, path: &'static str, who: Who) -> Access {
    Access { method, path, who }
}

#[rustfmt::skip]
pub const RULES: &[Access] = &[
    // accounts
    row("POST",   "/api/auth/sms-codes",                    Public),
    row("POST",   "/api/auth/register",                     Public),
    row("POST",   "/api/auth/login",                        Public),
    row("POST",   "/api/auth/login/sms",                    Public),
    row("POST",   "/api/auth/staff/login",                  Public),
    row("POST",   "/api/auth/refresh",                      Public),
    row("POST",   "/api/auth/logout",                       SignedIn),
    row("GET",    "/api/auth/sessions",                     SignedIn),
    row("DELETE", "/api/auth/sessions/{id}",                SignedIn),
    row("GET",    "/api/me",                                SignedIn),
    row("PATCH",  "/api/me",                                SignedIn),
    row("POST",   "/api/me/password",                       SignedIn),
    // notifications
    row("GET",    "/api/notifications",                     SignedIn),
    row("GET",    "/api/notifications/unread-count",        SignedIn),
    row("POST",   "/api/notifications/{id}/read",           SignedIn),
    row("POST",   "/api/notifications/read-all",            SignedIn),
    // catalogue, doctors, search
    row("GET",    "/api/hospital",                          Public),
    row("GET",    "/api/home",                              Public),
    row("GET",    "/api/notices",                           Public),
    row("GET",    "/api/departments",                       Public),
    row("GET",    "/api/diseases",                          Public),
    row("GET",    "/api/doctors",                           Public),
    row("GET",    "/api/doctors/{id}",                      Public),
    row("GET",    "/api/search",                            Public),
    row("GET",    "/api/doctor/profile",                    Doctor),
    row("PUT",    "/api/doctor/profile",                    Doctor),
    row("PUT",    "/api/doctor/availability",               Doctor),
    row("GET",    "/api/doctor/hours",                      Doctor),
    row("PUT",    "/api/doctor/hours",                      Doctor),
    row("GET",    "/api/doctor/prices",                     Doctor),
    row("PUT",    "/api/doctor/prices",                     Doctor),
    row("GET",    "/api/doctor/price-bands",                Doctor),
    // consultations, records, reviews
    row("POST",   "/api/consultations",                     Patient),
    row("GET",    "/api/consultations",                     Patient),
    row("GET",    "/api/consultations/{id}",                SignedIn),
    row("POST",   "/api/consultations/{id}/cancel",         Patient),
    row("POST",   "/api/consultations/{id}/accept",         Doctor),
    row("POST",   "/api/consultations/{id}/reject",         Doctor),
    row("POST",   "/api/consultations/{id}/terminate",      Doctor),
    row("POST",   "/api/consultations/{id}/end",            Doctor),
    row("POST",   "/api/consultations/{id}/av-consent",     SignedIn),
    row("POST",   "/api/consultations/{id}/continue",       Patient),
    row("GET",    "/api/doctor/consultations",              Doctor),
    row("GET",    "/api/doctor/counts",                     Doctor),
    row("GET",    "/api/conversations/{id}/entries",        SignedIn),
    row("GET",    "/api/conversations/{id}/transcript",     SignedIn),
    row("GET",    "/api/consultations/{id}/record",         SignedIn),
    row("PUT",    "/api/consultations/{id}/record",         Doctor),
    row("GET",    "/api/consultations/{id}/record.pdf",     SignedIn),
    row("GET",    "/api/records",                           Patient),
    row("POST",   "/api/consultations/{id}/reviews",        Patient),
    row("GET",    "/api/doctors/{id}/reviews",              Public),
    row("GET",    "/api/admin/reviews",                     Staff(StaffFunction::Reviewer)),
    row("POST",   "/api/admin/reviews/{id}/show",           Staff(StaffFunction::Reviewer)),
    row("POST",   "/api/admin/reviews/{id}/hide",           Staff(StaffFunction::Reviewer)),
    // orders, payments
    row("GET",    "/api/orders",                            Patient),
    row("GET",    "/api/orders/{id}",                       Patient),
    row("POST",   "/api/orders/{id}/payments",              Patient),
    row("POST",   "/api/orders/{id}/refund-requests",       Patient),
    row("POST",   "/api/callbacks/wechat-pay/payments",     Callback),
    row("POST",   "/api/callbacks/wechat-pay/refunds",      Callback),
    // uploads
    row("POST",   "/api/uploads",                           SignedIn),
    row("GET",    "/api/attachments/{id}",                  SignedIn),
    row("GET",    "/api/attachments/{id}/thumbnail",        SignedIn),
];

/// The row for a request, by the route's pattern.
pub fn find(method: &http::Method, path: &str) -> Option<&'static Access> {
    // axum answers HEAD with the handler of GET.
    let method = if method == http::Method::HEAD { "GET" } else { method.as_str() };
    RULES.iter().find(|row| row.method == method && row.path == path)
}
