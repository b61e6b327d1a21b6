//! Certificates for servers and clients under test, made for each test.

use crate::Program;
use anyhow::Result;
use std::fs;
use tempfile::TempDir;

/// A certificate for this machine that is its own authority, as stock servers keep it: key and chain in one PEM file.
#[derive(Debug)]
pub struct Certificate(TempDir);

impl Certificate {
    /// Makes one for this machine with `openssl`: `key.pem`, `ca.pem`, and `server.pem` with both.
    pub fn make() -> Result<Self> {
        Self::make_of("/CN=localhost")
    }

    /// The same of another subject.
    pub fn make_of(subject: &str) -> Result<Self> {
        let dir = tempfile::tempdir()?;
        let at = |name: &str| dir.path().join(name);
        let request = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
                       -addext subjectAltName=DNS:localhost,IP:127.0.0.1";
        Program::new("openssl")
            .args(request.split_whitespace())
            .args(["-subj", subject])
            .args(["-keyout".into(), at("key.pem"), "-out".into(), at("ca.pem")])
            .run()?;
        let both = fs::read_to_string(at("key.pem"))? + &fs::read_to_string(at("ca.pem"))?;
        fs::write(at("server.pem"), both)?;
        Ok(Self(dir))
    }

    /// One that this authority vouches for, with its key: `client.pem` and `client.key`.
    pub fn for_client(self) -> Result<Self> {
        let request = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=client \
                       -addext basicConstraints=critical,CA:FALSE";
        Program::new("openssl")
            .args(request.split_whitespace())
            .args([
                "-CA".into(),
                self.path("ca.pem"),
                "-CAkey".into(),
                self.path("key.pem"),
            ])
            .args(["-keyout".into(), self.path("client.key")])
            .args(["-out".into(), self.path("client.pem")])
            .run()?;
        Ok(self)
    }

    /// Where one of its files is.
    pub fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }
}
