"""Archives: X-Road's `linkinginfo` layout entry by entry, the same bytes every time, and every way of tampering named."""

from __future__ import annotations

import hashlib
import io
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from exchange.evidence import archiving, verifier
from exchange.evidence.checking import Trust
from exchange.evidence.verifier import check_files, link
from exchange.models import Archive, Seal
from tests.exchange.sealed import append, keys_file, seal, sealable, tamper

__all__ = ["sealable"]
pytestmark = pytest.mark.usefixtures("sealable")
Entries = list[tuple[str, bytes]]


def entries_of(content: bytes) -> Entries:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return [(name, archive.read(name)) for name in archive.namelist()]


def zipped(entries: Entries) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return buffer.getvalue()


@pytest.fixture
def archives(sealable: None) -> list[Path]:
    """Two archives, of three batches and of two; the last batch has three records."""
    paths = []
    for records in (30, 13):
        append(records)
        seal()
        (name,) = archiving.archive_due(now=timezone.now(), everything=True)
        paths.append(settings.ARCHIVE_DIR / name)
    return paths


def verdict(paths: list[Path]) -> str:
    """Return the first bad entry, "" when there is none; the stand-alone program must say the same."""
    outcomes = check_files(paths, Trust.of_this_platform())
    found = next((str(outcome.bad) for outcome in outcomes if outcome.bad), "")
    lone = keys_file().parent.parent / "cache" / "verify_archive.py"
    lone.parent.mkdir(exist_ok=True)
    shutil.copyfile(verifier.__file__, lone)
    command = [sys.executable, "-I", "-S", str(lone), "--keys", str(keys_file()), *map(str, paths)]
    told = subprocess.run(command, cwd="/", capture_output=True, text=True, check=False, env={"PATH": "/usr/bin:/bin"})
    assert (told.returncode, found in told.stdout) == (1 if found else 0, True), told.stdout + told.stderr
    return found


def test_the_layout_is_as_required_entry_by_entry(archives: list[Path]) -> None:
    previous_digest, previous_name = "-", "-"
    for path in archives:
        names = [name for name, _ in entries_of(path.read_bytes())]
        content = dict(entries_of(path.read_bytes()))
        text = content["linkinginfo"].decode()
        assert text.endswith("\n")
        first, *lines = text[:-1].split("\n")
        assert first == f"{previous_digest} {previous_name} SHA-512"
        assert [line.split(" ")[1] for line in lines] == [name for name in names if name != "linkinginfo"]
        digest = previous_digest.replace("-", "")
        for line in lines:
            told, name = line.split(" ")
            digest = hashlib.sha512((digest + hashlib.sha512(content[name]).hexdigest()).encode()).hexdigest()
            assert told == digest
            assert name.endswith(".asice")
        previous_digest, previous_name = digest, path.name
        assert path.name.startswith("mlog-calls-")
    assert [archive.last_digest for archive in Archive.objects.order_by("number")][-1] == previous_digest
    assert verdict(archives) == ""
    assert verdict(archives[1:]) == ""


def test_a_container_holds_the_records_as_they_were_sealed(archives: list[Path]) -> None:
    name, content = entries_of(archives[0].read_bytes())[0]
    parts = dict(entries_of(content))
    made = Seal.objects.get(number=1)
    assert name == "calls-0000000001.asice"
    assert list(parts) == ["mimetype", "records.tsv", "record-digests.txt", "seal.txt", "META-INF/signature.der"]
    assert parts["seal.txt"].decode() == made.statement
    assert parts["META-INF/signature.der"] == bytes(made.signature)
    with connection.cursor() as cursor:
        cursor.execute("SELECT call_id::text FROM exchange_callrecord ORDER BY xid LIMIT 10")
        assert [line.split("\t")[3] for line in parts["records.tsv"].decode().splitlines()] == [row[0] for row in cursor]


def test_the_same_seals_give_the_same_bytes(archives: list[Path]) -> None:
    buffer = io.BytesIO()
    written = archiving.write(buffer, Seal.objects.filter(number__lte=3).order_by("number"), ("-", "-"))
    assert written.name == archives[0].name
    assert buffer.getvalue() == archives[0].read_bytes()


