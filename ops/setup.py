"""What every command needs of the machine and the clone before anything is started."""

from ops import debian, frontend, venv
from ops.places import Places
from ops.stack import lock


def prepare(places: Places, *needs: debian.Need) -> None:
    """Install what is missing, then the virtual environment and the front-end packages."""
    debian.require((*debian.BASE, *needs))
    with lock(places.run / "lock" / "setup.lock"):
        venv.prepare(places)
        frontend.prepare(places)
