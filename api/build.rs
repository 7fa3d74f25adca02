//! Migrations are embedded by a macro that cargo cannot see through: a new file has to trigger a rebuild.

fn main() {
    println!("cargo::rerun-if-changed=migrations");
    println!("cargo::rerun-if-changed=build.rs");
}
