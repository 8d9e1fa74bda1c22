"""The first page after signing in (首页)."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """Search, the base databases, what waits for me."""
    return render(request, "portal/home.html")
