"""Thematic and special-topic databases (主题库, 专题库): defined as data, compiled to SQL, refreshed by difference."""
