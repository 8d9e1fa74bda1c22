"""Remarks and attachments (备注、附件) of requests, as blocks on the request's pages."""
