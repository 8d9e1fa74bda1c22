"""Pages of lineage (数据血缘)."""
