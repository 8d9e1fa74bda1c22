"""Pages of the catalogue (数据目录)."""
