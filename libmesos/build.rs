//! The unwinder is taken along, so that the library needs libc and nothing else of the machine it is loaded on.

#[allow(clippy::print_stdout, reason = "cargo reads these lines")]
fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-cdylib-link-arg=-Wl,--push-state,--whole-archive,-l:libgcc_eh.a,--pop-state");
}
