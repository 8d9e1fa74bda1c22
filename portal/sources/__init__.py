"""Pages of sources outside the base databases, of the national convention, and of authorization from above."""
