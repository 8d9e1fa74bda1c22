"""Matching (匹配): records without an identifier find their entity by an old number, by likeness, or by a person's word.

Records that carry an identifier of their own are none of its business: same key, other name is a conflict of `basedb.fusion`.
"""
