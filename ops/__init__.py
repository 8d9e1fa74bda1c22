"""Provisioning: what `make demo`, `make test` and their like do to a machine.

Everything here uses the standard library of Python 3.11 alone, because most of it runs before the
virtual environment exists. Nothing here knows a rule of the platform: it starts processes and
hands each of them its environment (see `docs/operations.md`).
"""
