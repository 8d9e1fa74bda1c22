"""What binds an answer to its question (应答绑定): the request hash, Base64 SHA-512(SHA-512(headers) + SHA-512(body)), as X-Road
defines it, over the header lines every call has. The platform never keeps it: whoever has question and answer makes it anew.
"""

from __future__ import annotations

import base64
from hashlib import sha512


class Binding:
    """One question as it came. Its body counts once it has been found to be the one that was signed; until then it is empty."""

    __slots__ = ("_headers", "body", "grant_uid")

    def __init__(self, headers: str, grant_uid: str) -> None:
        self._headers = headers.encode()
        self.grant_uid = grant_uid
        self.body = b""

    def request_hash(self) -> str:
        """Return the hash of the question."""
        both = sha512(self._headers).digest() + sha512(self.body).digest()
        return base64.b64encode(sha512(both).digest()).decode()