def test_only_periods_that_ended_are_archived_and_each_seal_once() -> None:
    append(5)
    seal()
    assert archiving.archive_due(now=timezone.now()) == []
    assert len(archiving.archive_due(now=timezone.now() + timedelta(hours=7))) == 1
    assert archiving.archive_due(now=timezone.now() + timedelta(hours=14)) == []


def changed_bit(entries: Entries, place: int) -> Entries:
    name, content = entries[place]
    middle = len(content) // 2
    return [
        *entries[:place],
        (name, content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]),
        *entries[place + 1 :],
    ]


def relinked(entries: Entries, header: str) -> Entries:
    """A tamperer who knows the layout writes the linking information anew."""
    digest, lines = header.split(" ", maxsplit=1)[0], []
    for name, content in entries:
        digest = link("SHA-512", digest, content)
        lines.append(f"{digest} {name}\n")
    return [*entries, ("linkinginfo", (header + "\n" + "".join(lines)).encode())]


def inner(entries: Entries, place: int, part: str, change: Callable[[bytes], bytes]) -> Entries:
    """Change a part of a container."""
    name, content = entries[place]
    parts = [(inside, change(held) if inside == part else held) for inside, held in entries_of(content)]
    return [*entries[:place], (name, zipped(parts)), *entries[place + 1 :]]


def test_tampering_with_entries_is_named(archives: list[Path]) -> None:
    path = archives[0]
    original = path.read_bytes()
    entries = entries_of(original)
    *batches, linking = entries
    changes: list[tuple[Entries, str]] = [
        *((changed_bit(entries, place), f"calls-000000000{place + 1}.asice: edited") for place in range(3)),
        ([batches[0], batches[2], linking], "calls-0000000002.asice: deleted"),
        ([batches[1], batches[0], batches[2], linking], "calls-0000000002.asice: reordered"),
        ([batches[0], ("calls-9.asice", b"more"), *batches[1:], linking], "calls-9.asice: inserted"),
        ([*batches, ("calls-9.asice", b"more"), linking], "calls-9.asice: inserted"),
        (batches, "linkinginfo: deleted"),
    ]
    for changed, place in changes:
        path.write_bytes(zipped(changed))
        assert verdict(archives).startswith(f"{path.name}, {place}")
    for broken in (b"", original[:200], b"not a zip"):
        path.write_bytes(broken)
        assert verdict(archives).startswith(path.name)


def test_malformed_linking_information_is_named(archives: list[Path]) -> None:
    path = archives[0]
    *batches, (_, linking) = entries_of(path.read_bytes())
    text = linking.decode()
    first, *lines = text.splitlines()
    for changed, place in (
        ("", "linkinginfo: malformed"),
        (text[:-1], "linkinginfo: malformed"),
        (text + "\n", "linkinginfo, line 5: malformed"),
        (text.replace("SHA-512", "MD5"), "linkinginfo: malformed"),
        (text.replace("- - ", "- other.zip "), "linkinginfo: malformed"),
        (text.upper(), "linkinginfo, line 2: malformed"),
        (text.replace("calls-0000000002", "calls 0000000002"), "linkinginfo, line 3: malformed"),
        (text.replace(lines[1][:10], "zz"), "linkinginfo, line 3: malformed"),
        (text + f"{'0' * 128} calls-0000000004.asice\n", "calls-0000000004.asice: deleted"),
        ("\n".join([first, lines[1], lines[0], lines[2], ""]), "calls-0000000001.asice: reordered"),
        ("\n".join([first, lines[0], ""]), "calls-0000000002.asice: inserted"),
        (text.replace(lines[1][:128], "0" * 128), "calls-0000000002.asice: edited, or the digest before it is wrong"),
    ):
        path.write_bytes(zipped([*batches, ("linkinginfo", changed.encode())]))
        assert verdict(archives).startswith(f"{path.name}, {place}"), changed


def test_a_wrong_previous_digest_is_named(archives: list[Path]) -> None:
    path = archives[1]
    *batches, (_, linking) = entries_of(path.read_bytes())
    header = linking.decode().splitlines()[0]
    for changed in (f"{'0' * 128} {header.split(' ', 1)[1]}", "- - SHA-512", f"{header[:128]} other.zip SHA-512"):
        path.write_bytes(zipped(relinked(batches, changed)))
        assert verdict(archives).startswith(f"{path.name}, linkinginfo, line 1: wrong previous digest")


