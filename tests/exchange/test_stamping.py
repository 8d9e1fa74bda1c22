"""Time stamps of seals: taken after sealing from an authority run by `openssl ts`, verified at once and on machines without us."""

from __future__ import annotations

import io
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from psycopg2.errors import InsufficientPrivilege

from core.audit import PLATFORM
from core.errors import Unavailable
from exchange.evidence import exports, stamping
from exchange.evidence.checking import verify
from exchange.evidence.exports import Chosen
from exchange.models import Chain, Seal, SealTimestamp
from tests import factories
from tests.exchange.sealed import append, seal, sealable, tamper
from tests.house.test_privileges import connected

__all__ = ["sealable"]
pytestmark = pytest.mark.usefixtures("sealable")
CONFIG = """
[req]
distinguished_name = name
prompt = no
[name]
CN = {name}
[ca]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
subjectKeyIdentifier = hash
[tsa]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[stamping]
serial = {folder}/serial
crypto_device = builtin
signer_cert = {folder}/tsa.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
ess_cert_id_alg = sha256
"""


class Authority:
    """Certificates in a folder and a small HTTP server; `mode` says how it behaves."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.mode, self.asked = folder, "good", 0
        folder.mkdir()
        for name in ("ca", "tsa"):
            (folder / f"{name}.cnf").write_text(CONFIG.format(name=name, folder=folder))
        (folder / "serial").write_text("01")
        self.run("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-config", "ca.cnf", "-extensions", "ca",
                 "-keyout", "ca.key", "-out", "ca.pem")  # fmt: skip
        self.run("req", "-newkey", "rsa:2048", "-nodes", "-config", "tsa.cnf", "-keyout", "tsa.key", "-out", "tsa.csr")
        self.run("x509", "-req", "-in", "tsa.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "30",
                 "-extfile", "tsa.cnf", "-extensions", "tsa", "-out", "tsa.pem")  # fmt: skip
        authority = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                query = self.rfile.read(int(self.headers["Content-Length"]))
                status, answer = authority.answer(query)
                self.send_response(status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/"

    def run(self, *arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, capture_output=True)

    def answer(self, query: bytes) -> tuple[int, bytes]:
        self.asked += 1
        if self.mode == "broken":
            return 500, b""
        if self.mode == "babbling":
            return 200, b"certainly"
        if self.mode != "replaying" or not (self.folder / "reply").exists():
            (self.folder / "query").write_bytes(query)
            self.run("ts", "-reply", "-config", "tsa.cnf", "-section", "stamping", "-queryfile", "query", "-out", "reply")
        return 200, (self.folder / "reply").read_bytes()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def authority(tmp_path: Path, settings: Any) -> Iterator[Authority]:
    made = Authority(tmp_path / "authority")
    settings.TSA_URL, settings.TSA_CERTIFICATES_FILE = made.url, made.folder / "ca.pem"
    yield made
    made.close()


def lag() -> float:
    with connection.cursor() as cursor:
        return stamping.stamp_lag(cursor)["stamp_lag_seconds"]


def test_the_newest_seal_is_stamped_and_holds_for_those_before(authority: Authority) -> None:
    append(25)
    made = seal()
    time.sleep(0.1)  # the lag is told in tenths
    assert lag() > 0
    assert stamping.stamp_due() == 1
    assert SealTimestamp.objects.get().seal_id == made[-1].pk
    assert abs((timezone.now() - SealTimestamp.objects.get().stamped_at).total_seconds()) < 10
    assert lag() == 0
    assert stamping.stamp_due() == 0
    assert authority.asked == 1


def test_seals_stand_while_the_authority_is_away_or_talks_nonsense(authority: Authority, settings: Any) -> None:
    append(5)
    seal()
    for mode in ("broken", "babbling"):
        authority.mode = mode
        with pytest.raises(Unavailable):
            stamping.stamp_due()
    settings.TSA_URL = "http://127.0.0.1:9/"
    with pytest.raises(Unavailable):
        stamping.stamp_due()
    assert (Seal.objects.count(), SealTimestamp.objects.count()) == (1, 0)
    settings.TSA_URL, authority.mode = authority.url, "good"
    assert stamping.stamp_due() == 1


def test_an_answer_to_another_question_or_of_another_authority_is_not_kept(
    authority: Authority, settings: Any, tmp_path: Path
) -> None:
    append(5)
    seal()
    stamping.stamp_due()
    append(5)
    seal()
    authority.mode = "replaying"
    with pytest.raises(Unavailable):
        stamping.stamp_due()
    authority.mode = "good"
    stranger = Authority(tmp_path / "stranger")
    settings.TSA_URL = stranger.url
    with pytest.raises(Unavailable):
        stamping.stamp_due()
    stranger.close()
    assert SealTimestamp.objects.count() == 1


def test_stamps_are_verified_here_and_on_a_machine_without_the_platform(authority: Authority, tmp_path: Path) -> None:
    city = factories.make_city()
    append(25)
    seal()
    stamping.stamp_due()
    found = verify(actor=PLATFORM, since=None, until=None, now=timezone.now())
    assert "CALLS time stamps: intact, 1 seals, 0 records" in map(str, found)

    made = exports.export(actor=city.actor("auditor"), chosen=Chosen(chain="CALLS"), now=timezone.now())
    with zipfile.ZipFile(io.BytesIO(made.read())) as export:
        export.extractall(tmp_path / "export")
    folder = tmp_path / "export"
    command = [sys.executable, "-I", "verifier.py", "--keys", "seal_keys.pem", "--timestamps", "timestamps", "--tsa"]
    archives = [path.name for path in folder.glob("mlog-*.zip")]

    def verdict(certificates: Path) -> tuple[int, str]:
        told = subprocess.run([*command, str(certificates), *archives], cwd=folder, capture_output=True, text=True, check=False)
        return told.returncode, told.stdout + told.stderr

    code, text = verdict(authority.folder / "ca.pem")
    assert (code, "CALLS: time stamps are genuine, the last one is on seal 3" in text) == (0, True), text
    alone = [*command[:-1], *archives]
    told = subprocess.run(alone, cwd=folder, capture_output=True, text=True, check=False)
    assert (told.returncode, "--tsa" in told.stderr) == (2, True), "stamps nobody can check are not passed over"
    [stamp] = (folder / "timestamps").iterdir()
    stamp.rename(stamp.with_name("calls-0000000002.tsr"))
    code, text = verdict(authority.folder / "ca.pem")
    assert (code, "CALLS seal 2: its time stamp is not genuine" in text) == (1, True), text
    (folder / "timestamps" / "calls-0000000002.tsr").unlink()
    code, text = verdict(authority.folder / "ca.pem")
    assert (code, "there is no time stamp of any of these seals" in text) == (1, True), text


def test_a_changed_stamp_is_found_out_and_nobody_may_change_one(authority: Authority) -> None:
    append(5)
    seal()
    stamping.stamp_due()
    for role in ("web", "worker", "sealer"):
        for statement in ("UPDATE exchange_sealtimestamp SET stamped_at = now()", "DELETE FROM exchange_sealtimestamp"):
            with connected(role) as cursor, pytest.raises(InsufficientPrivilege):
                cursor.execute(statement)
    token = bytes(SealTimestamp.objects.get().token)
    middle = token.index(b"exchange") if b"exchange" in token else len(token) - 10
    broken = token[:middle] + bytes([token[middle] ^ 1]) + token[middle + 1 :]
    tamper("exchange_sealtimestamp", "UPDATE exchange_sealtimestamp SET token = %s", broken)
    assert "CALLS seal 1: its time stamp is not genuine" in str(stamping.verify_stamps(Chain.CALLS))


def test_without_an_authority_nothing_is_asked(settings: Any) -> None:
    append(1)
    seal()
    assert (stamping.stamp_due(), SealTimestamp.objects.count()) == (0, 0)
    with connection.cursor() as cursor:
        assert stamping.stamp_lag(cursor) == {}
