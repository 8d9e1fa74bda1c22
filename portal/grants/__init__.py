"""Pages of grants, consumer systems and credentials (授权、使用方系统、访问凭证)."""
