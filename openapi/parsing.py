"""Reading a JSON body: one that nests too deeply to be read is malformed like any other that cannot be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any

from rest_framework import exceptions, parsers


class BoundedJSONParser(parsers.JSONParser):
    """REST framework's parser; too deep a body is the caller's fault, not a defect of ours."""

    def parse(self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        """Return the parsed body."""
        try:
            return super().parse(stream, media_type, parser_context)
        except RecursionError as error:
            raise exceptions.ParseError from error
