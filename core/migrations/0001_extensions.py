"""Extensions come with the template database (a superuser creates PostGIS once); here they are only required to be there."""

from django.db import migrations

CHECK = """
DO $$
DECLARE missing text;
BEGIN
  SELECT string_agg(e, ', ') INTO missing FROM unnest(ARRAY['postgis','btree_gist','pg_trgm']) e
  WHERE e NOT IN (SELECT extname FROM pg_extension);
  IF missing IS NOT NULL THEN
    RAISE EXCEPTION 'extensions missing in this database: %. A superuser must create them once (see docs/operations.md).', missing;
  END IF;
END $$
"""


class Migration(migrations.Migration):
    initial = True
    dependencies: list[tuple[str, str]] = []
    operations = [migrations.RunSQL(CHECK, migrations.RunSQL.noop)]
