"""The committed description of the door for systems is the one the code gives: `make schema` writes it."""

from __future__ import annotations

from pathlib import Path

from django.core.management import call_command
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiYamlRenderer

from ops.places import ROOT


def test_committed_description_matches_the_code(db: None) -> None:
    told = SchemaGenerator().get_schema(request=None, public=True)
    text = OpenApiYamlRenderer().render(told, renderer_context={}).decode()
    assert (ROOT / "docs" / "openapi.yaml").read_text() == text, "run `make schema`"


def test_the_description_is_made_without_warnings(db: None, tmp_path: Path) -> None:
    call_command("spectacular", file=str(tmp_path / "openapi.yaml"), validate=True, fail_on_warn=True)
