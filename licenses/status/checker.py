#!/usr/bin/env python3
"""Check licenses without a network (离线核验): python3 checker.py --keys status_keys.pem --list issued.json CODE

CODE is the text of a license's QR code. Needs Python 3.10 or newer and the program `openssl`, nothing of the platform, which uses
the same functions. It says how old the list is: what happened to a license since then it cannot know. The code itself is not
signed; that a file is genuine is said by the signature of the file. The form of the list stands in docs/licenses.md.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import gzip
import hashlib
import json
import re
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlencode, urlsplit

FORM = "license-status-list/1"
BITS = 4
LEAST = 131_072  # entries: a position among fewer would say too much of who asks
LARGEST = 1 << 28
LEVEL = 6  # of gzip: the highest takes ten times as long for a twentieth less
UNASSIGNED, VALID, SUSPENDED, RESCINDED, CANCELLED, LAPSED, MOVED_AWAY, REVOKED, SUPERSEDED, OTHER = 0, 1, 2, 3, 4, 5, 6, 7, 8, 15
CODES: Mapping[int, str] = {
    UNASSIGNED: "unassigned",
    VALID: "valid",
    SUSPENDED: "suspended",
    RESCINDED: "rescinded",
    CANCELLED: "cancelled",
    LAPSED: "lapsed",
    MOVED_AWAY: "moved_away",
    REVOKED: "revoked",
    SUPERSEDED: "superseded",
    OTHER: "other",
}
WORDS = {
    "unassigned": "没有这件证照",
    "valid": "有效",
    "suspended": "暂扣",
    "rescinded": "撤销",
    "cancelled": "注销",
    "lapsed": "失效（含有效期已过）",
    "moved_away": "办理转出",
    "revoked": "吊销",
    "superseded": "已有新版本，此版本不再使用",
    "other": "其他（不能按有效使用）",
}
LIST_OF_CODES = "issued"  # what a position in a QR code counts in
SIGNED = ("list", "number", "status_size", "length", "built_at", "valid_until", "digest", "key")
ROOT = "1.2.156.3005.2."
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
SHANGHAI = timezone(timedelta(hours=8))
FRESH_MINUTES = 24 * 60

Checks = Callable[[str, bytes, bytes], bool]  # key, message, signature -> whether it is genuine


class NotGenuine(Exception):
    """A list that cannot be believed."""


class Code(NamedTuple):
    """What a QR code says: the identifier, and where the license stands in the list "issued"."""

    identifier: str
    position: int | None
    valid_to: str  # YYYYMMDD, "" without an end


class StatusList(NamedTuple):
    """A list that was read: what its statement says, and the bit string."""

    said: Mapping[str, Any]
    bits: bytes

    def state_at(self, position: int) -> str:
        """Return the state at a position; beyond the end nothing was issued."""
        return CODES.get(entry(self.bits, position), "other")

    def age_minutes(self, now: datetime) -> int:
        """Return how long ago the list was built."""
        return int((now - datetime.fromisoformat(self.said["built_at"])).total_seconds() // 60)


def entry(bits: bytes, position: int) -> int:
    """Return one entry; the first of two stands in the higher half of its byte."""
    if not 0 <= position < 2 * len(bits):
        return UNASSIGNED
    pair = bits[position // 2]
    return pair & 15 if position % 2 else pair >> 4


def packed(entries: Mapping[int, int], length: int) -> bytes:
    """Return the bit string of entries by their positions, padded to a whole number of `LEAST`."""
    bits = bytearray(padded(length) // 2)
    for position, code in entries.items():
        bits[position // 2] |= code if position % 2 else code << 4
    return bytes(bits)


def padded(length: int) -> int:
    """Return how many entries a list of so many positions has."""
    return max(-(-length // LEAST), 1) * LEAST


def encoded(bits: bytes) -> str:
    """Return the bit string as published: gzip, then base64url without padding, marked with "u"."""
    return "u" + base64.urlsafe_b64encode(gzip.compress(bits, LEVEL, mtime=0)).decode().rstrip("=")


def decoded(text: str, length: int) -> bytes:
    """Return the bit string of a published list; never more than it says it has."""
    if not 0 < length <= LARGEST or length % 2:
        raise NotGenuine("the length of the list is not one a list can have")
    try:
        packed_bits = base64.urlsafe_b64decode(text[1:] + "=" * (-len(text[1:]) % 4))
        inflating = zlib.decompressobj(31)
        bits = inflating.decompress(packed_bits, length // 2 + 1)
    except (binascii.Error, zlib.error, ValueError):
        raise NotGenuine("the list cannot be decompressed") from None
    if not text.startswith("u") or len(bits) != length // 2 or not inflating.eof:
        raise NotGenuine("the list is not as long as it says")
    return bits


def statement(said: Mapping[str, Any]) -> bytes:
    """Return what is signed: the form, then one `name value` a line."""
    return "\n".join([FORM, *(f"{name} {said[name]}" for name in SIGNED), ""]).encode()


def read_list(content: bytes, is_genuine: Checks) -> StatusList:
    """Return a published list; NotGenuine when it is not whole, altered, or of a key nobody trusts."""
    try:
        said = json.loads(content)
        is_text = isinstance(said["encoded_list"], str)
        if said["format"] != FORM or said["status_size"] != BITS or not is_text or any("\n" in str(said[n]) for n in SIGNED):
            raise NotGenuine("this is not a status list of a known form")
        text, length, message = said["encoded_list"], int(said["length"]), statement(said)
        signature = base64.b64decode(said["signature"], validate=True)
        datetime.fromisoformat(said["built_at"])
    except (ValueError, KeyError, TypeError, binascii.Error):
        raise NotGenuine("this is not a status list of a known form") from None
    if not is_genuine(str(said["key"]), message, signature):
        raise NotGenuine(f"its signature is not one of the trusted key {said['key']}, or there is no such key")
    bits = decoded(text, length)
    if hashlib.sha256(bits).hexdigest() != said["digest"]:
        raise NotGenuine("its content is not what was signed")
    return StatusList(said, bits)


def code_text(site: str, identifier: str, position: int, valid_to: date | None) -> str:
    """Return the text of a license's QR code: the address of the verification page, understood by checkers without a network."""
    end = f"{valid_to:%Y%m%d}" if valid_to else ""
    return f"{site.rstrip('/')}/verify/?{urlencode({'id': identifier, 'p': position, 'to': end})}"


