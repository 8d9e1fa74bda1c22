#!/usr/bin/env python3
"""Verify archives of sealed records (存证核验), anywhere: python3 verifier.py --keys seal_keys.pem mlog-*.zip

Needs Python 3.10 or newer and the program `openssl`, nothing of the platform. Names the first entry that is not as it was sealed:
edited, deleted, inserted, reordered. The platform uses the same functions. What is sealed, and how, stands in docs/evidence.md.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import io
import re
import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

VERSION = "exchange-seal 1"
FIELDS = (
    *("node", "chain", "number", "columns", "xid_from", "xid_to", "record_count", "first_at", "last_at"),
    *("records_digest", "previous_digest", "sealed_at", "key"),
)
NONE = "-"
DIGEST_BYTES = 32
RECORDS, DIGESTS, STATEMENT, SIGNATURE = "records.tsv", "record-digests.txt", "seal.txt", "META-INF/signature.der"
MIMETYPE = "application/vnd.etsi.asic-e+zip"
PARTS = ("mimetype", RECORDS, DIGESTS, STATEMENT, SIGNATURE)
LINKING = "linkinginfo"
ALGORITHMS = {"SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}
NAME = re.compile(r"mlog(?:-(?P<grouping>\w+))?-\d{14}-\d{14}-\w+\.zip")
# What zipfile raises for damaged bytes: an altered method or flag reads as "not implemented" or "encrypted".
BROKEN = (zipfile.BadZipFile, zlib.error, ValueError, NotImplementedError, EOFError, RuntimeError)
SM2_CURVE = bytes.fromhex("06082a811ccf5501822d")

Stamps = Callable[[Any], None]  # a statement; raises Tampered when its time stamp is not genuine
Checks = Callable[[str, bytes, bytes], bool]  # key id, message, signature -> whether it is genuine


class Tampered(Exception):
    """The first entry that is not as it was sealed: where it stands and what is wrong with it."""

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(f"{place}: {reason}")
        self.place = place
        self.reason = reason


class Statement(NamedTuple):
    """What a seal says, every value as text in the order of FIELDS."""

    node: str
    chain: str
    number: int
    columns: tuple[str, ...]
    xid_from: int
    xid_to: int
    record_count: int
    first_at: str
    last_at: str
    records_digest: str
    previous_digest: str
    sealed_at: str
    key: str

    def text(self) -> str:
        """Return the statement as it is signed: one `name value` a line."""
        values = [",".join(value) if isinstance(value, tuple) else str(value) for value in self]
        return "\n".join([VERSION, *(f"{name} {value}" for name, value in zip(FIELDS, values, strict=True)), ""])


def read_statement(text: str, place: str) -> Statement:
    """Return what a seal says; anything but the one way of writing it raises Tampered."""
    try:
        lines = dict(line.split(" ", 1) for line in text.splitlines()[1:])
        said: dict[str, Any] = {name: lines[name] for name in FIELDS}
        said |= {name: int(said[name]) for name in ("number", "xid_from", "xid_to", "record_count")}
        statement = Statement(**said | {"columns": tuple(said["columns"].split(","))})
    except (KeyError, ValueError):
        raise Tampered(place, "edited: the seal's statement is malformed") from None
    if statement.text() != text:
        raise Tampered(place, "edited: the seal's statement is malformed")
    return statement


def digest_of(statement: str) -> str:
    """Return the digest by which the next seal names this one."""
    return hashlib.sha256(statement.encode()).hexdigest()


def place_of(statement: Statement) -> str:
    """Return how a seal is called."""
    return f"{statement.chain} seal {statement.number}"


def check_seal(text: str, signature: bytes, is_genuine: Checks, place: str) -> Statement:
    """Return what a genuine seal says."""
    statement = read_statement(text, place)
    if not is_genuine(statement.key, text.encode(), signature):
        raise Tampered(place, f"edited: its signature is not one of the trusted key {statement.key}, or there is no such key")
    return statement


def check_order(statement: Statement, before: str | None) -> None:
    """Insist that a seal follows the one before it; `before` is that one's text, None when it is not at hand."""
    if before is None:
        return
    place, previous = place_of(statement), read_statement(before, "the seal before")
    if statement.number > previous.number + 1:
        raise Tampered(f"{statement.chain} seal {previous.number + 1}", f"deleted: seal {statement.number} stands in its place")
    if statement.number <= previous.number or statement.chain != previous.chain:
        raise Tampered(place, f"reordered: it stands behind {place_of(previous)}")
    if statement.previous_digest != digest_of(before) or statement.xid_from != previous.xid_to:
        raise Tampered(place, f"it does not follow seal {previous.number} as that stands now")


