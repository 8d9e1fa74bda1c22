"""Bulk jobs (批量作业): a copy in parts that can be resumed, with digests and the mark of its receiver."""
