"""Roles, logins and permissions, on a server that authenticates by password and authorizes.

Each step is a statement of a user; what it answers, rows or error, must be the same on every subject. The server is this scenario's own.
"""

import cassandra
from cassandra.auth import PlainTextAuthProvider
from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile, NoHostAvailable
from cassandra.policies import RoundRobinPolicy
from cassandra.protocol import ErrorMessage

from common import HOST, PORT, REPLICATION, main, until

ADMIN = ("cassandra", "cassandra")
AMY, BOB = ("amy", "secret"), ("bob", "hidden")


def connect(name, password):
    profile = ExecutionProfile(load_balancing_policy=RoundRobinPolicy(), request_timeout=60)
    provider = PlainTextAuthProvider(name, password) if name else None
    return Cluster(
        [HOST], port=PORT, auth_provider=provider, execution_profiles={EXEC_PROFILE_DEFAULT: profile}, connect_timeout=20,
        control_connection_timeout=20, max_schema_agreement_wait=20, monitor_reporting_enabled=False,
    ).connect()


def admin():
    """The first superuser, which the original makes some seconds after its start."""
    def attempt():
        try:
            return connect(*ADMIN)
        except NoHostAvailable:
            return None
    return until(attempt, "the first superuser may log in", 60)


def login_soon(name, password):
    """Somebody who may log in as of now, which the original may not know yet."""
    until(lambda: refused(name, password) == "logged in", f"{name} may log in", 20)
    return connect(name, password)


def refused(name, password):
    """What somebody is told who may not log in."""
    try:
        connect(name, password)
    except NoHostAvailable as tried:
        error = next(iter(tried.errors.values()))
        return [type(error).__name__, str(error).split(": ", 1)[-1]]
    return "logged in"


def said(session, statement, values=None):
    try:
        answer = session.execute(statement, values)
    except NoHostAvailable as tried:
        error = next(iter(tried.errors.values()))
        return [type(error).__name__, str(error)]
    except (cassandra.DriverException, cassandra.RequestExecutionException, ErrorMessage) as error:
        return [type(error).__name__, str(error)]
    return [str(tuple(row)) for row in answer] + [f"warning: {text}" for text in answer.response_future.warnings or []]


def talk(session, *texts):
    return [[text, *said(session, text)] for text in texts]


def schema(session):
    for text in [
        "DROP KEYSPACE IF EXISTS shop", "DROP ROLE IF EXISTS amy", "DROP ROLE IF EXISTS bob", "DROP ROLE IF EXISTS staff", "DROP ROLE IF EXISTS eve", "DROP KEYSPACE IF EXISTS other",
        f"CREATE KEYSPACE shop WITH replication = {REPLICATION}",
        "CREATE TABLE shop.t (k int PRIMARY KEY, v int)",
        "CREATE TABLE shop.u (k int PRIMARY KEY, v int)",
    ]:
        session.execute(text)


def login():
    """Who may log in, and who may not any more."""
    root = admin()
    schema(root)
    shown = {"nobody": refused(None, None), "wrong": refused("cassandra", "wrong"), "unknown": refused("nobody", "x")}
    shown["made"] = talk(
        root, "CREATE ROLE amy WITH PASSWORD = 'secret' AND LOGIN = true", "CREATE USER bob WITH PASSWORD 'hidden' NOSUPERUSER",
        "CREATE ROLE staff", "CREATE ROLE amy", "CREATE ROLE IF NOT EXISTS amy", "CREATE USER bob WITH PASSWORD 'x'",
    )
    for name, password in (AMY, BOB):
        shown[name] = said(login_soon(name, password), "SELECT cluster_name FROM system.local")
    shown["staff"] = refused("staff", "x")
    # The original refuses to change a password too often.
    until(lambda: said(root, "ALTER ROLE amy WITH PASSWORD = 'other'") == [], "the password changes", 60)
    shown["amy, old password"] = refused(*AMY)
    shown["amy, new password"] = refused("amy", "other")
    root.execute("ALTER ROLE amy WITH LOGIN = false")
    # The original keeps what it knows of a role for two seconds.
    told = (refused("amy", "other") for _ in range(100))
    shown["amy, no login"] = next(answer for answer in told if answer != "logged in")
    shown["own"] = said(root, "ALTER ROLE amy WITH LOGIN = true AND PASSWORD = 'x' AND HASHED PASSWORD = 'y'")
    root.execute("DROP ROLE bob")
    shown["bob, dropped"] = refused(*BOB)
    hashed = "$2a$10$abcdefghijklmnopqrstuufhqiywuKOEAEe8F/undoVpl0ECuQcZK"
    root.execute(f"CREATE ROLE bob WITH HASHED PASSWORD = '{hashed}' AND LOGIN = true")
    shown["bob, by a hash"] = said(login_soon(*BOB), "SELECT cluster_name FROM system.local")
    shown["not a hash"] = said(root, "CREATE ROLE eve WITH HASHED PASSWORD = 'this' AND LOGIN = true")
    return shown