def read_code(text: str) -> Code:
    """Read the text of a QR code, or an identifier alone; whatever is missing is empty."""
    text = text.strip()
    if "?" not in text:
        return Code(text.upper(), None, "")
    try:
        given = {name: values[0] for name, values in parse_qs(urlsplit(text).query, max_num_fields=20).items()}
    except ValueError:
        given = {}
    position, end = given.get("p", ""), given.get("to", "")
    return Code(
        given.get("id", "").strip().upper(),
        int(position) if re.fullmatch("[0-9]{1,12}", position) else None,
        end if re.fullmatch("[0-9]{8}", end) else "",
    )


def check_ok(identifier: str) -> bool:
    """Tell whether root, number of parts and check character (ISO 7064 MOD 37,36) of an identifier are right."""
    if not identifier.startswith(ROOT) or identifier.count(".") != ROOT.count(".") + 4:
        return False
    total = 18
    for character in "".join(identifier[len(ROOT) :].split(".")):
        if character not in ALPHABET:
            return False
        total = ((total or 36) * 2 % 37 + ALPHABET.index(character)) % 36
    return total == 1


class OpenSsl:
    """Checks signatures with `openssl` against the public keys of a PEM file; a key is named by the SHA-256 of its bytes."""

    def __init__(self, keys: Path) -> None:
        blocks = re.findall("-----BEGIN PUBLIC KEY-----[^-]+-----END PUBLIC KEY-----", keys.read_text())
        self.keys = {hashlib.sha256(base64.b64decode("".join(b.split("-----")[2].split()))).hexdigest()[:16]: b for b in blocks}

    def __call__(self, key: str, message: bytes, signature: bytes) -> bool:
        """Return whether the key of this name signed the message."""
        block = self.keys.get(key.rpartition("-")[2])
        if block is None:
            return False
        with tempfile.TemporaryDirectory() as folder:
            for name, content in (("key", block.encode() + b"\n"), ("message", message), ("signature", signature)):
                Path(folder, name).write_bytes(content)
            command = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "key", "-rawin", "-in", "message"]
            kind = ["-sigfile", "signature", "-digest", "sm3", "-pkeyopt", "distid:1234567812345678"]
            try:
                told = subprocess.run([*command, *kind], cwd=folder, capture_output=True, check=False)  # noqa: S603
            except FileNotFoundError:
                raise SystemExit("the program openssl is needed") from None
        return told.returncode == 0


def lines_of(code: Code, found: StatusList, now: datetime) -> tuple[list[str], int]:
    """Return what is told of a license, and 0 valid, 1 not valid, 2 not known from a list as old as this one."""
    said = found.said
    age = found.age_minutes(now)
    is_stale = now > datetime.fromisoformat(said["valid_until"]) or age > FRESH_MINUTES or age < 0
    lines = [
        f"状态清单：{said['list']} 第 {said['number']} 期，生成于 {said['built_at']}，距今 {age // 60} 小时 {age % 60} 分。",
        "清单已过期，结果仅供参考，请联网更新清单后再核验。" if is_stale else "清单生成之后发生的变动，离线核验无法得知。",
    ]
    if not check_ok(code.identifier):
        return [*lines, "证照标识：校验位不符，证照可能是伪造的，或标识抄录有误。"], 1
    lines.append(f"证照标识：{code.identifier}，校验位正确。")
    if code.position is None:
        return [*lines, "二维码中没有清单位置，不能离线核验状态，请联网核验。"], 2
    if said["list"] != LIST_OF_CODES:
        return [*lines, "二维码中的位置属于 issued 清单，请下载 issued 清单后再核验。"], 2
    state = found.state_at(code.position)
    if state == "valid" and code.valid_to and code.valid_to < now.astimezone(SHANGHAI).strftime("%Y%m%d"):
        state = "lapsed"
    lines.append(f"状态：{WORDS[state]}（{state}）。")
    lines.append("二维码本身没有签名：文件是否被改动，须核验文件的签名。")
    if state != "valid":
        return lines, 1
    return lines, 2 if is_stale else 0


def main(arguments: Sequence[str] | None = None, *, now: datetime | None = None) -> int:
    """Return 0 for a valid license, 1 for one that is not, 2 when that cannot be told, 3 for a list that is not genuine."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--keys", type=Path, required=True, help="public keys you trust (PEM); compare their ids with the office's")
    parser.add_argument("--list", type=Path, required=True, help="the status list, as downloaded")
    parser.add_argument("code", help="the text of the QR code")
    options = parser.parse_args(arguments)
    try:
        found = read_list(options.list.read_bytes(), OpenSsl(options.keys))
    except NotGenuine as error:
        sys.stdout.write(f"状态清单不可信，没有核验：{error}\n")
        return 3
    lines, status = lines_of(read_code(options.code), found, now or datetime.now(tz=SHANGHAI))
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    return status


if __name__ == "__main__":
    sys.exit(main())
