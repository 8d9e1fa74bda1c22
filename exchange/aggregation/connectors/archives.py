"""Packed files (压缩包检查): what is inside is looked at before anything of it is unpacked.

Sizes are limited by what really comes out, not by what the directory of the archive claims; names that lead out of the folder,
links and encrypted members are refused.
"""

from __future__ import annotations

import stat
import zlib
from pathlib import Path, PurePosixPath
from typing import IO
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, LargeZipFile, ZipFile, ZipInfo

from django.utils.translation import gettext as _

from exchange.aggregation.connectors.drops import refused

MOST_UNPACKED = 1 << 30
MOST_RATIO = 200
SMALL = 16 << 20  # below it no ratio is suspicious
MOST_MEMBERS = 1_000
_CHUNK = 1 << 20
_METHODS = (ZIP_STORED, ZIP_DEFLATED)  # of others the library unpacks whole blocks at once, however large


def check_archive(file: IO[bytes], *, most: int = MOST_UNPACKED) -> list[ZipInfo]:
    """Return the members of a zip that is safe to unpack; anything else is refused."""
    try:
        with ZipFile(file) as archive:
            members = archive.infolist()
            if len(members) > MOST_MEMBERS:
                raise refused("zip_bomb", _("压缩包内文件过多，疑似恶意压缩包，未解压。"))
            _check_names(members)
            _check_sizes(archive, members, most)
    except (BadZipFile, LargeZipFile, NotImplementedError, EOFError, zlib.error, OSError, RuntimeError, ValueError):
        raise refused("zip_broken", _("压缩包已损坏或已加密，无法打开。")) from None
    finally:
        file.seek(0)
    return members


def _check_names(members: list[ZipInfo]) -> None:
    for member in members:
        path = PurePosixPath(member.filename.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or ":" in member.filename:
            raise refused("zip_path", _("压缩包内的文件名指向包外，疑似恶意压缩包，未解压。"))
        if stat.S_ISLNK(member.external_attr >> 16):
            raise refused("zip_link", _("压缩包内含有链接，不能归集。"))
        if member.compress_type not in _METHODS:
            raise refused("zip_method", _("压缩包使用了不受理的压缩方式，请用普通方式（Deflate）重新压缩。"))
        if member.flag_bits & 1:
            raise refused("zip_broken", _("压缩包已损坏或已加密，无法打开。"))


def _check_sizes(archive: ZipFile, members: list[ZipInfo], most: int) -> None:
    """Count what comes out, member by member, and stop as soon as it is too much."""
    packed = max(1, sum(member.compress_size for member in members))
    limit = min(most, max(SMALL, packed * MOST_RATIO))
    if sum(member.file_size for member in members) > limit:
        raise _bomb(most)
    total = 0
    for member in members:
        with archive.open(member) as content:
            while chunk := content.read(_CHUNK):
                total += len(chunk)
                if total > limit:
                    raise _bomb(most)


def _bomb(most: int) -> Exception:
    said = _("压缩包解开后超过 %(most)s MB 或压缩比异常，疑似压缩炸弹，未解压。")
    return refused("zip_bomb", said % {"most": most >> 20})


def unpack(file: IO[bytes], members: dict[str, ZipInfo], folder: Path) -> None:
    """Write checked members under names of our own into a folder."""
    with ZipFile(file) as archive:
        for name, member in members.items():
            with archive.open(member) as content, (folder / name).open("wb") as target:
                while chunk := content.read(_CHUNK):
                    target.write(chunk)