def test_what_was_relinked_is_found_inside_the_containers(archives: list[Path]) -> None:
    path = archives[0]
    *batches, (_, linking) = entries_of(path.read_bytes())
    header = linking.decode().splitlines()[0]

    def lines(change: Callable[[list[bytes]], list[bytes]]) -> Callable[[bytes], bytes]:
        return lambda held: b"".join(change(held.splitlines(keepends=True)))

    for part, change, place in (
        (
            "records.tsv",
            lines(lambda held: [held[0], held[1].replace(b"\tname", b"\tbirth").replace(b"{name", b"{other"), *held[2:]]),
            "record 2 of 10",
        ),
        ("records.tsv", lines(lambda held: held[:4] + held[5:]), "record 5 of 10: deleted"),
        ("records.tsv", lines(lambda held: [*held[:4], held[0], *held[4:]]), "record 5 of 10"),
        ("records.tsv", lines(lambda held: [held[1], held[0], *held[2:]]), "record 1 of 10"),
        ("record-digests.txt", lines(lambda held: held[1:]), "list of record digests"),
        ("seal.txt", lambda held: held.replace(b"record_count 10", b"record_count 11"), "signature"),
        ("seal.txt", lambda held: held + b"\n", "malformed"),
        ("META-INF/signature.der", lambda held: held[:-1] + bytes([held[-1] ^ 1]), "signature"),
        ("META-INF/signature.der", lambda held: b"", "signature"),
    ):
        path.write_bytes(zipped(relinked(inner(batches, 1, part, change), header)))
        bad = verdict([path])
        assert place in bad, part
        assert "seal 2" in bad or "calls-0000000002.asice" in bad
    path.write_bytes(zipped(relinked([batches[0], batches[2]], header)))
    assert verdict([path]) == "CALLS seal 2: deleted: seal 3 stands in its place"
    path.write_bytes(zipped(relinked([batches[1], batches[0]], header)))
    assert "reordered" in verdict([path])
    path.write_bytes(zipped(relinked(batches[:2], header)))
    assert verdict(archives).startswith(f"{archives[1].name}, linkinginfo, line 1: wrong previous digest")


def test_the_platform_knows_a_replaced_file_by_its_digest(archives: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    shorter = zipped(
        relinked(
            entries_of(archives[1].read_bytes())[:1], f"{Archive.objects.get(number=1).last_digest} {archives[0].name} SHA-512"
        )
    )
    archives[1].write_bytes(shorter)
    assert verdict(archives) == ""
    with pytest.raises(CommandError):
        call_command("verify_evidence")
    assert f"{archives[1].name}: edited: it is not the file that was written" in capsys.readouterr().out


def test_files_are_verified_by_the_command(archives: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    call_command("verify_evidence", "--archive", *map(str, archives))
    assert "calls: intact, 5 seals, 43 records" in capsys.readouterr().out
    archives[0].write_bytes(zipped(changed_bit(entries_of(archives[0].read_bytes()), 1)))
    with pytest.raises(CommandError):
        call_command("verify_evidence", "--archive", *map(str, archives))


def test_the_lone_verifier_trusts_given_keys_only(archives: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "none.pem").write_text("")
    assert verifier.main(["--keys", str(tmp_path / "none.pem"), *map(str, archives)]) == 1
    assert "there is no such key" in capsys.readouterr().out
    assert verifier.main(["--keys", str(keys_file()), *map(str, archives)]) == 0


def test_an_interrupted_archiving_is_made_again(archives: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any) -> Any:
        raise OSError("no space left")

    append(3)
    seal()
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", interrupted)
        with pytest.raises(OSError, match="no space"):
            archiving.archive_due(now=timezone.now(), everything=True)
    assert Archive.objects.count() == 2
    assert len(archiving.archive_due(now=timezone.now(), everything=True)) == 1
    assert verdict(sorted(settings.ARCHIVE_DIR.glob("*.zip"))) == ""
    tamper("exchange_archive", "UPDATE exchange_archive SET last_seal = 99 WHERE number = 3")
    with pytest.raises(CommandError):
        call_command("verify_evidence")
