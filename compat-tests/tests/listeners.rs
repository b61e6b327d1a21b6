//! Listeners other than the plain one: TLS with stock clients, IPv6, and the PROXY protocol behind a small forwarder.
//!
//! The scenarios over TLS must give the facts that the original gave without it.

use std::fs;
use std::io::Write;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use compat_tests::certificate::Certificate;
use compat_tests::program::Said;
use compat_tests::raw::{self, Reaction};
use compat_tests::{Broker, Program, Subject, broker, clients, facts, program};

fn over_tls(
    client: &str,
    mut program: Program,
    scenario: &str,
    address: &str,
    connection: &str,
) -> Result<()> {
    program = program
        .args([scenario])
        .env("KAFKA", address)
        .env("RUN", program::unique())
        .env("CONNECTION", connection);
    facts::compare(client, scenario, &facts::parse(&program.run()?)?)
}

#[test]
fn tls() -> Result<()> {
    if Subject::from_env() != Subject::Smack {
        return Ok(());
    }
    let certificate = Certificate::make()?;
    let port = broker::free_ports(1)?;
    let broker = Broker::start(
        Subject::Smack,
        &format!(
            "listeners=PLAINTEXT://127.0.0.1:0,OUTSIDE://127.0.0.1:{port}\n\
             listener.security.protocol.map=PLAINTEXT:PLAINTEXT,OUTSIDE:SSL\n\
             ssl.keystore.type=PEM\nssl.keystore.location={}\n",
            certificate.path("server.pem")
        ),
    )?;
    let address = format!("127.0.0.1:{port}");
    let trust = certificate.path("ca.pem");
    let java = clients::install(&["java", "4.4.0"])?;
    for scenario in ["round_trip", "transactions", "consumer_group_uniform"] {
        let program = Program::new("java")
            .args(["-Xmx512m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"])
            .args(["-Dorg.slf4j.simpleLogger.defaultLogLevel=error", "-cp"])
            .args([format!("{0}/classes:{0}/lib/*", java.display())])
            .args(["Scenarios"]);
        let connection =
            format!("security.protocol=SSL;ssl.truststore.type=PEM;ssl.truststore.location={trust}");
        over_tls("java-4.4.0", program, scenario, &address, &connection)?;
    }
    let python = clients::install(&["python"])?.join("bin/python");
    for scenario in ["round_trip", "transactions", "large_messages"] {
        let program = Program::new(&python)
            .args([broker::folder().join("scenarios/python/confluent.py")])
            .env("PYTHONDONTWRITEBYTECODE", "1");
        let connection = format!("security.protocol=ssl;ssl.ca.location={trust}");
        over_tls("confluent", program, scenario, &address, &connection)?;
    }
    // Who speaks without TLS is sent away, and so is who does not trust the certificate; the plain listener still serves.
    ensure!(
        raw::exchange(&address, &raw::request(18, 0, &[]))? != Reaction::Silent,
        "no reaction to a client without TLS"
    );
    let stranger = Program::new("kcat")
        .args(["-b", &address, "-L", "-m", "3", "-X", "security.protocol=ssl"])
        .say()?;
    ensure!(
        stranger.code != Some(0),
        "an unknown authority was trusted: {stranger:?}"
    );
    raw::is_well(broker.address())
}

/// Changes a key of the one broker with the stock tool; answers what the tool said.
fn alter(address: &str, change: &str) -> Result<Said> {
    let jars = clients::install(&["kafka"])?;
    Program::new("java")
        .args(["-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"])
        .args(["-Dorg.slf4j.simpleLogger.defaultLogLevel=error", "-cp"])
        .args([
            format!("{}/*", jars.display()).as_str(),
            "kafka.admin.ConfigCommand",
        ])
        .args([
            "--bootstrap-server",
            address,
            "--entity-type",
            "brokers",
            "--entity-name",
            "1",
            "--alter",
        ])
        .args(change.split_whitespace())
        .say()
}

/// Whether who trusts `authority` trusts who answers at `address`.
fn is_trusted(address: &str, authority: &str) -> Result<bool> {
    agrees(address, &["-CAfile", authority, "-verify_return_error"])
}

/// Whether a client of TLS with these `options` comes to an agreement at `address`.
fn agrees(address: &str, options: &[&str]) -> Result<bool> {
    let agreed = Program::new("openssl")
        .args(["s_client", "-connect", address, "-brief"])
        .args(options)
        .say()?;
    Ok(agreed.code == Some(0))
}

