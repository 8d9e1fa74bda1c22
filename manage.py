#!/usr/bin/env python
"""Entry point of the management commands; nothing but the Django stub."""

import os
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings.demo")
    execute_from_command_line(sys.argv)
