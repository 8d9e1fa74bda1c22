"""Whether the parts we stand on answer: database, nonce-and-quota Redis, broker Redis. Never slower than three seconds."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from threading import Lock

import psycopg2
import redis
from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import api_view, authentication_classes, permission_classes
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

logger = logging.getLogger(__name__)
PATIENCE_SECONDS = 2.5
PART_SECONDS = 2


def ask_database() -> None:
    """Raise unless PostgreSQL answers a new connection."""
    database = settings.DATABASES["default"]
    connection = psycopg2.connect(
        host=database["HOST"],
        port=database["PORT"],
        dbname=database["NAME"],
        user=database["USER"],
        password=database["PASSWORD"],
        connect_timeout=PART_SECONDS,
        options=f"-c statement_timeout={PART_SECONDS * 1000}",
    )
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    finally:
        connection.close()


def ask_redis(url: str) -> None:
    """Raise unless this Redis answers."""
    client = redis.Redis.from_url(url, socket_timeout=1.5, socket_connect_timeout=1.5, retry=None)
    try:
        client.ping()
    finally:
        client.close()


PARTS: dict[str, Callable[[], None]] = {
    "database": ask_database,
    "calls_redis": lambda: ask_redis(settings.CALLS_REDIS_URL),
    "broker_redis": lambda: ask_redis(settings.CELERY_BROKER_URL),
}


class Probes:
    """Asks the parts side by side; a part that still hangs from the last time is down and is not asked twice."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._pool = ThreadPoolExecutor(max_workers=len(PARTS), thread_name_prefix="health")
        self._running: dict[str, Future[None]] = {}

    def ask(self) -> dict[str, str]:
        """Return part -> "up" or "down" within the patience."""
        with self._lock:
            for name, question in PARTS.items():
                if name not in self._running:
                    self._running[name] = self._pool.submit(question)
            asked = dict(self._running)
        wait(asked.values(), timeout=PATIENCE_SECONDS)
        with self._lock:
            for name, future in asked.items():
                if future.done() and self._running.get(name) is future:
                    del self._running[name]
        return {name: "up" if future.done() and future.exception() is None else "down" for name, future in asked.items()}


probes = Probes()


class HealthSerializer(serializers.Serializer[dict[str, object]]):
    """What the health address answers."""

    status = serializers.ChoiceField(["up", "down"])
    parts = serializers.DictField(child=serializers.ChoiceField(["up", "down"]))
    took_ms = serializers.IntegerField()


@extend_schema(
    operation_id="health",
    summary="各部件是否正常",
    responses={200: HealthSerializer, 503: HealthSerializer},
    auth=[],
)
@api_view(["GET"])
@authentication_classes([])
@permission_classes([AllowAny])
def health(request: Request) -> Response:
    """Answer 200 when every part is up, else 503 with the parts that are down."""
    started = time.monotonic()
    parts = probes.ask()
    all_up = all(state == "up" for state in parts.values())
    if not all_up:
        logger.warning("parts down: %s", ", ".join(name for name, state in parts.items() if state == "down"))
    answer = {"status": "up" if all_up else "down", "parts": parts, "took_ms": int((time.monotonic() - started) * 1000)}
    return Response(answer, status=200 if all_up else 503, headers={"Cache-Control": "no-store"})