/// Certificates that change while the broker runs: named anew, replaced where they lie, and named no more. What cannot be read
/// is refused in the original's words.
#[test]
fn certificates_change_while_the_broker_runs() -> Result<()> {
    if Subject::from_env() != Subject::Smack {
        return Ok(());
    }
    let (first, second) = (Certificate::make()?, Certificate::make_of("/CN=another")?);
    let port = broker::free_ports(1)?;
    let mut broker = Broker::start(
        Subject::Smack,
        &format!(
            "listeners=PLAINTEXT://127.0.0.1:0,OUTSIDE://127.0.0.1:{port}\n\
             listener.security.protocol.map=PLAINTEXT:PLAINTEXT,OUTSIDE:SSL\n\
             ssl.keystore.type=PEM\nssl.keystore.location={}\nssl.allow.dn.changes=true\n",
            first.path("server.pem")
        ),
    )?;
    let (plain, outside) = (broker.address().to_owned(), format!("127.0.0.1:{port}"));
    let trusted = || -> Result<_> {
        let of = |certificate: &Certificate| is_trusted(&outside, &certificate.path("ca.pem"));
        Ok((of(&first)?, of(&second)?))
    };
    ensure!(trusted()? == (true, false), "the certificate of the start");
    let location = "listener.name.outside.ssl.keystore.location";
    let missing = alter(&plain, &format!("--add-config {location}=/nowhere.pem"))?;
    ensure!(
        missing
            .err
            .contains("Failed to load PEM SSL keystore /nowhere.pem"),
        "a file that is not there: {missing:?}"
    );
    let live = second.path("live.pem");
    fs::copy(second.path("server.pem"), &live)?;
    let change = format!("--add-config {location}={live}");
    ensure!(
        alter(&plain, &change)?.code == Some(0),
        "a certificate named anew"
    );
    ensure!(trusted()? == (false, true), "the certificate named anew");
    fs::copy(first.path("server.pem"), &live)?;
    ensure!(
        trusted()? == (false, true),
        "nobody said that the file has changed"
    );
    ensure!(alter(&plain, &change)?.code == Some(0), "the same file again");
    ensure!(trusted()? == (true, false), "the file was read again");
    fs::copy(second.path("server.pem"), &live)?;
    broker.kill()?;
    broker.restart()?;
    ensure!(trusted()? == (false, true), "what was set is there after a kill");
    let plain = broker.address().to_owned();
    let change = format!("--delete-config {location}");
    ensure!(
        alter(&plain, &change)?.code == Some(0),
        "a certificate named no more"
    );
    ensure!(trusted()? == (true, false), "the certificate of the start again");
    Ok(())
}

/// A broker that advertises the one listener it is started with: others may come and go.
fn advertising(certificate: &Certificate) -> Result<Broker> {
    Broker::start(
        Subject::Smack,
        &format!(
            "listeners=PLAINTEXT://127.0.0.1:0\nadvertised.listeners=PLAINTEXT://127.0.0.1:0\n\
             listener.security.protocol.map=PLAINTEXT:PLAINTEXT,EXTRA:PLAINTEXT,SEC:SSL\n\
             listener.name.sec.ssl.enabled.protocols=TLSv1.3\nssl.keystore.type=PEM\nssl.keystore.location={}\n",
            certificate.path("server.pem")
        ),
    )
}

/// Changes `listeners`, which must be taken; or, with `why`, must be refused with that.
fn listen(broker: &Broker, others: &str, why: Option<&str>) -> Result<()> {
    let change = format!(
        "--add-config listeners=[PLAINTEXT://{}{others}]",
        broker.address()
    );
    let said = alter(broker.address(), &change)?;
    match why {
        None => ensure!(said.code == Some(0), "{change}: {said:?}"),
        Some(why) => ensure!(said.err.contains(why), "{change}, not because {why}: {said:?}"),
    }
    Ok(())
}

