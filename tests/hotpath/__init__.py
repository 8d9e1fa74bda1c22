"""Tests of the hot path: one call from signature to signed answer."""
