"""`pipeline.license`: licenses from their source into the base, judged, kept and fused, against a COPY of what that left."""

from __future__ import annotations

from collections.abc import Iterable

from bench import pipeline

NAME = "pipeline.license"


def run() -> Iterable[dict[str, object]]:
    """Yield the figure."""
    yield from pipeline.measure(NAME, pipeline.source_of(NAME))
