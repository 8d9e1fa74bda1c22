"""The issuing desk (证照签发): drafts, signatures, licenses with their versions, batches, licenses to look at again."""
