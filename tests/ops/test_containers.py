"""docker-compose.yml and the Dockerfile, as far as they can be judged without an engine."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from core.signing import SigningKey, public_keys
from ops import cluster, container, keyring, processes
from ops.places import ROOT

RUN_DIR = Path("/var/lib/platform")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return read


def test_the_platform_s_processes_are_all_there(compose: dict[str, Any]) -> None:
    assert set(compose["services"]) == {
        *("postgis", "redis-broker", "redis-calls", "database", "migrate", "license-keys", "web", "worker", "copier", "beat"),
    }


@pytest.mark.parametrize("name", ["web", "worker", "copier", "beat", "migrate"])
def test_a_container_runs_the_same_command_as_the_supervisor(compose: dict[str, Any], name: str) -> None:
    assert compose["services"][name]["command"] == [name, *processes.commands(RUN_DIR)[name]]


def test_every_service_has_a_health_check_or_runs_once(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        assert ("healthcheck" in service) != (service["restart"] == "no"), name


def test_every_secret_is_a_file_that_is_made_and_used(compose: dict[str, Any], tmp_path: Path) -> None:
    container.make_secrets(tmp_path / "secrets")
    made = {path.name for path in (tmp_path / "secrets").iterdir()}
    assert set(compose["secrets"]) == made
    used = {secret for service in compose["services"].values() for secret in service.get("secrets", ())}
    assert used == made
    assert all(set(entry) == {"file"} for entry in compose["secrets"].values())
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700


def test_no_variable_or_file_holds_a_secret_itself(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        for variable, value in (service.get("environment") or {}).items():
            if re.search("PASSWORD|SECRET|KEY|TOKEN|URL", variable):
                assert str(value).startswith("/run/secrets/"), variable
    dockerfile = (ROOT / "ops" / "Dockerfile").read_text()
    assert not re.search(r"(PASSWORD|SECRET_KEY|TOKEN)\s*=", dockerfile)
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert {"secrets", "platform.env", ".run", ".git"} <= set(ignored)


def test_the_image_does_not_run_as_root() -> None:
    lines = (ROOT / "ops" / "Dockerfile").read_text().splitlines()
    users = [line.split()[1] for line in lines if line.startswith("USER ")]
    assert users
    assert users[-1] not in ("root", "0")


def test_the_database_s_log_is_as_quiet_as_the_demo_s(compose: dict[str, Any]) -> None:
    command = compose["services"]["postgis"]["command"]
    assert {f"{name}={value}" for name, value in cluster.QUIET.items()} <= set(command)


def test_a_container_s_process_gets_its_role_and_reads_its_secrets(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    container.make_secrets(folder)
    told = container.variables("beat", folder, {"DB_HOST": "postgis"})
    assert told["DB_USER"] == "worker"
    assert told["DB_PASSWORD"] == (folder / "db_worker").read_text()
    assert told["CALLS_REDIS_URL"].endswith("@redis-calls:6379/0")
    assert "KEY_FILE" not in told
    told = container.variables("worker", folder, {})
    assert set(json.loads(Path(told["KEY_FILE"]).read_text())) == {"current", "keys", "pepper"}


def test_only_the_worker_may_seal_and_its_keys_are_private(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compose: dict[str, Any]
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    folder = tmp_path / "secrets"
    container.make_secrets(folder)
    for name in ("web", "beat", "migrate"):
        assert not {"SEALER_PASSWORD", "SIGNING_KEY_FILE"} & container.variables(name, folder, {}).keys()
        assert not {"signing_key", "db_sealer"} & set(compose["services"][name]["secrets"])
    told = container.with_private_keys(container.variables("worker", folder, {}))
    for variable in ("KEY_FILE", "SIGNING_KEY_FILE"):
        assert Path(told[variable]).stat().st_mode & 0o777 == 0o600
    assert SigningKey.load(Path(told["SIGNING_KEY_FILE"])).public.id in public_keys(Path(told["SEAL_KEYS_FILE"]))


def test_a_new_signing_key_stands_beside_those_of_the_past(tmp_path: Path) -> None:
    keyring.prepare_signing(tmp_path, "signing.pem", "seal_keys.pem")
    keyring.prepare_signing(tmp_path, "signing.pem", "seal_keys.pem")
    first = public_keys(tmp_path / "seal_keys.pem")
    assert list(first) == [SigningKey.load(tmp_path / "signing.pem").public.id]
    (tmp_path / "signing.pem").unlink()
    keyring.prepare_signing(tmp_path, "signing.pem", "seal_keys.pem")
    assert len(public_keys(tmp_path / "seal_keys.pem").keys() - first.keys()) == 1


def test_each_role_of_the_cluster_has_a_secret(compose: dict[str, Any]) -> None:
    assert {f"db_{role}" for role in keyring.ROLES} <= set(compose["secrets"])
