"""Files for the tests of attachments, made on the spot: well-behaved ones and ones that are refused."""

from __future__ import annotations

import zlib
from io import BytesIO
from zipfile import ZipFile

EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-" + b"STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
PDF = (
    b"%PDF-1.7\n1 0 obj <</Type /Catalog /Pages 2 0 R>> endobj\n"
    b"2 0 obj <</Type /Pages /Kids [] /Count 0>> endobj\ntrailer <</Root 1 0 R>>\n%%EOF\n"
)
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 40
JPG = b"\xff\xd8\xff\xe0" + b"\x00" * 40


def package(*names: str, types: str = "<Types/>") -> bytes:
    """Return a zip with these members."""
    out = BytesIO()
    with ZipFile(out, "w") as file:
        file.writestr("[Content_Types].xml", types)
        for name in names:
            file.writestr(name, "x")
    return out.getvalue()


def pdf_with(inner: bytes) -> bytes:
    """Return a PDF with one more object."""
    return PDF.replace(b"trailer", b"3 0 obj " + inner + b" endobj\ntrailer")


def pdf_packed(inner: bytes, head: bytes = b"/Type /ObjStm /N 1 /First 4 /Filter /FlateDecode") -> bytes:
    """Return a PDF whose object lies in a compressed object stream."""
    packed = zlib.compress(b"4 0 " + inner)
    return pdf_with(b"<<" + head + b" /Length %d>>\nstream\n" % len(packed) + packed + b"\nendstream")


DOCX = package("word/document.xml")
XLSX = package("xl/workbook.xml", "xl/printerSettings/printerSettings1.bin")
OFD = package("OFD.xml", "Doc_0/Document.xml")

MACRO_TYPES = '<Override ContentType="application/vnd.ms-excel.sheet.macroEnabled.main+xml"/>'

TAKEN: list[tuple[str, bytes, str]] = [
    ("方案.pdf", PDF, "pdf"),
    ("对象流.pdf", pdf_packed(b"<</Type /Page>>"), "pdf"),
    ("批文.ofd", OFD, "ofd"),
    ("说明.docx", DOCX, "docx"),
    ("清单.XLSX", XLSX, "xlsx"),
    ("图.png", PNG, "png"),
    ("照片.jpeg", JPG, "jpg"),
    ("说明.txt", "使用说明\r\n第一行".encode(), "txt"),
    ("旧.txt", "使用说明".encode("gb18030"), "txt"),
    ("表.csv", b"a,b\n1,2\n", "csv"),
]
REFUSED: dict[str, tuple[str, bytes]] = {
    "no extension": ("readme", b"text"),
    "an archive": ("a.zip", package("a.txt")),
    "an archive called a document": ("a.docx", package("a.txt")),
    "html": ("a.html", b"<html></html>"),
    "html called text": ("a.txt", b"\n <!DOCTYPE html><script>1</script>"),
    "svg called text": ("a.txt", b"<svg onload=alert(1)>"),
    "svg": ("a.svg", b"<svg/>"),
    "a program called an image": ("a.png", b"MZ\x90\x00" + b"\x00" * 50),
    "an image called a document": ("a.pdf", PNG),
    "a document called a sheet": ("a.xlsx", DOCX),
    "nothing": ("a.txt", b""),
    "text with controls": ("a.txt", b"a\x00b"),
    "script in a pdf": ("a.pdf", pdf_with(b"<</S /JavaScript /JS (app.alert(1))>>")),
    "escaped script in a pdf": ("a.pdf", pdf_with(b"<</S /J#61va#53cript /JS (1)>>")),
    "launch in a pdf": ("a.pdf", pdf_with(b"<</S/Launch/F(cmd.exe)>>")),
    "a file in a pdf": ("a.pdf", pdf_with(b"<</Type/EmbeddedFile>>")),
    "packed script in a pdf": ("a.pdf", pdf_packed(b"<</S /JavaScript>>")),
    "packed script behind a decoy": ("a.pdf", pdf_packed(b"<</S/JavaScript>>", b"/Type /ObjStm /Filter/FlateDecode /xobj 1")),
    "packed script without a type": ("a.pdf", pdf_packed(b"<</S/JavaScript>>", b"/N 1 /First 4 /Filter [/FlateDecode]")),
    "objects packed another way": ("a.pdf", pdf_packed(b"<<>>", b"/Type /ObjStm /Filter [/FlateDecode /FlateDecode]")),
    "an encrypted pdf": ("a.pdf", PDF.replace(b"/Root", b"/Encrypt 9 0 R /Root")),
    "a bomb in a pdf": ("a.pdf", pdf_packed(b"0" * (65 * 1024 * 1024))),
    "macros in a document": ("a.docx", package("word/document.xml", "word/vbaProject.bin")),
    "macros in a sheet": ("a.xlsx", package("xl/workbook.xml", types=MACRO_TYPES)),
    "old macros in a sheet": ("a.xlsx", package("xl/workbook.xml", "xl/macrosheets/sheet1.xml")),
    "an object in a document": ("a.docx", package("word/document.xml", "word/embeddings/oleObject1.bin")),
    "a broken package": ("a.docx", DOCX[:60]),
}  # fmt: skip


def find_eicar(content: bytes) -> str:
    """A scanner that knows one threat."""
    return "EICAR" if EICAR in content else ""


def fail(content: bytes) -> str:
    """A scanner that is away."""
    raise ConnectionError("away")
