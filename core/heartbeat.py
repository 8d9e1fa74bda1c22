"""Signs of life (心跳) of the processes nobody can ask over HTTP: a key in the broker's Redis that expires by itself."""

from __future__ import annotations

import logging
import time

import redis
from django.conf import settings

logger = logging.getLogger(__name__)

PROCESSES = ("worker", "copier", "beat")
LASTS_SECONDS = 45
EVERY_SECONDS = 5
PATIENCE_SECONDS = 1.5
_told: dict[str, float] = {}


def tell(process: str) -> None:
    """Leave a sign that this process lives; a Redis that is away is not this process's trouble."""
    now = time.monotonic()
    if now - _told.get(process, -EVERY_SECONDS) < EVERY_SECONDS:
        return
    try:
        with _client() as client:
            client.set(_key(process), "1", ex=LASTS_SECONDS)
    except redis.RedisError as error:
        logger.warning("no sign of life of %s: %s", process, type(error).__name__)
    else:
        _told[process] = now


def lives(process: str) -> bool:
    """Return whether this process told of itself lately; raise RedisError when the broker's Redis is away."""
    with _client() as client:
        return bool(client.exists(_key(process)))


def _client() -> redis.Redis:
    return redis.Redis.from_url(
        settings.CELERY_BROKER_URL, socket_timeout=PATIENCE_SECONDS, socket_connect_timeout=PATIENCE_SECONDS, retry=None
    )


def _key(process: str) -> str:
    return f"platform:lives:{process}"
