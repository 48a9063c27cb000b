//! Which paths are for programs.

/// Whether the path is one for programs, not for people.
pub fn is_for_programs(path: &str) -> bool {
    let paths = ["/token", "/userinfo", "/revoke", "/introspect", "/par", "/jwks"];
    paths.contains(&path) || path.starts_with("/.well-known/")
}
