"""Following a call: whom it was about, in which seal it stands; months that leave the record; outside time stamps of seals."""

import django.db.models.deletion
from django.db import migrations, models

import core.models.shared
from core.append_only import guard

# A Bloom filter for every 64 pages: two or three bytes a record where a tree would take thirty, and next to nothing to do for a
# call, since vacuuming summarizes the pages. Looking for a person reads these summaries and the few pages that may hold them.
SUBJECT = """
CREATE INDEX call_record_subject ON exchange_callrecord USING brin (
    subject_key bytea_bloom_ops(n_distinct_per_range = 1400, false_positive_rate = 0.001)
) WITH (pages_per_range = 64, autosummarize = on);
CREATE SCHEMA retired;
GRANT USAGE ON SCHEMA retired TO web, worker, reader;
"""
FORGET_SUBJECT = "DROP INDEX call_record_subject; DROP SCHEMA retired CASCADE"

# SECURITY DEFINER: the worker takes a month out without owning the table. Six months are what the Cybersecurity Law
# (art. 21) wants kept of logs, and they are checked here whatever the settings say; so is that archives hold every record.
# A short lock_timeout: calls wait behind whoever waits for the table.
RETIRE = """
CREATE FUNCTION exchange_retire_call_month(month date) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET lock_timeout = '2s' AS $$
DECLARE
    first date := date_trunc('month', month)::date;
    suffix text := to_char(first, 'YYYYMM');
    records text := 'exchange_callrecord_' || suffix;
    part text;
    counted bigint;
    lowest xid8;
    highest xid8;
BEGIN
    IF (first + interval '1 month')::timestamp AT TIME ZONE 'Asia/Shanghai' > now() - interval '6 months' THEN
        RAISE EXCEPTION 'records are kept at hand for six months: %', first USING ERRCODE = 'check_violation';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('exchange_callrecord'));
    IF NOT EXISTS (
        SELECT FROM pg_inherits WHERE inhparent = 'exchange_callrecord'::regclass AND inhrelid = to_regclass(records)
    ) THEN
        RAISE EXCEPTION 'no such month: %', first USING ERRCODE = 'undefined_table';
    END IF;
    EXECUTE format('SELECT count(*) FROM %I', records) INTO counted;
    EXECUTE format('SELECT xid FROM %I ORDER BY xid LIMIT 1', records) INTO lowest;
    EXECUTE format('SELECT xid FROM %I ORDER BY xid DESC LIMIT 1', records) INTO highest;
    IF highest >= coalesce(exchange_calls_archived_to(), '0'::xid8) THEN
        RAISE EXCEPTION 'not archived yet: %', first USING ERRCODE = 'check_violation';
    END IF;
    FOREACH part IN ARRAY ARRAY['exchange_callrecord', 'exchange_callsubjects'] LOOP
        IF to_regclass(part || '_' || suffix) IS NOT NULL THEN
            EXECUTE format('ALTER TABLE %I DETACH PARTITION %I', part, part || '_' || suffix);
            EXECUTE format('ALTER TABLE %I SET SCHEMA retired', part || '_' || suffix);
            EXECUTE format('CREATE TRIGGER retired_append_only BEFORE UPDATE OR DELETE ON retired.%I '
                'FOR EACH ROW EXECUTE FUNCTION core_refuse_change()', part || '_' || suffix);
            EXECUTE format('GRANT SELECT ON retired.%I TO web, worker, reader', part || '_' || suffix);
        END IF;
    END LOOP;
    INSERT INTO exchange_retiredmonth (month, record_count, xid_first, xid_last, retired_at)
    VALUES (first, counted, lowest, highest, clock_timestamp());
    RETURN counted;
END $$;
CREATE FUNCTION exchange_calls_archived_to() RETURNS xid8
LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    SELECT s.xid_to FROM exchange_archive a JOIN exchange_seal s ON s.chain = a.chain AND s.number = a.last_seal
    WHERE a.chain = 'CALLS' ORDER BY a.number DESC LIMIT 1
$$;
REVOKE ALL ON FUNCTION exchange_retire_call_month(date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION exchange_retire_call_month(date) TO worker;
"""

# Nobody but the owner drops. Three years: Order 809 art. 29, Regulation on Network Data Security Management art. 12.
DROP = """
CREATE FUNCTION exchange_drop_retired_month(first date) RETURNS void
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    suffix text := to_char(first, 'YYYYMM');
BEGIN
    IF (first + interval '1 month')::timestamp AT TIME ZONE 'Asia/Shanghai' > now() - interval '3 years' THEN
        RAISE EXCEPTION 'records are kept for three years: %', first USING ERRCODE = 'check_violation';
    END IF;
    UPDATE exchange_retiredmonth r SET dropped_at = clock_timestamp()
    WHERE r.month = first AND dropped_at IS NULL AND (xid_last IS NULL OR xid_last < exchange_calls_archived_to());
    IF NOT FOUND THEN
        RAISE EXCEPTION 'not a retired, archived month: %', first USING ERRCODE = 'undefined_table';
    END IF;
    EXECUTE format('DROP TABLE retired.%I', 'exchange_callrecord_' || suffix);
    EXECUTE format('DROP TABLE IF EXISTS retired.%I', 'exchange_callsubjects_' || suffix);
END $$;
REVOKE ALL ON FUNCTION exchange_drop_retired_month(date) FROM PUBLIC;
"""


class Migration(migrations.Migration):
    dependencies = [("exchange", "0016_sources_and_upstream")]
    operations = [
        migrations.AddIndex("seal", models.Index(fields=["chain", "xid_to"], name="seal_xid")),
        migrations.CreateModel(
            name="SealTimestamp",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("stamped_at", models.DateTimeField(verbose_name="时间戳时间")),
                ("token", models.BinaryField()),
                (
                    "seal",
                    models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name="timestamp", to="exchange.seal"),
                ),
            ],
            options={"verbose_name": "可信时间戳"},
        ),
        migrations.CreateModel(
            name="RetiredMonth",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("month", models.DateField(unique=True, verbose_name="月份")),
                ("record_count", models.BigIntegerField(verbose_name="记录数")),
                ("xid_first", core.models.shared.XidField(null=True)),
                ("xid_last", core.models.shared.XidField(null=True)),
                ("retired_at", models.DateTimeField(verbose_name="转存时间")),
                ("dropped_at", models.DateTimeField(null=True, verbose_name="销毁时间")),
            ],
            options={"verbose_name": "转存月份"},
        ),
        migrations.RunSQL(*guard("exchange_sealtimestamp")),
        migrations.RunSQL(SUBJECT, FORGET_SUBJECT),
        migrations.RunSQL(RETIRE, "DROP FUNCTION exchange_retire_call_month(date), exchange_calls_archived_to()"),
        migrations.RunSQL(DROP, "DROP FUNCTION exchange_drop_retired_month(date)"),
    ]
