//! Roles and permissions, with stock drivers on a server of their own that asks who its clients are.

use anyhow::Result;
use compat_tests::cql::gaps;
use compat_tests::{Broker, Program, Subject, broker, clients, facts, program};

fn judge(server: &Broker, client: &str, scenario: &str, program: Program) -> Result<()> {
    gaps::judge(client, scenario, || {
        let out = program
            .args([scenario])
            .env("CQL", server.address())
            .env("RUN", program::unique())
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .run()?;
        facts::compare(client, scenario, &facts::parse(&out)?)
    })
}

/// One after the other: they make roles of the same names.
#[test]
fn roles() -> Result<()> {
    let server = Broker::start_cql_with_roles(Subject::from_env())?;
    let python = clients::install(&["cql-python"])?.join("bin/python");
    let script = broker::folder().join("scenarios/cql/python/roles.py");
    for scenario in ["login", "roles", "permissions"] {
        let program = Program::new(&python).args([&script]);
        judge(&server, "cql_roles", scenario, program)?;
    }
    let dir = clients::install(&["cql-java"])?;
    let class_path = format!("{0}/classes:{0}/lib/*", dir.display());
    let quiet = "-Dorg.slf4j.simpleLogger.defaultLogLevel=error";
    let java = Program::new("java").args(["-Xmx256m", quiet, "-cp", &class_path, "Driver"]);
    judge(&server, "cql_java_4", "roles", java)
}