def roles():
    """Roles, their members, and what lists them."""
    root = admin()
    schema(root)
    shown = {}
    shown["as cassandra"] = talk(
        root, "CREATE ROLE staff", "CREATE ROLE amy WITH PASSWORD = 'secret' AND LOGIN = true",
        "CREATE ROLE bob WITH PASSWORD = 'hidden' AND LOGIN = true AND SUPERUSER = true", "GRANT staff TO amy", "GRANT staff TO amy",
        "GRANT amy TO staff", "GRANT staff TO nope", "GRANT nope TO amy", "REVOKE amy FROM bob", "REVOKE nope FROM amy",
        "GRANT amy TO amy", "LIST ROLES", "LIST ROLES OF amy", "LIST ROLES OF amy NORECURSIVE", "LIST ROLES OF nope", "LIST USERS",
        "ALTER ROLE nope WITH LOGIN = true", "ALTER ROLE IF EXISTS nope WITH LOGIN = true", "ALTER ROLE amy",
        "ALTER ROLE cassandra WITH SUPERUSER = false", "DROP ROLE nope",
        "DROP ROLE IF EXISTS nope", "DROP ROLE cassandra", "DROP USER nope", "DROP USER IF EXISTS nope",
        "CREATE ROLE eve WITH OPTIONS = {'a': 'b'}", "CREATE ROLE eve WITH ACCESS TO DATACENTERS {'datacenter1'}",
        "CREATE ROLE eve WITH ACCESS TO ALL DATACENTERS", "DROP ROLE IF EXISTS eve", "CREATE ROLE ''",
        "CREATE ROLE eve WITH ACCESS FROM ALL CIDRS", "DROP ROLE IF EXISTS eve", "ADD IDENTITY 'spiffe' TO ROLE amy",
        "ADD IDENTITY 'spiffe' TO ROLE amy", "ADD IDENTITY IF NOT EXISTS 'spiffe' TO ROLE amy", "ADD IDENTITY 'x' TO ROLE nope",
        "SELECT * FROM system_auth.identity_to_role", "DROP IDENTITY 'spiffe'", "DROP IDENTITY 'spiffe'", "DROP IDENTITY IF EXISTS 'spiffe'",
        "SELECT role, can_login, is_superuser, member_of FROM system_auth.roles", "SELECT * FROM system_auth.role_members",
    )
    amy = login_soon(*AMY)
    shown["as amy"] = talk(
        amy, "LIST ROLES", "LIST ROLES OF amy", "LIST ROLES OF bob", "LIST USERS", "CREATE ROLE eve", "CREATE ROLE eve WITH SUPERUSER = true",
        "ALTER ROLE amy WITH SUPERUSER = true", "ALTER ROLE amy WITH LOGIN = false",
        "ALTER ROLE bob WITH PASSWORD = 'x'", "DROP ROLE amy", "DROP ROLE bob", "GRANT staff TO amy", "REVOKE staff FROM amy",
        "SELECT role FROM system_auth.roles", "LIST ALL PERMISSIONS", "LIST ALL PERMISSIONS OF bob", "GRANT SELECT ON shop.t TO amy",
        "ALTER ROLE bob WITH SUPERUSER = false", "CREATE USER eve WITH PASSWORD 'x' SUPERUSER", "ADD IDENTITY 'x' TO ROLE amy",
        "DROP IDENTITY 'x'",
    )
    shown["after"] = talk(root, "DROP ROLE staff", "LIST ROLES OF amy", "SELECT * FROM system_auth.role_members", "REVOKE staff FROM amy")
    return shown


STATEMENTS = [
    "SELECT * FROM shop.t WHERE k = 1", "INSERT INTO shop.t (k, v) VALUES (1, 1)", "UPDATE shop.t SET v = 2 WHERE k = 1 IF v = 1",
    "DELETE FROM shop.t WHERE k = 1", "BEGIN BATCH INSERT INTO shop.t (k, v) VALUES (1, 1); INSERT INTO shop.u (k, v) VALUES (1, 1); APPLY BATCH",
    "TRUNCATE shop.t", "USE shop", "CREATE TABLE shop.w (k int PRIMARY KEY)", "ALTER TABLE shop.t ADD w int", "DROP TABLE shop.u",
    "CREATE INDEX tv ON shop.t (v)", "DROP INDEX shop.tv", "CREATE TYPE shop.y (a int)", "ALTER TYPE shop.y ADD b int", "DROP TYPE shop.y",
    "ALTER KEYSPACE shop WITH durable_writes = true", "DROP KEYSPACE shop", f"CREATE KEYSPACE other WITH replication = {REPLICATION}",
    "SELECT keyspace_name FROM system_schema.keyspaces WHERE keyspace_name = 'shop'", "SELECT * FROM system_traces.sessions",
    "SELECT * FROM system_distributed.view_build_status", "SELECT * FROM system_auth.role_members", "DESCRIBE KEYSPACES",
    "SELECT * FROM system.paxos", "SELECT * FROM system.size_estimates WHERE keyspace_name = 'nope'",
    "SELECT * FROM system.table_estimates WHERE keyspace_name = 'nope'", "SELECT view_name FROM system.built_views",
    "SELECT peer FROM system.peers", "SELECT * FROM system.prepared_statements LIMIT 1", "SELECT * FROM system.available_ranges",
    "SELECT table_name FROM system_virtual_schema.tables WHERE keyspace_name = 'nope'", "INSERT INTO system_auth.roles (role) VALUES ('x')", "DROP TABLE system_auth.roles", "SELECT * FROM nope.t",
    "SELECT * FROM shop.nope", "CREATE MATERIALIZED VIEW shop.mv AS SELECT * FROM shop.nope WHERE k IS NOT NULL PRIMARY KEY (k)",
    "SELECT name FROM system_views.settings WHERE name = 'cluster_name'",
]