/// Waits until nobody listens at `address`.
fn gone(address: &str) -> Result<()> {
    for _ in 0..400 {
        if TcpStream::connect(address).is_err() {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    bail!("somebody still listens at {address}")
}

/// Listeners that are added, moved and removed with the stock tool, with stock clients on them; they outlive a kill.
#[test]
fn listeners_change_while_the_broker_runs() -> Result<()> {
    if Subject::from_env() != Subject::Smack {
        return Ok(());
    }
    let (certificate, other) = (Certificate::make()?, Certificate::make_of("/CN=another")?);
    let mut broker = advertising(&certificate)?;
    let first = broker::free_ports(3)?;
    let [extra, moved, secured] = [first, first + 1, first + 2].map(|port| format!("127.0.0.1:{port}"));
    listen(
        &broker,
        &format!(",NEW://{extra}"),
        Some("No security protocol defined for listener NEW"),
    )?;
    let plain = broker.address().to_owned();
    let taken = format!(",EXTRA://{}", broker.admin().unwrap_or_default());
    listen(&broker, &taken, Some("Address already in use"))?;
    // Added: clients find it, and are told where it is.
    listen(&broker, &format!(",EXTRA://{extra}"), None)?;
    write_and_read(&extra)?;
    let mut idle = raw::connect(&extra)?;
    // Moved: who is there stays, who comes goes to the new address. One over TLS is added.
    listen(&broker, &format!(",EXTRA://{moved},SEC://{secured}"), None)?;
    gone(&extra)?;
    write_and_read(&moved)?;
    let wider = moved.replace("127.0.0.1", "0.0.0.0");
    listen(
        &broker,
        &format!(",EXTRA://{wider},SEC://{secured}"),
        Some("Address already in use"),
    )?;
    idle.write_all(&raw::request(18, 0, &[]))?;
    let reaction = raw::reaction(&mut idle);
    ensure!(
        matches!(reaction, Reaction::Answered(_)),
        "who was there: {reaction:?}"
    );
    ensure!(
        is_trusted(&secured, &certificate.path("ca.pem"))?,
        "the certificate of all listeners"
    );
    let versions = ["-tls1_2", "-tls1_3"].map(|version| agrees(&secured, &[version]).ok());
    ensure!(
        versions == [Some(false), Some(true)],
        "the versions that are spoken: {versions:?}"
    );
    let keystore = format!(
        "--add-config listener.name.sec.ssl.keystore.location={}",
        other.path("server.pem")
    );
    let renamed = alter(&plain, &keystore)?;
    let why = "Keystore DistinguishedName does not match:  existing={alias=kafka, DN=CN=localhost}, \
               new={alias=kafka, DN=CN=another}";
    ensure!(renamed.err.contains(why), "another name: {renamed:?}");
    // They are there after a kill.
    broker.kill()?;
    broker.restart()?;
    write_and_read(&moved)?;
    ensure!(is_trusted(&secured, &certificate.path("ca.pem"))?, "after a kill");
    // Removed: who is there is sent away, nobody comes in.
    let mut idle = raw::connect(&moved)?;
    listen(&broker, &format!(",SEC://{secured}"), None)?;
    ensure!(
        raw::reaction(&mut idle) == Reaction::Closed,
        "who came by a listener that is gone"
    );
    gone(&moved)?;
    let change = format!("--add-config listeners=[SEC://{secured}]");
    let why =
        "advertised.listeners listener names must be equal to or a subset of the ones defined in listeners";
    let without = alter(&plain, &change)?;
    ensure!(
        without.err.contains(why),
        "without the listener of brokers: {without:?}"
    );
    let back = alter(&plain, "--delete-config listeners")?;
    ensure!(back.code == Some(0), "{back:?}");
    gone(&secured)?;
    write_and_read(&plain)
}

/// A limit of one listener, set while the broker runs: who is one too many waits, and nobody of the others does. At the limit
/// of all, who comes by the brokers' own listener is let in, and the idle one of another goes.
#[test]
fn a_listener_at_its_limit_waits_alone() -> Result<()> {
    if Subject::from_env() != Subject::Smack {
        return Ok(());
    }
    let two = format!("127.0.0.1:{}", broker::free_ports(1)?);
    let broker = Broker::start(
        Subject::Smack,
        &format!(
            "listeners=PLAINTEXT://127.0.0.1:0,TWO://{two}\n\
             listener.security.protocol.map=PLAINTEXT:PLAINTEXT,TWO:PLAINTEXT\n"
        ),
    )?;
    let change = "--add-config listener.name.two.max.connections=1";
    ensure!(alter(broker.address(), change)?.code == Some(0), "the limit");
    let ask = || -> Result<TcpStream> {
        let mut peer = raw::connect(&two)?;
        peer.write_all(&raw::request(18, 0, &[]))?;
        Ok(peer)
    };
    let is_answered = |peer: &mut TcpStream| matches!(raw::reaction(peer), Reaction::Answered(_));
    let mut first = ask()?;
    ensure!(is_answered(&mut first), "the first comer");
    let mut second = ask()?;
    second.set_read_timeout(Some(Duration::from_secs(2)))?;
    let reaction = raw::reaction(&mut second);
    ensure!(reaction == Reaction::Silent, "one too many: {reaction:?}");
    raw::is_well(broker.address())?;
    drop(first);
    second.set_read_timeout(Some(Duration::from_secs(40)))?;
    ensure!(is_answered(&mut second), "there is room again");
    let change = "--add-config max.connections=1";
    ensure!(
        alter(broker.address(), change)?.code == Some(0),
        "the limit of all"
    );
    raw::is_well(broker.address())?;
    let reaction = raw::reaction(&mut second);
    ensure!(reaction == Reaction::Closed, "the idle one: {reaction:?}");
    Ok(())
}

/// `ssl.client.auth`: who must show a certificate, who may, and who is sent away for one that nobody vouches for.
#[test]
fn certificates_of_clients() -> Result<()> {
    if Subject::from_env() != Subject::Smack {
        return Ok(());
    }
    let (known, stranger) = (
        Certificate::make()?.for_client()?,
        Certificate::make()?.for_client()?,
    );
    let first = broker::free_ports(2)?;
    let [must, may] = [first, first + 1].map(|port| format!("127.0.0.1:{port}"));
    let _broker = Broker::start(
        Subject::Smack,
        &format!(
            "listeners=PLAINTEXT://127.0.0.1:0,MUST://{must},MAY://{may}\n\
             listener.security.protocol.map=PLAINTEXT:PLAINTEXT,MUST:SSL,MAY:SSL\n\
             ssl.keystore.type=PEM\nssl.keystore.location={}\nssl.truststore.type=PEM\nssl.truststore.location={}\n\
             listener.name.must.ssl.client.auth=required\nlistener.name.may.ssl.client.auth=requested\n",
            known.path("server.pem"),
            known.path("ca.pem")
        ),
    )?;
    let with = |of: &Certificate| {
        let (chain, key) = (of.path("client.pem"), of.path("client.key"));
        vec![
            format!("ssl.certificate.location={chain}"),
            format!("ssl.key.location={key}"),
        ]
    };
    for (address, shown, welcome, what) in [
        (&must, vec![], false, "required, none"),
        (&must, with(&known), true, "required, a known one"),
        (&must, with(&stranger), false, "required, a stranger's"),
        (&may, vec![], true, "requested, none"),
        (&may, with(&known), true, "requested, a known one"),
        (&may, with(&stranger), false, "requested, a stranger's"),
    ] {
        let said = Program::new("kcat")
            .args(["-b", address, "-L", "-m", "5", "-X", "security.protocol=ssl"])
            .args([
                "-X".to_owned(),
                format!("ssl.ca.location={}", known.path("ca.pem")),
            ])
            .args(shown.iter().flat_map(|pair| ["-X", pair]))
            .say()?;
        ensure!((said.code == Some(0)) == welcome, "{what}: {said:?}");
    }
    Ok(())
}

#[test]
fn ipv6() -> Result<()> {
    if Subject::from_env() != Subject::Smack {
        return Ok(());
    }
    if TcpListener::bind("[::1]:0").is_err() {
        println!("not tested: this machine has no IPv6");
        return Ok(());
    }
    let port = broker::free_ports(1)?;
    let listeners = format!("listeners=PLAINTEXT://127.0.0.1:0,SIX://[::1]:{port}\n");
    let map = "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SIX:PLAINTEXT\n";
    let broker = Broker::start(Subject::Smack, &format!("{listeners}{map}"))?;
    let address = format!("[::1]:{port}");
    write_and_read(&address)?;
    let metadata = Program::new("kcat").args(["-q", "-b", &address, "-L"]).run()?;
    ensure!(
        metadata.contains(&format!("::1]:{port}")) || metadata.contains(&format!("::1:{port}")),
        "clients that came by IPv6 are told another address: {metadata}"
    );
    write_and_read(broker.address())
}

/// Pipes lines in and reads them back, in a group too.
fn write_and_read(address: &str) -> Result<()> {
    let topic = format!("lines-{}", program::unique());
    let kcat = |args: &str| {
        Program::new("kcat")
            .args(["-q", "-b", address])
            .args(args.split_whitespace())
    };
    let lines: String = (0..1000).map(|i| format!("line {i}\n")).collect();
    kcat(&format!("-P -t {topic} -p 0")).input(lines.clone()).run()?;
    ensure!(
        kcat(&format!("-C -t {topic} -p 0 -o beginning -e")).run()? == lines,
        "other lines came back"
    );
    let read = kcat(&format!("-G {topic} -X auto.offset.reset=earliest -e {topic}")).run()?;
    ensure!(read == lines, "the group read {} bytes", read.len());
    Ok(())
}

/// Says for every connection that it stands for a client of 203.0.113.7, and passes bytes on.
fn forward(listener: TcpListener, to: String, header: Vec<u8>) {
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let Ok(mut server) = TcpStream::connect(&to) else {
                continue;
            };
            if server.write_all(&header).is_err() {
                continue;
            }
            let ends = (client.try_clone(), server.try_clone());
            let (Ok(client_too), Ok(server_too)) = ends else {
                continue;
            };
            std::thread::spawn(move || pass(client, server));
            std::thread::spawn(move || pass(server_too, client_too));
        }
    });
}

