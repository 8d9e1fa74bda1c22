"""Lineage (数据血缘): from a source column to field, item, service, grant and consumer, now and on any earlier day."""
