"""Settings of `make demo`: plain HTTP on loopback, everything else as in production."""

from settings.base import *  # noqa: F403
from settings.base import INSTALLED_APPS

INSTALLED_APPS += ["demo"]
