"""The fixtures of the hot path."""

from tests.hotpath.scene import db, scene, web_role
from tests.hotpath.windows import listed, window

__all__ = ["db", "listed", "scene", "web_role", "window"]
