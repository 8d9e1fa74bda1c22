"""Issuing (签发): drafts, checks, signatures, changes of state, paper, batches."""
