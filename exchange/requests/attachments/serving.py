"""How a file leaves (下载): always as a download, under its own name and type, never run or shown by a browser."""

from __future__ import annotations

from django.utils.http import content_disposition_header

from exchange.models import Attachment
from exchange.requests.attachments.kinds import CONTENT_TYPES


def headers_of(attachment: Attachment) -> dict[str, str]:
    """Return the headers of the answer that hands a file out."""
    return {
        "Content-Type": CONTENT_TYPES[attachment.kind],
        "Content-Disposition": content_disposition_header(True, attachment.name) or "attachment",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, no-store",
    }
