"""Double submits: a form's or a client's token is used once; the second use finds what the first one made."""

from __future__ import annotations

from django.db import models


class Submission(models.Model):
    """A used token. `owner` is the user or system that sent it; `result` is what it made, `digest` the body's SHA-256."""

    owner = models.CharField(max_length=40)
    token = models.CharField(max_length=64)
    digest = models.BinaryField(max_length=32)
    result = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["owner", "token"], name="submission_once")]
