"""The composition root. The Celery application is loaded with it, so that every process sends tasks to the same broker."""

from settings.celery import app as celery_app

__all__ = ["celery_app"]
