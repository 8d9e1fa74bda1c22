"""The figure `license.issue_pdf`: the sealed file of a license made from its data, its template's fonts made before.

Half the licenses have a character beyond the template's font. The yardstick `pyhanko` signs a ready file of the same size with the
same key, as pyHanko's own example does it: the signer is made once, everything else is its business.
"""

from __future__ import annotations

import io
import os
import time
from collections.abc import Callable, Iterable
from functools import partial

from bench import frame

LICENSES = 40
SECONDS = float(os.environ.get("BENCH_SECONDS", "5"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))


def run() -> Iterable[dict[str, object]]:
    """Yield one line."""
    from django.utils import timezone

    from licenses.models import FileKind, KeyPurpose, License
    from licenses.sealing import files, keys
    from tests import factories
    from tests.licenses.sealed import make_license, make_type

    city, now = factories.make_city(), timezone.now()
    version = make_type(city.market)
    for number in range(LICENSES):
        make_license(version, city.market, now, holder_name=("南京玄武示例面馆有限公司", "南京昶骥饮食店")[number % 2])
    issued = list(License.objects.select_related("type_version").prefetch_related("holders"))
    ready = files.make(issued[0], FileKind.PDF, now=now)
    sign = _signing(keys.current(KeyPurpose.FILE), len(ready))
    work: dict[str, Callable[[int], object]] = {
        "issue": lambda number: files.make(issued[number % LICENSES], FileKind.PDF, now=now),
        "pyhanko": lambda _number: sign(),
    }
    for one in work.values():
        for number in range(4):
            one(number)
    frame.say(f"a file has {len(ready):,} bytes, one signed by pyHanko {len(sign()):,}")
    rates = frame.in_turn({name: partial(_rate, one) for name, one in work.items()}, rounds=ROUNDS)
    yield frame.figure("license.issue_pdf", rates["issue"], "1/s", pyhanko=rates["issue"] / rates["pyhanko"])


def _rate(work: Callable[[int], object]) -> float:
    begin, done = time.perf_counter(), 0
    while time.perf_counter() - begin < SECONDS:
        work(done)
        done += 1
    return done / (time.perf_counter() - begin)


def _signing(key: object, size: int) -> Callable[[], bytes]:
    """Return what signs a ready file of about so many bytes with the same key."""
    from pyhanko.pdf_utils import generic
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.pdf_utils.writer import PageObject, PdfFileWriter
    from pyhanko.sign.fields import SigSeedSubFilter
    from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner
    from pyhanko.stamp import NoOpStampStyle

    from licenses.sealing import pdf_sign

    writer = PdfFileWriter(stream_xrefs=False)
    content = writer.add_object(generic.StreamObject(stream_data=os.urandom(max(size - 17_000, 1_000))))
    writer.insert_page(PageObject(contents=content, media_box=generic.ArrayObject(map(generic.NumberObject, (0, 0, 595, 842)))))
    whole = io.BytesIO()
    writer.write(whole)
    ready = whole.getvalue()
    stated = PdfSignatureMetadata(field_name="Seal", md_algorithm="sha256", subfilter=SigSeedSubFilter.PADES)
    machine = PdfSigner(stated, pdf_sign.signer(key), stamp_style=NoOpStampStyle())  # type: ignore[arg-type]

    def sign() -> bytes:
        return bytes(machine.sign_pdf(IncrementalPdfFileWriter(io.BytesIO(ready))).getbuffer())

    return sign
