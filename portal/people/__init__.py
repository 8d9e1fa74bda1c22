"""Pages of departments and users (部门与用户)."""
