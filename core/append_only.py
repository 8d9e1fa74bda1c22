"""Append-only tables: privileges keep the roles out, this trigger keeps the owner from slipping."""


def guard(table: str) -> tuple[str, str]:
    """Return forward and reverse SQL of the trigger that refuses UPDATE and DELETE on a table, its owner's included."""
    return (
        f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION core_refuse_change()",
        f"DROP TRIGGER append_only ON {table}",
    )
