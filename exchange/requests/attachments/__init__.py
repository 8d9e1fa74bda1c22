"""Attachments (附件): files of requests and remarks. What is taken, where it is kept, who may have it."""
