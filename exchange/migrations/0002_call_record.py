"""The call record: range partitions by month of the signed request time, Shanghai boundaries, no default partition.

Also the staging schema of aggregation (unlogged, disposable, owned by nobody but the worker's tables in it).
"""

from django.db import migrations

from core.append_only import guard

TABLE = """
CREATE TABLE exchange_callrecord (
    requested_at timestamptz NOT NULL,
    consumer_id bigint NOT NULL,
    call_id uuid NOT NULL,
    parent_call_id uuid,
    credential_id bigint NOT NULL,
    nonce varchar(64),
    grant_id bigint,
    grant_version integer,
    resource_id bigint,
    provider_id bigint,
    department_id bigint NOT NULL,
    mode varchar(10) NOT NULL,
    outcome varchar(40) NOT NULL,
    fields varchar(40)[],
    subject_key bytea CHECK (octet_length(subject_key) = 16),
    row_count bigint,
    request_digest bytea CHECK (octet_length(request_digest) = 32),
    answer_digest bytea CHECK (octet_length(answer_digest) = 32),
    client_ip inet,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    PRIMARY KEY (requested_at, consumer_id, call_id)
) PARTITION BY RANGE (requested_at);
CREATE UNIQUE INDEX call_record_no_replay ON exchange_callrecord (requested_at, credential_id, nonce)
    WHERE outcome IN ('call.answered', 'call.opened');
CREATE INDEX call_record_grant ON exchange_callrecord (grant_id, requested_at);
CREATE INDEX call_record_provider ON exchange_callrecord (provider_id, requested_at);
"""

# SECURITY DEFINER: the worker adds months without owning the table. It can add partitions near today and nothing else.
MAKE_PARTITION = """
CREATE FUNCTION exchange_make_call_record_partition(month date) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    first date := date_trunc('month', month)::date;
    name text := 'exchange_callrecord_' || to_char(first, 'YYYYMM');
BEGIN
    IF first NOT BETWEEN current_date - 400 AND current_date + 400 THEN
        RAISE EXCEPTION 'month out of range: %', first;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('exchange_callrecord'));
    IF to_regclass(name) IS NULL THEN
        EXECUTE format(
            'CREATE TABLE %I PARTITION OF exchange_callrecord FOR VALUES FROM (%L) TO (%L)', name,
            first::timestamp AT TIME ZONE 'Asia/Shanghai', (first + interval '1 month')::timestamp AT TIME ZONE 'Asia/Shanghai');
    END IF;
    RETURN name;
END $$;
REVOKE ALL ON FUNCTION exchange_make_call_record_partition(date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION exchange_make_call_record_partition(date) TO worker;
SELECT exchange_make_call_record_partition((date_trunc('month', now() AT TIME ZONE 'Asia/Shanghai') + n * interval '1 month')::date)
FROM generate_series(-1, 3) n;
"""


class Migration(migrations.Migration):
    dependencies = [("exchange", "0001_initial"), ("core", "0003_append_only")]
    operations = [
        migrations.RunSQL(TABLE, "DROP TABLE exchange_callrecord"),
        migrations.RunSQL(MAKE_PARTITION, "DROP FUNCTION exchange_make_call_record_partition(date)"),
        migrations.RunSQL(*guard("exchange_callrecord")),
        migrations.RunSQL(*guard("exchange_accessrequeststep")),
        migrations.RunSQL("CREATE SCHEMA staging; GRANT USAGE, CREATE ON SCHEMA staging TO worker", "DROP SCHEMA staging CASCADE"),
    ]
