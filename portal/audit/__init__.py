"""Pages of the audit trail (审计记录)."""