fn pass(mut from: TcpStream, mut to: TcpStream) {
    let _ = std::io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Write);
}

fn version_1() -> Vec<u8> {
    b"PROXY TCP4 203.0.113.7 127.0.0.1 50000 9092\r\n".to_vec()
}

fn version_2() -> Vec<u8> {
    let mut header = b"\r\n\r\n\0\r\nQUIT\n\x21\x11".to_vec();
    header.extend(12_u16.to_be_bytes());
    header.extend([203, 0, 113, 7, 127, 0, 0, 1]);
    header.extend(50_000_u16.to_be_bytes());
    header.extend(9092_u16.to_be_bytes());
    header
}

#[test]
fn proxy_protocol() -> Result<()> {
    if Subject::from_env() != Subject::Smack {
        return Ok(());
    }
    for header in [version_1(), version_2()] {
        let forwarder = TcpListener::bind("127.0.0.1:0")?;
        let outside = forwarder.local_addr()?.to_string();
        let inside = format!("127.0.0.1:{}", broker::free_ports(1)?);
        let dir = tempfile::tempdir()?;
        let file = format!(
            "[[kafka.listeners]]\nname = \"PLAINTEXT\"\nbind = \"127.0.0.1:0\"\n\
             [[kafka.listeners]]\nname = \"PROXIED\"\nbind = \"{inside}\"\nadvertised = \"{outside}\"\nproxy_protocol = true\n"
        );
        fs::write(dir.path().join("smack.toml"), file)?;
        let broker = Broker::start_at(Subject::Smack, "", dir.path())?;
        forward(forwarder, inside.clone(), header);
        write_and_read(&outside)?;
        told_address(&broker, &outside)?;
        let without = raw::exchange(&inside, &raw::request(18, 0, &[]))?;
        ensure!(
            without == Reaction::Closed,
            "a connection without the header: {without:?}"
        );
        raw::is_well(broker.address())?;
    }
    Ok(())
}

/// The group's description names the client, not the forwarder.
fn told_address(broker: &Broker, outside: &str) -> Result<()> {
    let group = format!("seen-{}", program::unique());
    Program::new("kcat")
        .args(["-q", "-b", outside, "-P", "-t", &group])
        .input("a\n")
        .run()?;
    let args = format!("-q -b {outside} -G {group} {group}");
    let member = Program::new("kcat").args(args.split_whitespace()).seconds_max(3);
    let member = std::thread::spawn(move || member.say());
    let mut body = 1_i32.to_be_bytes().to_vec();
    body.extend((group.len() as i16).to_be_bytes());
    body.extend(group.as_bytes());
    let wanted = b"/203.0.113.7";
    while !member.is_finished() {
        if let Reaction::Answered(frame) = raw::exchange(broker.address(), &raw::request(15, 0, &body))?
            && frame.windows(wanted.len()).any(|bytes| bytes == wanted)
        {
            let _ = member.join();
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let said = member
        .join()
        .map_err(|_| anyhow::anyhow!("the member's thread panicked"))?;
    bail!("the member was not seen with the address that the proxy told: {said:?}")
}
