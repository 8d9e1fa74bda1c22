"""The first contents of a cluster: roles, the template with its extensions, the databases.

Run once as the superuser through psql, on a private cluster and on a server's alike; every statement
may be repeated. Tables and the privileges on them are not here: they belong to the migrations.
"""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from ops.keyring import ROLES
from ops.places import Trouble

EXTENSIONS = ("postgis", "btree_gist", "pg_trgm", "pgcrypto")
PLATFORM_READERS = ("web", "worker", "sealer", "reader")


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _database(name: str, owner: str, template: str) -> list[str]:
    create = f'CREATE DATABASE {name} OWNER {owner} TEMPLATE {template} ENCODING "UTF8"'
    return [
        f"SELECT {_literal(create)} WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '{name}') \\gexec",
        f"REVOKE ALL ON DATABASE {name} FROM PUBLIC;",
    ]


def roles(passwords: Mapping[str, str]) -> list[str]:
    """Return the statements for the platform's roles and the departments' own."""
    lines = []
    for role in ROLES:
        if role == "postgres":
            continue
        lines.append(f"SELECT 'CREATE ROLE {role}' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') \\gexec")
        right = "CREATEDB" if role == "migrator" else "NOCREATEDB"
        lines.append(f"ALTER ROLE {role} LOGIN NOSUPERUSER NOCREATEROLE {right} INHERIT PASSWORD {_literal(passwords[role])};")
    return lines


def template() -> list[str]:
    """Return the statements for `template_platform`, the only place that needs a superuser."""
    return [
        *_database("template_platform", "postgres", "template0"),
        "UPDATE pg_database SET datallowconn = true WHERE datname = 'template_platform';",
        "\\connect template_platform",
        *(f"CREATE EXTENSION IF NOT EXISTS {name};" for name in EXTENSIONS),
        "\\connect postgres",
        "UPDATE pg_database SET datistemplate = true, datallowconn = false WHERE datname = 'template_platform';",
    ]


def databases() -> list[str]:
    """Return the statements for the platform's database and the two departments' own."""
    return [
        *_database("platform", "migrator", "template_platform"),
        f"GRANT CONNECT ON DATABASE platform TO {', '.join(PLATFORM_READERS)};",
        *_database("public_security", "ps_owner", "template0"),
        "GRANT CONNECT ON DATABASE public_security TO ps_reader;",
        *_database("district", "district", "template0"),
        "\\connect public_security",
        "GRANT USAGE ON SCHEMA public TO ps_reader;",
        "ALTER DEFAULT PRIVILEGES FOR ROLE ps_owner IN SCHEMA public GRANT SELECT ON TABLES TO ps_reader;",
    ]


def script(passwords: Mapping[str, str]) -> str:
    """Return the whole of it."""
    return "\n".join([*roles(passwords), *template(), *databases()]) + "\n"


def apply(psql: Path | str, host: str, port: int, passwords: Mapping[str, str]) -> None:
    """Run the script as the superuser; the passwords travel on standard input."""
    done = subprocess.run(
        [
            *(str(psql), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", host, "-p", str(port)),
            *("-U", "postgres", "-d", "postgres", "-f", "-"),
        ],
        input=script(passwords),
        env={"PATH": os.environ.get("PATH", ""), "PGPASSWORD": passwords["postgres"]},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise Trouble(f"The databases could not be prepared:\n{done.stderr}")
