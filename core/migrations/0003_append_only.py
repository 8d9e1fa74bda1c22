"""The audit trail can be added to and read, never changed."""

from django.db import migrations

from core.append_only import guard

REFUSE = """
CREATE FUNCTION core_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'append-only: % on % is refused', TG_OP, TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$
"""


class Migration(migrations.Migration):
    dependencies = [("core", "0002_initial")]
    operations = [
        migrations.RunSQL(REFUSE, "DROP FUNCTION core_refuse_change()"),
        migrations.RunSQL(*guard("core_auditentry")),
    ]
