"""Whether the parts we stand on answer: database, nonce-and-quota Redis, broker Redis. Never slower than three seconds.

Worker and beat are told by their signs of life: without them calls are answered still, and the platform is only degraded.
So it is when records have waited too long for their seal (sensitive calls are then refused), when a disk is nearly full, or when
the certificate that seals license files is about to end.
"""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial
from threading import Lock
from typing import Any

import psycopg2
import redis
from django.conf import settings
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import api_view, authentication_classes, permission_classes
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from core import heartbeat
from exchange.evidence.lag import lags
from exchange.evidence.stamping import stamp_lag
from licenses.models import KeyPurpose
from licenses.sealing.certificates import ends_at

logger = logging.getLogger(__name__)
PATIENCE_SECONDS = 2.5
PART_SECONDS = 2
DISK_FREE_PERCENT = 10
CERTIFICATE_DAYS = 30

Figures = dict[str, float]


def ask_database() -> Figures:
    """Return the sealing lag of each chain and what is told of certificates; raise unless PostgreSQL answers a new connection."""
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
            try:
                sealing = {f"seal_lag_{chain}_seconds": round(seconds, 1) for chain, seconds in lags(cursor).items()}
                return sealing | stamp_lag(cursor) | file_certificate(cursor)
            except psycopg2.errors.UndefinedTable:  # a migration is under way
                return {}
    finally:
        connection.close()


def file_certificate(cursor: Any) -> Figures:
    """Return for how many days the certificate that seals license files is still good, nothing for an office without one."""
    cursor.execute("SELECT certificate FROM licenses_sealkey WHERE purpose = %s AND retired_at IS NULL", [KeyPurpose.FILE.value])
    found = cursor.fetchone()
    return {"file_certificate_days": round((ends_at(found[0]) - timezone.now()).total_seconds() / 86_400, 1)} if found else {}


def ask_redis(url: str) -> Figures:
    """Raise unless this Redis answers; it has no figures."""
    client = redis.Redis.from_url(url, socket_timeout=1.5, socket_connect_timeout=1.5, retry=None)
    try:
        client.ping()
    finally:
        client.close()
    return {}


def ask_for_life(process: str) -> Figures:
    """Raise unless this process told of itself lately."""
    if not heartbeat.lives(process):
        raise TimeoutError(process)
    return {}


def ask_disk() -> Figures:
    """Return how much of the fullest of our disks is free, in percent."""
    places = [place for place in (settings.BULK_DIR, settings.UPLOAD_DIR, settings.ARCHIVE_DIR) if place.exists()]
    usages = [shutil.disk_usage(place) for place in places]
    return {"disk_free_percent": round(min((100 * usage.free / usage.total for usage in usages), default=100.0), 1)}


PARTS: dict[str, Callable[[], Figures]] = {
    "database": ask_database,
    "calls_redis": lambda: ask_redis(settings.CALLS_REDIS_URL),
    "broker_redis": lambda: ask_redis(settings.CELERY_BROKER_URL),
    "disk": ask_disk,
    **{process: partial(ask_for_life, process) for process in heartbeat.PROCESSES},
}

STORES = {"database", "calls_redis", "broker_redis"}  # without one of them nobody is served


class Probes:
    """Asks the parts side by side; a part that still hangs from the last time is down and is not asked twice."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._pool = ThreadPoolExecutor(max_workers=len(PARTS), thread_name_prefix="health")
        self._running: dict[str, Future[Figures]] = {}

    def ask(self) -> tuple[dict[str, str], Figures]:
        """Return part -> "up" or "down", and the figures of those that are up, within the patience."""
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
        up = {name: future.result() for name, future in asked.items() if future.done() and future.exception() is None}
        figures = {name: value for told in up.values() for name, value in told.items()}
        return {name: "up" if name in up else "down" for name in asked}, figures


probes = Probes()


def judged(figures: Figures) -> dict[str, str]:
    """Return the parts that are down by a figure; what has no figure is not judged."""
    lag = max((seconds for name, seconds in figures.items() if name.startswith("seal_lag")), default=0.0)
    parts = {"sealing": "down" if lag > settings.SEAL_LAG_LIMIT_SECONDS else "up"}
    if figures.get("disk_free_percent", 100.0) < DISK_FREE_PERCENT:
        parts["disk"] = "down"
    if "file_certificate_days" in figures:
        parts["file_certificate"] = "down" if figures["file_certificate_days"] < CERTIFICATE_DAYS else "up"
    return parts


class HealthSerializer(serializers.Serializer[dict[str, object]]):
    """What the health address answers."""

    status = serializers.ChoiceField(
        ["up", "degraded", "down"],
        help_text="degraded：可以提供服务，但进程没有心跳、封存滞后过长、磁盘将满或版式文件签章证书将到期",
    )
    parts = serializers.DictField(child=serializers.ChoiceField(["up", "down"]))
    figures = serializers.DictField(
        child=serializers.FloatField(),
        help_text="封存滞后(秒)：最早一条未封存记录已等待的时间；磁盘可用空间(%)；版式文件签章证书剩余天数",
    )
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
    """Answer 200 while the stores answer (`degraded` when another part is down), else 503; the parts say which is down."""
    started = time.monotonic()
    parts, figures = probes.ask()
    parts |= judged(figures)
    missing = [name for name, state in parts.items() if state == "down"]
    if missing:
        logger.warning("parts down: %s", ", ".join(missing))
    is_serving = not set(missing) & STORES
    took_ms = int((time.monotonic() - started) * 1000)
    status = "down" if not is_serving else "degraded" if missing else "up"
    answer = {"status": status, "parts": parts, "figures": figures, "took_ms": took_ms}
    return Response(answer, status=200 if is_serving else 503, headers={"Cache-Control": "no-store"})
