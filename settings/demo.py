"""Settings of `make demo`: plain HTTP on loopback, everything else as in production."""

from settings.base import *  # noqa: F403
