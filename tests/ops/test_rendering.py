"""What is written for PostgreSQL, Redis and the supervisor."""

import configparser
import json
from pathlib import Path
from typing import cast

import pytest

from ops import bootstrap, cluster, keyring, memory, processes
from ops.places import Places
from ops.supervision import render

PORTS = {"web": 8000, "postgres": 20001, "broker": 20002, "calls": 20003, "supervisor": 20004}


@pytest.fixture
def places(tmp_path: Path) -> Places:
    made = Places(run=tmp_path / "100% run", stack=tmp_path / "100% run" / "a stack")
    made.prepare()
    keyring.prepare(made.secrets)
    return made


def test_postgres_listens_on_the_loopback_alone_and_keeps_what_it_commits() -> None:
    lines = cluster.settings(20001, "256MB").splitlines()
    assert "listen_addresses = '127.0.0.1'" in lines
    assert "unix_socket_directories = ''" in lines
    assert "fsync = on" in lines
    assert "synchronous_commit = on" in lines


def test_the_log_of_postgres_holds_no_statements_parameters_or_details() -> None:
    lines = cluster.settings(20001, "256MB").splitlines()
    for line in ("log_statement = none", "log_min_messages = log", "log_error_verbosity = terse"):
        assert line in lines


def test_postgres_lets_nobody_in_without_a_password() -> None:
    rules = [line for line in cluster.ACCESS_RULES.splitlines() if not line.startswith("#")]
    assert rules == ["host all all 127.0.0.1/32 scram-sha-256"]


def test_redis_evicts_nothing_and_asks_for_a_password() -> None:
    text = memory.settings(Path("/x"), 20003, "word")
    assert "maxmemory-policy noeviction\n" in text
    assert "requirepass word\n" in text
    assert "bind 127.0.0.1\n" in text


def test_the_supervisor_keeps_every_process_and_holds_no_secret_of_theirs(places: Places) -> None:
    text = render(places, 20004, "door")
    parsed = configparser.RawConfigParser()
    parsed.read_string(text)
    for name in (*processes.STORES, *processes.APPLICATION):
        assert parsed[f"program:{name}"]["autorestart"] == "true"
    for word in keyring.passwords(places.secrets).values():
        assert word not in text


def test_a_percent_sign_in_the_path_is_escaped_for_the_supervisor(places: Places) -> None:
    assert "100% run" not in render(places, 20004, "door").replace("100%% run", "")


@pytest.mark.parametrize(("name", "role"), [("web", "web"), ("worker", "worker"), ("copier", "worker"), ("beat", "worker")])
def test_each_process_connects_as_its_own_role(places: Places, name: str, role: str) -> None:
    orders = processes.application(places, processes.Setting("settings.demo", PORTS))
    variables = orders[name]["env"]
    assert isinstance(variables, dict)
    assert variables["DB_USER"] == role
    assert variables["DB_PASSWORD"] == keyring.passwords(places.secrets)[role]
    assert keyring.passwords(places.secrets)["migrator"] not in json.dumps(orders)


def test_no_process_is_given_what_another_needs(places: Places) -> None:
    orders = processes.application(places, processes.Setting("settings.demo", PORTS))
    words = keyring.passwords(places.secrets)
    assert not any(name.startswith("DEMO_") for order in orders.values() for name in cast("dict[str, str]", order["env"]))
    assert not [role for role in ("ps_owner", "ps_reader", "district", "postgres") if words[role] in json.dumps(orders)]
    holders = {name for name, order in orders.items() if "KEY_FILE" in cast("dict[str, str]", order["env"])}
    assert holders == {"web", "worker", "copier"}


def test_secrets_are_made_once_and_closed_to_others(places: Places) -> None:
    before = keyring.passwords(places.secrets)
    keyring.prepare(places.secrets)
    assert keyring.passwords(places.secrets) == before
    assert {path.stat().st_mode & 0o777 for path in places.secrets.iterdir()} == {0o600}
    keys = json.loads((places.secrets / "keys.json").read_text())
    assert set(keys) == {"current", "keys", "pepper"}


def test_only_the_migrator_may_make_databases_and_nobody_is_superuser() -> None:
    lines = bootstrap.roles(dict.fromkeys(keyring.ROLES, "it's"))
    alter = [line for line in lines if line.startswith("ALTER ROLE")]
    assert [line.split()[2] for line in alter if " CREATEDB " in line] == ["migrator"]
    assert all(" NOSUPERUSER " in line for line in alter)
    assert all(line.endswith("PASSWORD 'it''s';") for line in alter)
