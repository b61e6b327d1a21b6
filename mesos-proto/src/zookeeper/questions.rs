use super::{AUTH_XID, PING_XID, Session};
use bytes::{BufMut, Bytes, BytesMut};

const CREATE: i32 = 1;
const DELETE: i32 = 2;
const GET_DATA: i32 = 4;
const SET_DATA: i32 = 5;
const GET_CHILDREN: i32 = 8;
const PING: i32 = 11;
const CHECK: i32 = 13;
const MULTI: i32 = 14;
const AUTH: i32 = 100;
const CLOSE: i32 = -11;

/// A node that ends with its session, and whose name ends with the next number.
const NUMBERED_OF_SESSION: i32 = 3;
/// Whatever version a node has.
const ANY_VERSION: i32 = -1;

const READ: i32 = 1;
const ALL: i32 = 31;

/// Who may do what with a node, as the original has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Everybody may do everything.
    Open,
    /// Everybody may read; the rest is for whoever logs in as its creator.
    Creators,
}

/// A change of a node, one of several that are made together or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// There is a node from now on.
    Create {
        /// From the root on.
        path: String,
        /// What it holds.
        data: Bytes,
    },
    /// It holds something else.
    Set {
        /// From the root on.
        path: String,
        /// What it holds.
        data: Bytes,
    },
    /// It is no more.
    Delete {
        /// From the root on.
        path: String,
    },
    /// It stays as it is; where there is no such node, none of the changes is made.
    Check {
        /// From the root on.
        path: String,
    },
}

/// Asks for a session, or to go on with one; by a server that has seen no less than `zxid`.
pub fn connect(session: &Session, zxid: i64) -> BytesMut {
    frame(|to| {
        to.put_i32(0); // version
        to.put_i64(zxid);
        to.put_i32(i32::try_from(session.timeout_ms).unwrap_or(i32::MAX));
        to.put_i64(session.id);
        put(to, &session.password);
        to.put_u8(0); // no read-only server
    })
}

/// Logs in as `user:password`.
pub fn auth(credentials: &str) -> BytesMut {
    question(AUTH_XID, AUTH, |to| {
        to.put_i32(0);
        put(to, b"digest");
        put(to, credentials.as_bytes());
    })
}

/// Says that the client is there.
pub fn ping() -> BytesMut {
    question(PING_XID, PING, |_| {})
}

/// Ends the session, and with it the nodes that stand as long as it does.
pub fn close(xid: i32) -> BytesMut {
    question(xid, CLOSE, |_| {})
}

/// Asks for the names below a node, and to be told once when they change.
pub fn get_children(xid: i32, path: &str) -> BytesMut {
    question(xid, GET_CHILDREN, |to| {
        put(to, path.as_bytes());
        to.put_u8(1);
    })
}

/// Asks for what a node holds.
pub fn get_data(xid: i32, path: &str) -> BytesMut {
    question(xid, GET_DATA, |to| {
        put(to, path.as_bytes());
        to.put_u8(0);
    })
}

/// Makes a node that stays, with nothing in it.
pub fn create(xid: i32, path: &str, access: Access) -> BytesMut {
    question(xid, CREATE, |to| put_create(to, path, &[], access, 0))
}

/// Makes a node whose name is `prefix` and the next number, and which ends with the session.
pub fn create_numbered(xid: i32, prefix: &str, data: &[u8], access: Access) -> BytesMut {
    question(xid, CREATE, |to| {
        put_create(to, prefix, data, access, NUMBERED_OF_SESSION);
    })
}

/// Makes several changes, all or none.
pub fn multi(xid: i32, changes: &[Change], access: Access) -> BytesMut {
    question(xid, MULTI, |to| {
        for change in changes {
            match change {
                Change::Create { path, data } => {
                    put_head(to, CREATE, false);
                    put_create(to, path, data, access, 0);
                }
                Change::Set { path, data } => {
                    put_head(to, SET_DATA, false);
                    put(to, path.as_bytes());
                    put(to, data);
                    to.put_i32(ANY_VERSION);
                }
                Change::Delete { path } => {
                    put_head(to, DELETE, false);
                    put(to, path.as_bytes());
                    to.put_i32(ANY_VERSION);
                }
                Change::Check { path } => {
                    put_head(to, CHECK, false);
                    put(to, path.as_bytes());
                    to.put_i32(ANY_VERSION);
                }
            }
        }
        put_head(to, -1, true);
    })
}

/// What comes before each change, and after the last one.
fn put_head(to: &mut BytesMut, kind: i32, done: bool) {
    to.put_i32(kind);
    to.put_u8(u8::from(done));
    to.put_i32(-1);
}

fn put_create(to: &mut BytesMut, path: &str, data: &[u8], access: Access, flags: i32) {
    put(to, path.as_bytes());
    put(to, data);
    let (world, creator) = ((&b"world"[..], &b"anyone"[..]), (&b"auth"[..], &b""[..]));
    let rights: &[_] = match access {
        Access::Open => &[(ALL, world)],
        Access::Creators => &[(READ, world), (ALL, creator)],
    };
    to.put_i32(i32::try_from(rights.len()).unwrap_or(i32::MAX));
    for (rights, (scheme, id)) in rights {
        to.put_i32(*rights);
        put(to, scheme);
        put(to, id);
    }
    to.put_i32(flags);
}

fn question(xid: i32, kind: i32, fill: impl FnOnce(&mut BytesMut)) -> BytesMut {
    frame(|to| {
        to.put_i32(xid);
        to.put_i32(kind);
        fill(to);
    })
}

fn frame(fill: impl FnOnce(&mut BytesMut)) -> BytesMut {
    let mut body = BytesMut::new();
    fill(&mut body);
    let mut framed = BytesMut::with_capacity(body.len() + 4);
    put(&mut framed, &body);
    framed
}

fn put(to: &mut BytesMut, bytes: &[u8]) {
    // ZooKeeper takes one MiB at the most.
    to.put_i32(i32::try_from(bytes.len()).unwrap_or(i32::MAX));
    to.put_slice(bytes);
}
