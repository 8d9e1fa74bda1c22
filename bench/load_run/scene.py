"""Who calls on whom in a load run: a hundred systems with a grant each, one busy grant, and four with a small quota.

Runs as a program in the environment of the stack, once, and leaves what the clients need to know in a file.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

SYSTEMS = 100
SMALL_QUOTA, SMALL_COUNT = 250, 4
FIELDS = ["citizen_id", "name", "sex", "address"]
# Of ten systems so many have a grant of the mode.
MODES = ("QUERY", "QUERY", "QUERY", "QUERY", "VERIFY", "VERIFY", "VERIFY", "VERIFY", "BULK", "SUBSCRIBE")


def make(file: Path) -> None:
    """Make people, systems and grants beside those of the demo."""
    from bench.call_query import insert_people
    from catalog.models import Binding
    from core.models import Department, User
    from tests import factories
    from tests.hotpath.partner import make_partner

    police, education = (Department.objects.get(name=name) for name in ("市公安局", "市教育局"))
    user = User.objects.get(username="edu_op")
    people = insert_people(police)
    resource = factories.make_resource(police, code="101001/900001")
    Binding.objects.filter(resource=resource).update(columns={name: name for name in FIELDS})

    def grant(kind: str, mode: str, quota: int) -> dict[str, Any]:
        partner = make_partner(education)
        limits = {"quota_per_day": quota, "quota_per_second": 100_000, "masks": {}}
        made = factories.make_grant(resource, partner.system, user, mode=mode, fields=FIELDS, **limits)
        return {"kind": kind, "mode": mode, "grant": str(made.uid), "key": partner.key, "secret": partner.secret, "quota": quota}

    grants = [grant(mode.lower(), mode, 10_000_000) for mode in MODES for _ in range(SYSTEMS // len(MODES))]
    grants += [grant("busy", "QUERY", 10_000_000), *(grant("small", "QUERY", SMALL_QUOTA) for _ in range(SMALL_COUNT))]
    file.touch(mode=0o600)
    file.write_text(json.dumps({"people": people, "grants": grants}))


if __name__ == "__main__":
    import django

    django.setup()
    make(Path(sys.argv[1]))
