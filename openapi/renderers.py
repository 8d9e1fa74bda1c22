"""How descriptions are written: JSON in UTF-8 and says so, or YAML, by `Accept` or `?format=`."""

from __future__ import annotations

from typing import Any

import yaml
from rest_framework.renderers import BaseRenderer, JSONRenderer


class Json(JSONRenderer):
    """JSON that names its character set."""

    charset = "utf-8"


class JsonLd(JSONRenderer):
    """JSON-LD, which is always UTF-8 and names no character set."""

    media_type = "application/ld+json"
    format = "jsonld"


class Yaml(BaseRenderer):
    """YAML in the order of the document."""

    media_type = "application/yaml"
    format = "yaml"
    charset = "utf-8"

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        """Write a document of plain values."""
        return yaml.safe_dump(data, allow_unicode=True, sort_keys=False, default_flow_style=False).encode()


class TextYaml(Yaml):
    """The same under its older name."""

    media_type = "text/yaml"
    format = "text-yaml"
