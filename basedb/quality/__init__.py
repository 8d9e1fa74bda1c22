"""Quality (数据质量): rules as data compiled to SQL, checks of whole bases, scores, and tasks of the departments at fault."""
