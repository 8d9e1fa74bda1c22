"""`pipeline.legal_entity`: legal entities from their files into the base, judged and fused, against a COPY of what that left."""

from __future__ import annotations

from collections.abc import Iterable

from bench import pipeline

NAME = "pipeline.legal_entity"


def run() -> Iterable[dict[str, object]]:
    """Yield the figure."""
    yield from pipeline.measure(NAME, pipeline.source_of(NAME))
