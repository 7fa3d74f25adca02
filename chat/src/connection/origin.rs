//! Which web pages may open a socket. Browsers always say where a page came from; other programs say nothing.
//!
//! Tokens travel in the first frame and not in cookies, so a foreign page has nothing to steal with; this is the second fence.

use axum::http::{HeaderMap, HeaderValue, Uri, header};

/// Same host is always allowed; absent means it is no browser. Everything else has to be listed.
#[derive(Clone, Debug, Default)]
pub struct Origins {
    listed: Vec<String>,
}

impl Origins {
    /// Full origins like `https://app.hospital.cn`, compared as they are (lower case, no path).
    pub fn same_host_and(listed: impl IntoIterator<Item = String>) -> Self {
        Self { listed: listed.into_iter().map(|origin| origin.trim_end_matches('/').to_ascii_lowercase()).collect() }
    }

    pub(crate) fn allow(&self, headers: &HeaderMap) -> bool {
        let mut origins = headers.get_all(header::ORIGIN).iter();
        match (origins.next(), origins.next()) {
            (None, _) => true,
            (Some(origin), None) => self.allows(origin, headers.get(header::HOST)),
            (Some(_), Some(_)) => false,
        }
    }

    fn allows(&self, origin: &HeaderValue, host: Option<&HeaderValue>) -> bool {
        let Ok(origin) = origin.to_str() else { return false };
        if self.listed.iter().any(|listed| listed == origin) {
            return true;
        }
        host.and_then(|host| host.to_str().ok()).is_some_and(|host| is_same_host(origin, host))
    }
}

fn is_same_host(origin: &str, host: &str) -> bool {
    let Ok(uri) = origin.parse::<Uri>() else { return false };
    let web = matches!(uri.scheme_str(), Some("http" | "https"));
    let bare = uri.path_and_query().is_none_or(|path| path.as_str() == "/") && !origin.ends_with('/');
    web && bare && uri.authority().is_some_and(|authority| authority.as_str().eq_ignore_ascii_case(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allow(origins: &[&str], host: &str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        for origin in origins {
            headers.append(header::ORIGIN, HeaderValue::from_bytes(origin.as_bytes()).unwrap());
        }
        Origins::same_host_and(["https://app.hospital.cn".to_owned()]).allow(&headers)
    }

    #[test]
    fn the_table_of_origins() {
        let host = "wz.hospital.cn:8080";
        for (allowed, origin) in [
            (true, "http://wz.hospital.cn:8080"),
            (true, "https://WZ.hospital.cn:8080"),
            (true, "https://app.hospital.cn"),
            (false, "null"),
            (false, ""),
            (false, "https://evil.example"),
            (false, "https://wz.hospital.cn:8080.evil.example"),
            (false, "https://evilwz.hospital.cn:8080"),
            (false, "https://app.hospital.cn.evil.example"),
            (false, "https://xn--app-hospital-cn.example"),
            (false, "https://wz.hospital.cn:8081"),
            (false, "https://wz.hospital.cn"),
            (false, "http://app.hospital.cn"),
            (false, "https://APP.hospital.cn"),
            (false, "https://user@wz.hospital.cn:8080"),
            (false, "https://wz.hospital.cn:8080/"),
            (false, "https://wz.hospital.cn:8080/path"),
            (false, "file://wz.hospital.cn:8080"),
            (false, "wz.hospital.cn:8080"),
            (false, "https://\u{e4}pp.hospital.cn"),
        ] {
            assert_eq!(allow(&[origin], host), allowed, "{origin}");
        }
        assert!(allow(&[], host), "not a browser");
        assert!(!allow(&["https://app.hospital.cn", "https://evil.example"], host), "two origins");
    }
}
