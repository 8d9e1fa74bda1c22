"""The PDF of a license: `pdfsig` and our own checker find it valid, and find every kind of change."""

from __future__ import annotations

import io
import re
import subprocess
from datetime import datetime
from pathlib import Path

import pytest
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from core.audit import PLATFORM
from core.errors import Conflict, Invalid
from licenses.models import FileKind, KeyPurpose, License
from licenses.sealing import files, keys, pdf_check
from licenses.sealing.findings import Integrity
from tests.factories import City
from tests.licenses.sealed import LAYOUT, make_license, make_type


@pytest.fixture
def license(city: City, now: datetime) -> License:
    return make_license(make_type(city.market), city.market, now)


def tool(program: str, folder: Path, content: bytes, *arguments: str) -> str:
    (folder / "file.pdf").write_bytes(content)
    told = subprocess.run([program, "file.pdf", *arguments], cwd=folder, capture_output=True, check=False)
    return told.stdout.decode()


def flipped(content: bytes, place: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


def test_pdfsig_finds_the_signature_valid_over_the_whole_file(license: License, now: datetime, tmp_path: Path) -> None:
    told = tool("pdfsig", tmp_path, files.make(license, FileKind.PDF, now=now))
    assert "Signature is Valid." in told
    assert "Total document signed" in told
    assert "ETSI.CAdES.detached" in told
    assert "issuer isn't Trusted" in told, "trust is another question: nobody trusts the root by itself"


def test_pdfsig_finds_a_change_of_one_byte(license: License, now: datetime, tmp_path: Path) -> None:
    content = files.make(license, FileKind.PDF, now=now)
    told = tool("pdfsig", tmp_path, flipped(content, content.index(b"/Title<") + 20))
    assert "Digest Mismatch." in told
    assert "Signature is Valid." not in told


def test_the_text_is_real_text_and_all_its_fonts_are_embedded(license: License, now: datetime, tmp_path: Path) -> None:
    content = files.make(license, FileKind.PDF, now=now)
    text = tool("pdftotext", tmp_path, content, "-layout", "-")
    for words in ("食品经营许可证", "南京玄武示例面馆有限公司", "太平北路 1 号", "2026年01月15日", license.identifier):
        assert words in text, words
    fonts = tool("pdffonts", tmp_path, content).splitlines()[2:]
    assert fonts
    assert all(re.search(r"yes yes yes", line) for line in fonts)
    told = tool("pdfinfo", tmp_path, content)
    assert license.identifier in told
    assert re.search(r"JavaScript:\s+no", told)
    assert license.holders.get().name not in told


def test_rare_characters_come_in_a_font_of_their_own(city: City, now: datetime, tmp_path: Path) -> None:
    license = make_license(make_type(city.market), city.market, now, holder_name="龘䶮㛃饮食店")
    content = files.make(license, FileKind.PDF, now=now)
    assert "龘䶮㛃饮食店" in tool("pdftotext", tmp_path, content, "-layout", "-")
    assert len(tool("pdffonts", tmp_path, content).splitlines()) == 5


def test_a_character_no_font_has_is_refused_by_name(city: City, now: datetime) -> None:
    license = make_license(make_type(city.market), city.market, now, face={"premises": "\U00031350路"})
    with pytest.raises(Invalid) as refusal:
        files.make(license, FileKind.PDF, now=now)
    assert refusal.value.code == "file.unprintable"
    assert "U+31350" in str(refusal.value.details["经营场所"])


def test_a_type_without_layout_has_no_file(city: City, now: datetime) -> None:
    license = make_license(make_type(city.market, layout={}), city.market, now)
    with pytest.raises(Conflict, match=r"file\.no_layout"):
        files.make(license, FileKind.PDF, now=now)


def test_our_own_file_is_found_valid_and_known(license: License, now: datetime) -> None:
    record = files.ensure(license, FileKind.PDF, now=now)
    report = pdf_check.check(files.open_file(record.sha256))
    assert (report.integrity, report.code) == (Integrity.VALID, "file.intact")
    assert (report.identifier, report.registered, report.is_copy) == (license.identifier, True, False)
    assert report.key == record.key


def test_a_change_anywhere_is_found(license: License, now: datetime) -> None:
    content = files.open_file(files.ensure(license, FileKind.PDF, now=now).sha256)
    assert pdf_check.check(content).integrity is Integrity.VALID
    for place in (100, len(content) // 2, content.index(b"/Title<") + 20, len(content) - 40):
        report = pdf_check.check(flipped(content, place))
        assert report.integrity is Integrity.INVALID, place
    signature = content.index(b"/Contents <")
    for place in range(signature + 20, signature + 8_000, 800):  # some of these bytes no signature can cover
        report = pdf_check.check(flipped(content, place))
        assert report.integrity is not Integrity.VALID, place


def test_something_added_after_the_signature_is_found(license: License, now: datetime) -> None:
    content = files.make(license, FileKind.PDF, now=now)
    writer = IncrementalPdfFileWriter(io.BytesIO(content))
    writer.add_object(generic.DictionaryObject({generic.pdf_name("/Note"): generic.TextStringObject("x")}))
    written = io.BytesIO()
    writer.write(written)
    assert pdf_check.check(written.getvalue()).code == "file.appended"
    assert pdf_check.check(content + b"\n%%EOF\n").integrity is Integrity.INVALID


def test_a_script_is_refused_whoever_signed(license: License, now: datetime) -> None:
    content = files.make(license, FileKind.PDF, now=now)
    writer = IncrementalPdfFileWriter(io.BytesIO(content))
    action = generic.DictionaryObject(
        {generic.pdf_name("/S"): generic.pdf_name("/JavaScript"), generic.pdf_name("/JS"): generic.TextStringObject("1")}
    )
    writer.root[generic.pdf_name("/OpenAction")] = writer.add_object(action)
    writer.update_root()
    written = io.BytesIO()
    writer.write(written)
    assert pdf_check.check(written.getvalue()).code == "file.active_content"


def test_a_file_signed_by_somebody_else_is_unknown_not_valid(license: License, now: datetime) -> None:
    content = files.make(license, FileKind.PDF, now=now)
    keys.current(KeyPurpose.FILE).delete()
    report = pdf_check.check(content)
    assert (report.integrity, report.code) == (Integrity.UNKNOWN, "file.foreign")


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "file.not_pdf"),
        (b"\x89PNG\r\n", "file.not_pdf"),
        (b"%PDF-1.7\nnothing", "file.foreign"),
        (b"%PDF-1.7\nxref\n0 1\n0000000000 65535 f \ntrailer\n<</Size 1>>\nstartxref\n9\n%%EOF", "file.foreign"),
        (b"%PDF-1.7\n" + b"0" * (10 * 1024 * 1024), "file.too_large"),
    ],
)
def test_other_files_are_told_apart_without_a_crash(db: None, content: bytes, code: str) -> None:
    assert pdf_check.check(content).code == code


def test_a_file_of_a_compromised_key_counts_only_if_it_is_in_the_register(license: License, now: datetime) -> None:
    kept = files.open_file(files.ensure(license, FileKind.PDF, now=now).sha256)
    forged = files.make(license, FileKind.PDF, now=now)
    keys.rotate(
        KeyPurpose.FILE, actor=PLATFORM, now=datetime.now(tz=now.tzinfo), compromised_at=keys.current(KeyPurpose.FILE).valid_from
    )
    assert pdf_check.check(kept).code == "file.intact"
    assert pdf_check.check(forged).code == "file.key_not_trusted"


def test_the_fonts_of_a_template_are_made_once(city: City, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    version = make_type(city.market, layout=LAYOUT | {"height": 150.0})
    usual = {"holder_name": "南京伟芳有限公司", "face": {"premises": "南京市中山路 1 号"}}
    first, second = (make_license(version, city.market, now, **usual) for _ in range(2))
    files.make(first, FileKind.PDF, now=now)
    monkeypatch.setattr("licenses.sealing.fonts.Face.subset", lambda *_: pytest.fail("a font was made for one license"))
    assert files.make(second, FileKind.PDF, now=now)
