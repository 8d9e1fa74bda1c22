"""The door for Prometheus (监控指标): text format, for whoever shows the token, or the machine itself where there is no token.

Beside the versioned interface, at the path every collector expects. What is told stands in `exchange.statistics.metrics`.
"""

from __future__ import annotations

import hmac
from ipaddress import ip_address

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from exchange.statistics.metrics import Collector

HOPS = ("X-Forwarded-For", "X-Real-IP", "Forwarded", "Via")  # what proxies leave behind


@login_not_required
@require_GET
def metrics(request: HttpRequest) -> HttpResponse:
    """Return the metrics of this moment; 401 for anybody else."""
    if not _may_read(request):
        answer = HttpResponse("a token is needed\n", status=401, content_type="text/plain")
        answer["WWW-Authenticate"] = "Bearer"
        return answer
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Collector(timezone.now()))
    answer = HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_PLAIN_0_0_4)
    answer["Cache-Control"] = "no-store"
    return answer


def _may_read(request: HttpRequest) -> bool:
    """Whether the token is right; where none is kept, whether the request comes from this machine and through no proxy."""
    path = settings.METRICS_TOKEN_FILE
    if path.is_file() and (token := path.read_text().strip()):
        shown = request.headers.get("Authorization", "")
        return hmac.compare_digest(shown.encode(), f"Bearer {token}".encode())
    if any(hop in request.headers for hop in HOPS):
        return False
    try:
        return ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False
