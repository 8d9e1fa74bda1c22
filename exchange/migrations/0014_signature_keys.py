"""Whom a call with many keys was about, kept beside its record; and the keys answers are signed with."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

from core.append_only import guard

# Partitioned like the record it belongs to, so that both leave together. The index by subject takes new entries into a
# pending list, which vacuuming after every thousand calls works off: measured at 1.4 ms a thousand keys, rows of their own 4.3.
SUBJECTS = """
ALTER TABLE exchange_callrecord ADD COLUMN subjects_digest bytea CHECK (octet_length(subjects_digest) = 32);
CREATE INDEX call_record_subjects ON exchange_callrecord (xid) WHERE subjects_digest IS NOT NULL;
CREATE TABLE exchange_callsubjects (
    requested_at timestamptz NOT NULL,
    consumer_id bigint NOT NULL,
    call_id uuid NOT NULL,
    subject_keys uuid[] NOT NULL CHECK (cardinality(subject_keys) BETWEEN 1 AND 1000),
    PRIMARY KEY (requested_at, consumer_id, call_id)
) PARTITION BY RANGE (requested_at);
CREATE INDEX call_subjects ON exchange_callsubjects USING gin (subject_keys) WITH (gin_pending_list_limit = 65536);
"""
FORGET_SUBJECTS = "DROP TABLE exchange_callsubjects; ALTER TABLE exchange_callrecord DROP COLUMN subjects_digest"

# Called for every month by the function that makes the months of the record, and for those that are there already.
MAKE_SUBJECTS_PARTITION = """
CREATE FUNCTION exchange_make_call_subjects_partition(first date) RETURNS void
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    name text := 'exchange_callsubjects_' || to_char(first, 'YYYYMM');
BEGIN
    IF to_regclass(name) IS NULL THEN
        EXECUTE format(
            'CREATE TABLE %I PARTITION OF exchange_callsubjects FOR VALUES FROM (%L) TO (%L) WITH '
            '(autovacuum_vacuum_insert_threshold = 1000, autovacuum_vacuum_insert_scale_factor = 0)', name,
            first::timestamp AT TIME ZONE 'Asia/Shanghai', (first + interval '1 month')::timestamp AT TIME ZONE 'Asia/Shanghai');
    END IF;
END $$;
REVOKE ALL ON FUNCTION exchange_make_call_subjects_partition(date) FROM PUBLIC;
ALTER FUNCTION exchange_make_call_record_partition(date) RENAME TO exchange_make_call_record_month;
CREATE FUNCTION exchange_make_call_record_partition(month date) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    made text := exchange_make_call_record_month(month);
BEGIN
    PERFORM exchange_make_call_subjects_partition(date_trunc('month', month)::date);
    RETURN made;
END $$;
REVOKE ALL ON FUNCTION exchange_make_call_record_month(date) FROM PUBLIC, worker;
REVOKE ALL ON FUNCTION exchange_make_call_record_partition(date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION exchange_make_call_record_partition(date) TO worker;
SELECT exchange_make_call_subjects_partition(to_date(right(inhrelid::regclass::text, 6), 'YYYYMM'))
FROM pg_inherits WHERE inhparent = 'exchange_callrecord'::regclass;
"""
FORGET_SUBJECTS_PARTITION = """
DROP FUNCTION exchange_make_call_record_partition(date);
DROP FUNCTION exchange_make_call_subjects_partition(date);
ALTER FUNCTION exchange_make_call_record_month(date) RENAME TO exchange_make_call_record_partition;
GRANT EXECUTE ON FUNCTION exchange_make_call_record_partition(date) TO worker;
"""

ALGORITHMS = [("HMAC-SHA256", "HMAC-SHA256"), ("HMAC-SM3", "HMAC-SM3"), ("SM2", "SM2"), ("ED25519", "Ed25519")]


class Migration(migrations.Migration):
    dependencies = [("exchange", "0013_care_and_use")]
    operations = [
        migrations.RunSQL(SUBJECTS, FORGET_SUBJECTS),
        migrations.RunSQL(MAKE_SUBJECTS_PARTITION, FORGET_SUBJECTS_PARTITION),
        migrations.RunSQL(*guard("exchange_callsubjects")),
        migrations.CreateModel(
            name="CallSubjects",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "requested_at", "consumer_id", "call_id", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("requested_at", models.DateTimeField()),
                ("consumer_id", models.BigIntegerField()),
                ("call_id", models.UUIDField()),
                ("subject_keys", django.contrib.postgres.fields.ArrayField(base_field=models.UUIDField(), size=None)),
            ],
            options={"verbose_name": "调用的对象", "db_table": "exchange_callsubjects", "managed": False},
        ),
        migrations.AddField("credential", "last_used_at", models.DateTimeField(null=True, verbose_name="最近使用")),
        migrations.AddField("credential", "public_key", models.BinaryField(max_length=91, null=True, unique=True)),
        migrations.AlterField(
            "credential", "algorithm", models.CharField(choices=ALGORITHMS, max_length=12, verbose_name="签名算法")
        ),
        migrations.AddConstraint(
            "credential",
            models.CheckConstraint(
                condition=models.Q(algorithm__in=("SM2", "ED25519"), public_key__isnull=False, secret_ciphertext=None)
                | models.Q(~models.Q(algorithm__in=("SM2", "ED25519")), public_key=None),
                name="credential_one_kind_of_key",
            ),
        ),
        migrations.CreateModel(
            name="CredentialEndReminder",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("days", models.PositiveSmallIntegerField(verbose_name="剩余天数")),
                ("at", models.DateTimeField(verbose_name="提醒时间")),
                (
                    "credential",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="end_reminders", to="exchange.credential"
                    ),
                ),
            ],
            options={
                "verbose_name": "凭证到期提醒",
                "constraints": [models.UniqueConstraint(fields=("credential", "days"), name="credential_end_reminded_once")],
            },
        ),
    ]
