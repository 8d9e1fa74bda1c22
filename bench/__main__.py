"""Run the figures named in ONLY or as arguments, all of them otherwise, and print one JSON line each."""

from __future__ import annotations

import json
import os
import sys
from importlib import import_module

from bench import frame

FIGURES = {
    "bulk.csv": "bench.bulk",
    "call.query": "bench.call_query",
    "call.query.city": "bench.call_query_city",
    "call.signed": "bench.call_signed",
    "call.verify_batch": "bench.call_batch",
    "catalog.search": "bench.catalog_search",
    "city.total": "bench.city_total",
    "connections": "bench.connections",
    "dossier.person": "bench.dossier",
    "evidence": "bench.evidence",
    "features": "bench.features",
    "license.issue_batch": "bench.license_issue_batch",
    "license.issue_pdf": "bench.license_issue_pdf",
    "license.present": "bench.license_present",
    "license.status_list": "bench.license_status_list",
    "license.verify": "bench.license_verify",
    "op-monitoring": "bench.op_monitoring",
    "quality.population": "bench.quality",
    "pipeline.credit": "bench.pipeline_credit",
    "pipeline.legal_entity": "bench.pipeline_legal_entity",
    "pipeline.license": "bench.pipeline_license",
    "pipeline.population": "bench.pipeline_population",
    "rerun": "bench.reruns",
}


def main() -> int:
    """Return 2 for a name nobody knows."""
    wanted = sys.argv[1:] or [name for name in os.environ.get("ONLY", "").split(",") if name] or list(FIGURES)
    unknown = sorted(set(wanted) - FIGURES.keys())
    if unknown:
        print(f"No such figure: {', '.join(unknown)}. Known: {', '.join(FIGURES)}", file=sys.stderr)
        return 2
    for name in wanted:
        frame.prepare_database()
        for line in import_module(FIGURES[name]).run():
            print(json.dumps(line, ensure_ascii=False), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