def permissions():
    """What a role may do before and after it is granted permissions, prepared statements too."""
    root = admin()
    schema(root)
    root.execute("CREATE ROLE staff")
    root.execute("CREATE ROLE amy WITH PASSWORD = 'secret' AND LOGIN = true")
    amy = login_soon(*AMY)
    shown = {"nothing": talk(amy, *STATEMENTS)}
    read = amy.prepare("SELECT * FROM shop.t WHERE k = ?")
    shown["prepared, before"] = said(amy, read, [1])
    shown["granted"] = talk(
        root, "GRANT SELECT ON shop.t TO staff", "GRANT SELECT ON shop.t TO staff", "GRANT staff TO amy", "LIST ALL PERMISSIONS OF amy",
        "LIST ALL PERMISSIONS OF amy NORECURSIVE", "LIST SELECT ON shop.t", "LIST MODIFY ON shop.t OF amy", "LIST SELECT ON KEYSPACE shop OF amy",
        "GRANT SELECT ON shop.nope TO staff", "GRANT SELECT ON KEYSPACE nope TO staff", "GRANT SELECT ON shop.t TO nope",
        "GRANT EXECUTE ON shop.t TO staff", "REVOKE MODIFY ON shop.t FROM staff", "LIST ALL PERMISSIONS OF nope",
    )
    until(lambda: not isinstance(said(amy, read, [1])[:1], list) or said(amy, read, [1]) == [], "the permission holds", 20)
    shown["prepared, after"] = said(amy, read, [1])
    shown["reading"] = talk(amy, *STATEMENTS[:7])
    root.execute("GRANT MODIFY ON KEYSPACE shop TO amy")
    until(lambda: said(amy, STATEMENTS[1]) == [], "the permission holds", 20)
    shown["writing"] = talk(amy, *STATEMENTS[:8])
    root.execute("REVOKE SELECT ON shop.t FROM staff")
    until(lambda: said(amy, read, [1])[:1] == ["Unauthorized"], "the permission is gone", 20)
    shown["revoked"] = talk(amy, *STATEMENTS[:3])
    shown["all"] = talk(
        root, "GRANT ALL ON KEYSPACE shop TO amy", "GRANT ALL PERMISSIONS ON ALL ROLES TO staff", "GRANT CREATE ON ALL KEYSPACES TO amy",
        "GRANT DESCRIBE ON ALL MBEANS TO staff", "GRANT SELECT ON MBEAN 'a:b=c' TO staff", "GRANT EXECUTE ON ALL FUNCTIONS TO staff",
        "GRANT EXECUTE ON ALL FUNCTIONS IN KEYSPACE shop TO staff", "GRANT ALTER ON ROLE amy TO staff", "GRANT SELECT ON ALL TABLES IN KEYSPACE shop TO staff",
        "REVOKE ALL ON ROLE amy FROM staff", "LIST ALL PERMISSIONS OF amy", "LIST ALL PERMISSIONS ON ROLE amy", "LIST ALL", "GRANT CREATE ON shop.t TO amy",
        "GRANT ALTER, EXECUTE ON shop.t TO amy", "SELECT * FROM system_auth.role_permissions",
        "SELECT * FROM system_auth.resource_role_permissons_index WHERE resource = 'data/shop'",
    )
    until(lambda: said(amy, "ALTER TABLE shop.t ADD w int") == [], "the permission holds", 20)
    shown["owning"] = talk(amy, *[text for text in STATEMENTS if text != "DROP KEYSPACE shop" and "VIEW" not in text])
    shown["made"] = talk(
        amy, "LIST ALL PERMISSIONS OF amy", "CREATE ROLE eve WITH PASSWORD = 'e' AND LOGIN = true", "GRANT SELECT ON KEYSPACE other TO eve",
        "LIST ALL PERMISSIONS OF eve", "REVOKE SELECT ON KEYSPACE other FROM eve", "ALTER ROLE eve WITH LOGIN = false", "DROP ROLE eve",
    )
    shown["gone"] = talk(
        root, "DROP KEYSPACE other", "DROP KEYSPACE shop", "LIST ALL PERMISSIONS OF amy", "DROP ROLE staff", "LIST ALL PERMISSIONS OF amy NORECURSIVE",
        "DROP ROLE amy", "SELECT * FROM system_auth.role_permissions", "SELECT * FROM system_auth.role_members",
    )
    return shown


main({"login": login, "roles": roles, "permissions": permissions})
