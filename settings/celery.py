"""The Celery application: named queues, late acknowledgement, a static timetable.

The truth is rows: a queue may lose everything, the timetable dispatches due rows again.
"""

import gc
import logging
import os
from logging.config import dictConfig
from typing import Any

from celery import Celery
from celery.schedules import crontab
from celery.signals import beat_init, before_task_publish, heartbeat_sent, setup_logging, worker_before_create_process
from django.conf import settings

from core import heartbeat

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings.demo")
# Django's checks import every route and with them the whole web application; setting up has run them already.
os.environ.setdefault("CELERY_SKIP_CHECKS", "1")

app = Celery("platform")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.update(
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
    task_serializer="json",
    accept_content=["json"],
    task_ignore_result=True,
    task_time_limit=3600,
    task_default_queue="default",
    task_routes={"exchange.write_bulk_job": {"queue": "bulk"}},  # long copies never stand before sealing and delivery
    broker_connection_retry_on_startup=True,
    broker_transport_options={"visibility_timeout": 3700},
    timezone="Asia/Shanghai",
    beat_schedule={
        "dispatch-aggregation": {"task": "exchange.dispatch_aggregation", "schedule": 10.0, "options": {"expires": 30}},
        "check-batches": {"task": "exchange.check_batches", "schedule": 30.0, "options": {"expires": 60}},
        "dispatch-quality": {"task": "basedb.dispatch_quality", "schedule": 10.0, "options": {"expires": 30}},
        "dispatch-thematic": {"task": "basedb.dispatch_thematic", "schedule": 30.0, "options": {"expires": 60}},
        "measure-zones": {
            "task": "exchange.measure_zones",
            "schedule": crontab(hour=4, minute=50),
            "options": {"expires": 3600},
        },
        "measure-licenses": {
            "task": "exchange.measure_licenses",
            "schedule": crontab(hour=5, minute=20),
            "options": {"expires": 3600},
        },
        "measure-matters": {"task": "exchange.measure_matters", "schedule": 600.0, "options": {"expires": 590}},
        "forget-matter-answers": {"task": "exchange.forget_matter_answers", "schedule": 60.0, "options": {"expires": 50}},
        "sweep-license-files": {
            "task": "licenses.sweep_files",
            "schedule": crontab(hour=3, minute=20),
            "options": {"expires": 3600},
        },
        "count-divisions": {
            "task": "basedb.count_divisions",
            "schedule": crontab(hour=3, minute=40),
            "options": {"expires": 3600},
        },
        "check-all-quality": {
            "task": "basedb.check_all_quality",
            "schedule": crontab(hour=1, minute=10),
            "options": {"expires": 3600},
        },
        "verify-entities": {
            "task": "exchange.verify_entities",
            "schedule": crontab(hour=1, minute=40),
            "options": {"expires": 3600},
        },
        "refresh-lineage": {"task": "exchange.refresh_lineage", "schedule": 300.0, "options": {"expires": 290}},
        "dispatch-backflow": {"task": "exchange.dispatch_backflow", "schedule": 10.0, "options": {"expires": 30}},
        "dispatch-bulk-jobs": {"task": "exchange.dispatch_bulk_jobs", "schedule": 5.0, "options": {"expires": 30}},
        "make-partitions": {"task": "exchange.make_partitions", "schedule": 6 * 3600.0, "options": {"expires": 600}},
        "refresh-national-sessions": {
            "task": "exchange.refresh_national_sessions",
            "schedule": 120.0,
            "options": {"expires": 110},
        },
        "relay-upward": {"task": "exchange.relay_upward", "schedule": 300.0, "options": {"expires": 290}},
        "apply-fusion": {"task": "basedb.apply_fusion", "schedule": 10.0, "options": {"expires": 30}},
        "apply-matching": {"task": "basedb.apply_matching", "schedule": 10.0, "options": {"expires": 30}},
        "match-records": {
            "task": "basedb.match_records",
            "schedule": crontab(hour=2, minute=50),
            "options": {"expires": 3600},
        },
        "remind-of-conflicts": {
            "task": "basedb.remind_of_conflicts",
            "schedule": crontab(hour=8, minute=40),
            "options": {"expires": 3600},
        },
        "seal-records": {"task": "exchange.seal_records", "schedule": 20.0, "options": {"expires": 40}},
        "stamp-seals": {"task": "exchange.stamp_seals", "schedule": 60.0, "options": {"expires": 50}},
        "fold-calls": {"task": "exchange.fold_calls", "schedule": 5.0, "options": {"expires": 10}},
        "drop-expired-statistics": {
            "task": "exchange.drop_expired_statistics",
            "schedule": crontab(hour=3, minute=10),
            "options": {"expires": 3600},
        },
        "archive-seals": {"task": "exchange.archive_seals", "schedule": 600.0, "options": {"expires": 600}},
        "retire-records": {
            "task": "exchange.retire_records",
            "schedule": crontab(day_of_month=2, hour=4, minute=10),
            "options": {"expires": 3600},
        },
        "verify-evidence": {
            "task": "exchange.verify_evidence",
            "schedule": crontab(hour=2, minute=30),
            "options": {"expires": 3600},
        },
        "remind-of-ends": {
            "task": "exchange.remind_of_ends",
            "schedule": crontab(hour=8, minute=30),
            "options": {"expires": 3600},
        },
        "sweep-attachments": {
            "task": "exchange.sweep_attachments",
            "schedule": crontab(hour=3, minute=10),
            "options": {"expires": 3600},
        },
        "take-down-credit": {
            "task": "basedb.take_down_credit",
            "schedule": crontab(minute=1),
            "options": {"expires": 3000},
        },
        "dispatch-issuing": {"task": "licenses.dispatch_issuing", "schedule": 10.0, "options": {"expires": 30}},
        "sign-licenses": {"task": "licenses.sign_pending", "schedule": 60.0, "options": {"expires": 50}},
        "deliver-licenses": {"task": "licenses.deliver", "schedule": 10.0, "options": {"expires": 30}},
        "remind-of-expiry": {
            "task": "licenses.remind_of_expiry",
            "schedule": crontab(hour=8, minute=20),
            "options": {"expires": 3600},
        },
        "review-licenses": {
            "task": "basedb.review_licenses",
            "schedule": crontab(hour=5, minute=20),
            "options": {"expires": 3600},
        },
        "publish-status-lists": {"task": "licenses.publish_status_lists", "schedule": 180.0, "options": {"expires": 170}},
        "exchange-with-license-nodes": {"task": "licenses.exchange_with_nodes", "schedule": 30.0, "options": {"expires": 30}},
        "fetch-node-status-lists": {"task": "licenses.fetch_status_lists", "schedule": 3600.0, "options": {"expires": 3000}},
        "compare-license-nodes": {
            "task": "licenses.compare_nodes",
            "schedule": crontab(hour=5, minute=40),
            "options": {"expires": 3600},
        },
        "remind-of-missing-licenses": {
            "task": "licenses.remind_of_missing",
            "schedule": 600.0,
            "options": {"expires": 600},
        },
        "look-out": {"task": "exchange.look_out", "schedule": 60.0, "options": {"expires": 60}},
        "open-disposals": {"task": "exchange.open_disposals", "schedule": 600.0, "options": {"expires": 600}},
        "remind-of-usage-records": {
            "task": "exchange.remind_of_usage_records",
            "schedule": crontab(hour=9, minute=10),
            "options": {"expires": 3600},
        },
        "close-ended": {"task": "exchange.close_ended", "schedule": 3600.0, "options": {"expires": 3600}},
        "remind-overdue": {"task": "exchange.remind_overdue", "schedule": 600.0, "options": {"expires": 600}},
        "daily-digest": {
            "task": "exchange.requests.daily_digest",
            "schedule": crontab(hour=8, minute="30-59/10"),
            "options": {"expires": 600},
        },
    },
)
app.autodiscover_tasks()


@setup_logging.connect
def log_like_the_others(loglevel: int, **_: Any) -> None:
    """Keep Celery from making handlers of its own: ours leave out what database errors quote."""
    dictConfig(settings.LOGGING)
    logging.getLogger().setLevel(loglevel)


@worker_before_create_process.connect
def keep_what_is_loaded(**_: Any) -> None:
    """Spare children the look through all that was imported: it neither goes away nor has to be copied for each of them."""
    gc.freeze()


@heartbeat_sent.connect
def worker_lives(sender: Any = None, **_: Any) -> None:
    """Tell of the worker, however long its tasks take: its main process beats every two seconds."""
    node = str(getattr(getattr(sender, "eventer", None), "hostname", ""))
    heartbeat.tell("copier" if node.startswith("copier@") else "worker")


@beat_init.connect
def timetable_begins(**_: Any) -> None:
    """Tell of the timetable from its start and with every task it sends out, the next within ten seconds."""
    heartbeat.tell("beat")
    before_task_publish.connect(timetable_lives)


def timetable_lives(**_: Any) -> None:
    """Tell of the timetable."""
    heartbeat.tell("beat")
