"""The fixtures of map services: rows are committed, calls run in the role of the web process."""

from tests.features.scene import scene
from tests.hotpath.scene import db, web_role

__all__ = ["db", "scene", "web_role"]
