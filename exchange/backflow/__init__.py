"""Backflow (回流): a region's own rows go back to it, in batches with receipts."""