def check_records(statement: Statement, sealed: bytes, found: Sequence[bytes], name_of: Callable[[int], str]) -> None:
    """Compare the digests of records found with those that were sealed; `name_of` names the record at a position."""
    place = place_of(statement)
    if hashlib.sha256(sealed).hexdigest() != statement.records_digest or len(sealed) != statement.record_count * DIGEST_BYTES:
        raise Tampered(place, "edited: its list of record digests is not the one that was signed")
    if b"".join(found) == sealed:
        return
    wanted = [sealed[start : start + DIGEST_BYTES] for start in range(0, len(sealed), DIGEST_BYTES)]
    position = next((n for n, (a, b) in enumerate(zip(wanted, found, strict=False)) if a != b), min(len(wanted), len(found)))
    is_wanted_here = position < len(wanted) and wanted[position] in found
    is_known = position < len(found) and found[position] in wanted
    record = f"{place}, record {position + 1} of {len(wanted)}"
    if is_wanted_here and is_known:
        raise Tampered(f"{record} ({name_of(position)})", "reordered")
    if is_known or position == len(found):
        raise Tampered(record, "deleted")
    if is_wanted_here or position == len(wanted):
        raise Tampered(f"{place}, after record {position} ({name_of(position)})", "inserted")
    raise Tampered(f"{record} ({name_of(position)})", "edited")


def record_name(columns: Sequence[str], line: bytes) -> str:
    """Return how a record is called: its call number or id."""
    values = dict(zip(columns, line.decode(errors="replace").rstrip("\n").split("\t"), strict=False))
    return next((f"{name} {values[name]}" for name in ("call_id", "id") if values.get(name, "\\N") != "\\N"), "unnamed")


def check_container(content: bytes, name: str, is_genuine: Checks, before: str | None) -> str:
    """Check one batch of an archive and return its statement's text."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as container:
            if tuple(container.namelist()) != PARTS or container.read("mimetype").decode() != MIMETYPE:
                raise Tampered(name, "malformed: it does not hold what a sealed batch holds")
            records, digests, text, signature = (container.read(part) for part in PARTS[1:])
            sealed = bytes.fromhex(digests.decode().replace("\n", ""))
            statement = check_seal(text.decode(), signature, is_genuine, name)
    except (*BROKEN, KeyError):
        raise Tampered(name, "malformed: it cannot be read") from None
    check_order(statement, before)
    *whole, rest = records.split(b"\n")
    lines = [line + b"\n" for line in whole] + ([rest] if rest else [])
    found = [hashlib.sha256(line).digest() for line in lines]
    check_records(statement, sealed, found, lambda n: record_name(statement.columns, lines[n]))
    return statement.text()


class Linking(NamedTuple):
    """The text entry that chains the files of an archive, and the archive to the one before."""

    previous_digest: str
    previous_name: str
    algorithm: str
    lines: list[tuple[str, str]]


def link(algorithm: str, before: str, content: bytes) -> str:
    """Return the next digest of the chain: over the hex texts of the one before ("-" is empty) and of the file's own."""
    own = hashlib.new(ALGORITHMS[algorithm], content).hexdigest()
    return hashlib.new(ALGORITHMS[algorithm], ((before if before != NONE else "") + own).encode()).hexdigest()


