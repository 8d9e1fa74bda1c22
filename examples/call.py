#!/usr/bin/env python3
"""Call the exchange with the small client beside this file, and print what comes back.

    python3 examples/call.py                       one call of each granted mode of the demo's systems, and one with many keys
    python3 examples/call.py --run-dir DIR         the same for a demo whose run directory is DIR

The demo writes keys, grants and a sample key to demo.json in its run directory ($RUN_DIR, .run by default).
`client.py` is all a partner system needs; docs/calling.md says what stands in it.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from client import Exchange, Refused  # found beside this file, wherever it is started

LINES_SHOWN = 5


def of_bulk(exchange: Exchange, grant: dict[str, Any]) -> str:
    """Copy all rows."""
    rows = io.BytesIO()
    exchange.bulk(grant["grant"], rows)
    return rows.getvalue().decode()


def of_query(exchange: Exchange, grant: dict[str, Any]) -> str:
    """Look one subject up."""
    return text(exchange.query(grant["grant"], grant["sample_key"]))


def of_verify(exchange: Exchange, grant: dict[str, Any]) -> str:
    """Compare one subject's values."""
    return text(exchange.verify(grant["grant"], grant["sample_key"], values_of(grant)))


def of_query_many(exchange: Exchange, grant: dict[str, Any]) -> str:
    """Look several up, one of whom is no number at all: each is answered in its place."""
    return text(exchange.query_many(grant["grant"], [grant["sample_key"], nobody(grant)]))


def of_verify_many(exchange: Exchange, grant: dict[str, Any]) -> str:
    """Compare the values of several."""
    checks = [{"key": key, "attributes": values_of(grant)} for key in (grant["sample_key"], nobody(grant))]
    return text(exchange.verify_many(grant["grant"], checks, details=True, score=True))


# what is shown, the mode it needs, and the call
CALLS: tuple[tuple[str, str, Callable[[Exchange, dict[str, Any]], str]], ...] = (
    ("verify", "VERIFY", of_verify),
    ("query", "QUERY", of_query),
    ("bulk", "BULK", of_bulk),
    ("query of several", "QUERY", of_query_many),
    ("verify of several", "VERIFY", of_verify_many),
)


def values_of(grant: dict[str, Any]) -> dict[str, str]:
    """Return values to compare."""
    return grant.get("sample_values") or {grant["fields"][0]: "1"}


def nobody(grant: dict[str, Any]) -> dict[str, str]:
    """Return a key that is none."""
    return dict.fromkeys(grant["sample_key"], "not a number")


def text(answer: object) -> str:
    """Return an answer as one line of JSON."""
    return json.dumps(answer, ensure_ascii=False, separators=(",", ":"))


def main() -> int:
    """Make one call of each mode; return 1 when one was refused or nothing is granted."""
    parser = argparse.ArgumentParser(description="Make one signed call of each mode.")
    parser.add_argument("--run-dir", type=Path, default=Path(os.environ.get("RUN_DIR") or ".run"))
    demo = json.loads((parser.parse_args().run_dir / "demo.json").read_text(encoding="utf-8"))
    first: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {}
    for system in demo["systems"]:
        for grant in system["grants"]:
            first.setdefault(grant["mode"], (system, grant))
    is_refused = not first
    for shown, mode, call in CALLS:
        if mode not in first:
            continue
        system, grant = first[mode]
        exchange = Exchange(demo["url"], key=system["key"], secret=system["secret"], algorithm=system["algorithm"])
        try:
            lines, outcome = call(exchange, grant).splitlines(), "answered"
        except Refused as refusal:
            lines, outcome, is_refused = [str(refusal)], "refused", True
        print(f"== {shown}: {system['name']} -> {grant['service']} ({system['algorithm']}): {outcome}")
        print("\n".join(lines[:LINES_SHOWN]))
        if len(lines) > LINES_SHOWN:
            print(f"... {len(lines)} lines")
    return int(is_refused)


if __name__ == "__main__":
    sys.exit(main())
