"""Settings of `make demo`: plain HTTP on loopback, everything else as in production."""

from settings.base import *  # noqa: F403
from settings.base import ENV, INSTALLED_APPS

INSTALLED_APPS += ["demo"]
# The bureau's database and a district's stand in the demo's own cluster.
SOURCE_HOSTS = (*ENV.source_hosts, ENV.db_host)
BREAK_GLASS_ALLOWED = True