def read_linking(archive: zipfile.ZipFile, name: str) -> Linking:
    """Return the linking information of an archive; a missing or malformed one raises Tampered."""
    names = archive.namelist()
    if names.count(LINKING) != 1:
        raise Tampered(f"{name}, {LINKING}", "deleted" if LINKING not in names else "inserted")
    text = archive.read(LINKING).decode("utf-8", "replace")
    first, *rest = text.split("\n")
    header = re.fullmatch(r"([0-9a-f]+|-) (\S+) (SHA-(?:256|384|512))", first)
    if header is None or not rest or rest.pop() != "" or (header[1] == NONE) != (header[2] == NONE):
        raise Tampered(f"{name}, {LINKING}", "malformed")
    length = hashlib.new(ALGORITHMS[header[3]]).digest_size * 2
    lines = [re.fullmatch(rf"([0-9a-f]{{{length}}}) (\S+)", line) for line in rest]
    if header[1] != NONE and len(header[1]) != length:
        raise Tampered(f"{name}, {LINKING}, line 1", "malformed")
    for number, line in enumerate(lines, start=2):
        if line is None:
            raise Tampered(f"{name}, {LINKING}, line {number}", "malformed")
    return Linking(header[1], header[2], header[3], [(line[1], line[2]) for line in lines if line is not None])


def linked_entries(archive: zipfile.ZipFile, linking: Linking, name: str) -> Iterator[tuple[str, bytes]]:
    """Yield the entries in chain order, each checked against its line."""
    entries = [entry for entry in archive.infolist() if entry.filename != LINKING]
    names, listed = [entry.filename for entry in entries], [line[1] for line in linking.lines]
    digest = linking.previous_digest
    for position in range(max(len(names), len(listed))):
        here = names[position] if position < len(names) else None
        wanted = listed[position] if position < len(listed) else None
        if here != wanted:
            if wanted is not None and wanted not in names:
                raise Tampered(f"{name}, {wanted}", "deleted")
            if here is not None and here not in listed:
                raise Tampered(f"{name}, {here}", "inserted")
            raise Tampered(f"{name}, {here or wanted}", "reordered")
        try:
            content = archive.read(entries[position])
        except BROKEN:
            raise Tampered(f"{name}, {here}", "edited: it cannot be read") from None
        digest = link(linking.algorithm, digest, content)
        if digest != linking.lines[position][0]:
            raise Tampered(f"{name}, {here}", "edited, or the digest before it is wrong")
        yield str(here), content


class Checked(NamedTuple):
    """What an intact archive leaves for the next one: its name, last digest, last statement; and how much it held."""

    name: str
    last_digest: str
    statement: str
    seal_count: int
    record_count: int


def check_archive(path: Path, is_genuine: Checks, before: Checked | None, stamps: Stamps | None = None) -> Checked:
    """Check an archive and that it follows the one before; the first bad entry raises Tampered."""
    seals = records = 0
    text = before.statement if before else None
    try:
        with zipfile.ZipFile(path) as archive:
            linking = read_linking(archive, path.name)
            if before and (linking.previous_digest, linking.previous_name) != (before.last_digest, before.name):
                raise Tampered(f"{path.name}, {LINKING}, line 1", f"wrong previous digest: it does not follow {before.name}")
            for entry, content in linked_entries(archive, linking, path.name):
                text = check_container(content, f"{path.name}, {entry}", is_genuine, text)
                statement = read_statement(text, entry)
                seals, records = seals + 1, records + statement.record_count
                if stamps:
                    stamps(statement)
    except (OSError, *BROKEN):
        raise Tampered(path.name, "malformed: it is not a readable zip file") from None
    if text is None:
        raise Tampered(path.name, "malformed: it is empty")
    return Checked(path.name, linking.lines[-1][0] if linking.lines else linking.previous_digest, text, seals, records)


def in_groups(paths: Sequence[Path]) -> dict[str, list[Path]]:
    """Return the archives by grouping, each in the order of their names, which is that of time."""
    groups: dict[str, list[Path]] = {}
    for path in sorted(paths, key=lambda path: path.name):
        named = NAME.fullmatch(path.name)
        groups.setdefault((named and named["grouping"]) or "", []).append(path)
    return groups


class OpenSsl:
    """Signatures checked by the program `openssl`; the keys come from a PEM file of public keys."""

    def __init__(self, keys: Path) -> None:
        blocks = re.findall("-----BEGIN PUBLIC KEY-----[^-]+-----END PUBLIC KEY-----", keys.read_text())
        self.keys = {hashlib.sha256(self.der(block)).hexdigest()[:16]: block for block in blocks}

    @staticmethod
    def der(block: str) -> bytes:
        """Return the bytes of a PEM block."""
        return base64.b64decode("".join(block.split("-----")[2].split()))

    def __call__(self, key: str, message: bytes, signature: bytes) -> bool:
        """Return whether the key of this id signed the message."""
        if key not in self.keys:
            return False
        kind = ["-digest", "sm3", "-pkeyopt", "distid:1234567812345678"] if SM2_CURVE in self.der(self.keys[key]) else []
        with tempfile.TemporaryDirectory() as folder:
            for name, content in (("key", self.keys[key].encode() + b"\n"), ("message", message), ("signature", signature)):
                Path(folder, name).write_bytes(content)
            command = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "key", "-rawin", "-in", "message"]
            try:
                told = subprocess.run([*command, "-sigfile", "signature", *kind], cwd=folder, capture_output=True, check=False)  # noqa: S603
            except FileNotFoundError:
                raise SystemExit("the program openssl is needed") from None
        return told.returncode == 0


