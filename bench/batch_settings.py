"""The demo's settings without the limit of questions about one person: a measurement asks about the same ones all the time."""

from settings.demo import *  # noqa: F403

CALL_QUESTIONS_PER_SUBJECT_PER_DAY = 1_000_000_000
