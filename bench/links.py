"""Kept connections of a client (长连接): one request at a time on each, and only answers that arrived whole."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Self

LARGEST_LINE = 65_536


@dataclass(frozen=True)
class Answer:
    """A whole answer; names of headers are in small letters."""

    status: int
    headers: dict[str, str]
    body: bytes


class Link:
    """One connection that is kept open; `ask` raises OSError or EOFError when the answer does not arrive whole."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def open(cls, host: str, port: int) -> Self:
        return cls(*await asyncio.open_connection(host, port, limit=LARGEST_LINE))

    async def ask(self, request: bytes) -> Answer:
        """Send one request and read the answer."""
        self._writer.write(request)
        await self._writer.drain()
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode()
        first, *lines = head.rstrip().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        if headers.get("transfer-encoding", "") == "chunked":
            body = await self._chunks()
        else:
            body = await self._reader.readexactly(int(headers.get("content-length", "0")))
        return Answer(int(first.split(" ", 2)[1]), headers, body)

    async def _chunks(self) -> bytes:
        chunks = []
        while size := int((await self._reader.readuntil(b"\r\n")).split(b";")[0], 16):
            chunks.append(await self._reader.readexactly(size))
            await self._reader.readexactly(2)
        await self._reader.readuntil(b"\r\n")
        return b"".join(chunks)

    def close(self) -> None:
        """Drop the connection."""
        self._writer.close()
