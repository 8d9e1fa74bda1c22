"""The fixtures of the hot path."""

from tests.hotpath.scene import db, scene, web_role

__all__ = ["db", "scene", "web_role"]
