"""Emptying the database after a test with transactions of its own: what holds rows is deleted, nothing else is touched.

Django's flush truncates every table and lays every privilege down again, which takes seconds with as many tables as these.
"""

from __future__ import annotations

from typing import Any

from django.db import connection, transaction

from tests import factories

KEPT = ("django_migrations", "django_content_type", "auth_permission")
_FULL = """
    SELECT c.oid::regclass::text, EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal)
    FROM pg_class c
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND pg_relation_size(c.oid) > 0
    AND pg_get_userbyid(c.relowner) = current_user AND NOT c.relname = ANY (%s)
    ORDER BY 1"""


def empty_tables(*_: Any) -> None:
    """Delete every row, those of append-only tables too, and bring back what migrations had put there."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_FULL, [list(KEPT)])
        full = cursor.fetchall()
        guarded = [table for table, is_guarded in full if is_guarded]
        for table in guarded:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        for table, _is_guarded in full:
            cursor.execute(f"DELETE FROM {table}")
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in guarded:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        factories.restore_shipped()
