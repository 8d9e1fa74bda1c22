"""Time stamps of seals (可信时间戳, RFC 3161): an outside authority says that the end of a chain existed then.

A seal names the one before it, so a stamp on the newest proves all earlier ones as well. Stamps are taken after sealing and never
hold it up: an authority that is away is asked again a minute later. Without `TSA_URL` and trusted certificates nothing happens.
"""

from __future__ import annotations

from typing import Any, Final

import urllib3
from cryptography.x509 import Certificate, load_pem_x509_certificates
from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _
from rfc3161_client import TimestampRequestBuilder, VerificationError, VerifierBuilder, decode_timestamp_response
from rfc3161_client.base import HashAlgorithm

from core.errors import Unavailable
from exchange.evidence.verifier import Outcome, Tampered
from exchange.models import Chain, Seal, SealTimestamp

TIMEOUT: Final = urllib3.Timeout(connect=5, read=10)
LARGEST_ANSWER: Final = 65_536
STAMPS_AT_ONCE: Final = 500
STAMP_LAG: Final = """
SELECT coalesce(max(extract(epoch FROM clock_timestamp() - waiting.sealed_at)), 0)::float8
FROM (VALUES ('CALLS'), ('AUDIT')) AS c (chain) CROSS JOIN LATERAL (
    SELECT s.sealed_at FROM exchange_seal s WHERE s.chain = c.chain AND s.number > coalesce((
        SELECT max(p.number) FROM exchange_sealtimestamp t JOIN exchange_seal p ON p.id = t.seal_id WHERE p.chain = c.chain
    ), 0) ORDER BY s.number LIMIT 1
) AS waiting"""


def is_configured() -> bool:
    """Return whether there is an authority and something to trust it by."""
    return bool(settings.TSA_URL and settings.TSA_CERTIFICATES_FILE)


def trusted() -> list[Certificate]:
    """Return the certificates the authority is trusted by."""
    file = settings.TSA_CERTIFICATES_FILE
    return load_pem_x509_certificates(file.read_bytes()) if file else []


def stamp_due() -> int:
    """Have the newest seal of each chain stamped unless it is; return how many were. Unavailable when the authority fails."""
    if not is_configured():
        return 0
    count = 0
    for chain in Chain:
        seal = Seal.objects.filter(chain=chain).order_by("-number").defer("record_digests").first()
        if seal is not None and not SealTimestamp.objects.filter(seal=seal).exists():
            _stamp(seal)
            count += 1
    return count


def _stamp(seal: Seal) -> None:
    statement = seal.statement.encode()
    request = (
        TimestampRequestBuilder()
        .data(statement)
        .hash_algorithm(HashAlgorithm.SHA256)
        .nonce(nonce=True)
        .cert_request(cert_request=True)
        .build()
    )
    token = _asked(request.as_bytes())
    try:
        answer = decode_timestamp_response(token)
        builder = VerifierBuilder.from_request(request)
        for certificate in trusted():
            builder = builder.add_root_certificate(certificate)
        builder.build().verify_message(answer, statement)
    except (VerificationError, ValueError) as error:
        raise Unavailable("evidence.stamp_refused", _("时间戳机构的应答不可信：%(why)s") % {"why": error}) from error
    with transaction.atomic():
        row = SealTimestamp(seal=seal, stamped_at=answer.tst_info.gen_time, token=token)
        SealTimestamp.objects.bulk_create([row], ignore_conflicts=True)  # two workers: the first one's stands


def _asked(request: bytes) -> bytes:
    headers = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}
    try:
        with urllib3.PoolManager(retries=False, timeout=TIMEOUT) as pool:
            answer: Any = pool.request(
                "POST", settings.TSA_URL, body=request, headers=headers, preload_content=False, redirect=False
            )
            token: bytes = answer.read(LARGEST_ANSWER)
    except urllib3.exceptions.HTTPError as error:
        raise Unavailable("evidence.no_stamp", _("时间戳机构没有应答，稍后重试。")) from error
    if answer.status != 200:
        raise Unavailable("evidence.no_stamp", _("时间戳机构没有应答，稍后重试。"), {"status": answer.status})
    return token


def verify_stamps(chain: Chain) -> Outcome:
    """Verify the stamps of a chain over its seals as they stand now; the first bad one is named."""
    what, count = f"{chain.value} time stamps", 0
    builder = VerifierBuilder()
    for certificate in trusted():
        builder = builder.add_root_certificate(certificate)
    verifier = builder.build()
    stamps = SealTimestamp.objects.filter(seal__chain=chain).select_related("seal").defer("seal__record_digests").order_by("pk")
    for stamp in stamps.iterator(chunk_size=STAMPS_AT_ONCE):  # millions in a year
        try:
            verifier.verify_message(decode_timestamp_response(bytes(stamp.token)), stamp.seal.statement.encode())
        except (VerificationError, ValueError):
            return Outcome(what, count, 0, Tampered(f"{chain.value} seal {stamp.seal.number}", "its time stamp is not genuine"))
        count += 1
    return Outcome(what, count, 0)


def stamp_lag(cursor: Any) -> dict[str, float]:
    """Return how long the oldest seal without a stamp, its own or a later one's, has waited; nothing without an authority."""
    if not is_configured():
        return {}
    cursor.execute(STAMP_LAG)
    return {"stamp_lag_seconds": round(cursor.fetchone()[0], 1)}


def file_name(chain: str, number: int) -> str:
    """Return how the stamp of a seal is called beside archives."""
    return f"{chain.lower()}-{number:010d}.tsr"