class TimeStamps:
    """Time stamps of seals (RFC 3161) in a folder, checked by `openssl` against the certificates of the authority."""

    def __init__(self, folder: Path, certificates: Path) -> None:
        self.folder, self.certificates = folder.resolve(), certificates.resolve()
        self.last: dict[str, int] = {}

    def __call__(self, statement: Statement) -> None:
        """Check the stamp of a seal if there is one; it holds for all seals before it, too."""
        stamp = self.folder / f"{statement.chain.lower()}-{statement.number:010d}.tsr"
        if not stamp.exists():
            return
        with tempfile.NamedTemporaryFile() as message:
            message.write(statement.text().encode())
            message.flush()
            command = ["openssl", "ts", "-verify", "-data", message.name, "-in", str(stamp), "-CAfile", str(self.certificates)]
            told = subprocess.run(command, capture_output=True, check=False)  # noqa: S603
        if told.returncode != 0:
            raise Tampered(place_of(statement), "its time stamp is not genuine")
        self.last[statement.chain] = statement.number


class Outcome(NamedTuple):
    """What the verification of a chain, or of a group of archives, found; `bad` is the first bad entry."""

    what: str
    seal_count: int
    record_count: int
    bad: Tampered | None = None

    def __str__(self) -> str:
        counted = f"{self.seal_count} seals, {self.record_count} records"
        return (
            f"{self.what}: FIRST BAD ENTRY {self.bad} (intact before it: {counted})"
            if self.bad
            else f"{self.what}: intact, {counted}"
        )


def check_files(paths: Sequence[Path], is_genuine: Checks, stamps: Stamps | None = None) -> list[Outcome]:
    """Check archive files, grouping by grouping in the order of their names, and the time stamps there are of their seals."""
    outcomes = []
    for grouping, group in in_groups(paths).items():
        before: Checked | None = None
        seals = records = 0
        bad = None
        try:
            for path in group:
                before = check_archive(path, is_genuine, before, stamps)
                seals, records = seals + before.seal_count, records + before.record_count
        except Tampered as found:
            bad = found
        outcomes.append(Outcome(grouping or "archives", seals, records, bad))
    return outcomes


def main(arguments: Sequence[str] | None = None) -> int:
    """Return 0 when every archive is intact, 1 when one is not; one line a grouping."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--keys", type=Path, required=True, help="public keys you trust (PEM); compare their ids with the office's")
    parser.add_argument("--timestamps", type=Path, help="folder with time stamps of seals (RFC 3161)")
    parser.add_argument("--tsa", type=Path, help="certificates you trust the time stamping authority by (PEM)")
    parser.add_argument("archives", type=Path, nargs="+")
    options = parser.parse_args(arguments)
    if bool(options.timestamps) != bool(options.tsa):
        parser.error("--timestamps and --tsa go together: stamps are checked against certificates you trust")
    is_genuine = OpenSsl(options.keys)
    sys.stdout.write(f"trusted keys: {', '.join(is_genuine.keys)}\n")
    stamps = TimeStamps(options.timestamps, options.tsa) if options.timestamps and options.tsa else None
    outcomes = check_files(options.archives, is_genuine, stamps)
    sys.stdout.write("".join(f"{outcome}\n" for outcome in outcomes))
    for chain, number in (stamps.last if stamps else {}).items():
        sys.stdout.write(f"{chain}: time stamps are genuine, the last one is on seal {number}\n")
    if stamps and not stamps.last:
        sys.stdout.write("there is no time stamp of any of these seals\n")
        return 1
    return 1 if any(outcome.bad for outcome in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())
