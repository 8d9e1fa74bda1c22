"""Sealed files of licenses and copies of them."""
