//! The project's own chores: tidy, the whole check, compatibility matrix, golden capture, benchmarks.
//!
//! Knows: the workspace's files and cargo. Never: linked into `smack`.

mod bench;
mod ci;
mod compat;
mod golden;
mod lanes;
mod shapes;
mod tidy;

use anyhow::{Result, bail};
use std::path::Path;

const USAGE: &str = "usage: cargo xtask
  ci                              the whole check
  linked                          of it, the tests that need the binary
  nightly                         what takes too long for every change
  tidy                            the rules of the house
  compat [--check]                write docs/compat, or fail where it is not what the table says
  bench kafka [--rounds N] [--seconds N] [--cases A,B]   the original and smack under the same load
  bench cql [--rounds N] [--seconds N] [--rows N] [--cases A,B]     the same for the CQL server
  bench stack [--rounds N] [--cases A,B]                 whole applications on the originals and on smack
  bench mesos [--rounds N] [--tasks N] [--bursts N] [--fleet yes|no]   a Mesos master and agent under load
  golden LISTEN UPSTREAM FOLDER   record requests and responses that pass through
  shapes DEFINITIONS              the lengths of requests, from the protocol's message definitions";

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["ci"] => ci::run(),
        ["linked"] => ci::linked(),
        ["nightly"] => ci::nightly(),
        ["tidy"] => tidy::run(&tidy::root()),
        ["compat"] => compat::run(false),
        ["compat", "--check"] => compat::run(true),
        ["bench", "kafka", arguments @ ..] => bench::kafka(arguments),
        ["bench", "cql", arguments @ ..] => bench::cql(arguments),
        ["bench", "stack", arguments @ ..] => bench::stack(arguments),
        ["bench", "mesos", arguments @ ..] => bench::mesos(arguments),
        ["golden", listen, upstream, folder] => golden::record(listen, upstream, Path::new(folder)),
        ["shapes", definitions] => shapes::run(Path::new(definitions)),
        _ => bail!("{USAGE}"),
    }
}
