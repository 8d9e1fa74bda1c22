"""Care for what was granted (授权之后): alerts, emergency access, usage records, disposal, legal holds, liabilities."""
