"""Whom a change feed has told of (订阅成员): a row that leaves the granted rows must leave the receiver, too."""

from __future__ import annotations

from django.db import models

from exchange.models.grant import Grant


class FeedMember(models.Model):
    """A row - the subject of a MASTER - handed over under a grant at some time. Never taken away: a feed may be read again."""

    grant = models.ForeignKey(Grant, models.PROTECT, related_name="+")
    row_key = models.BinaryField(max_length=16)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["grant", "row_key"], name="feed_member_once")]
