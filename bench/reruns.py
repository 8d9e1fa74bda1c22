"""`rerun.unchanged` and `rerun.one_percent`: a source read again from its start when nothing, and when a hundredth, has changed.

The first stands beside the COPY that fills the same tables; the second beside its own first run, and again from the last cursor.
"""

from __future__ import annotations

from collections.abc import Iterable

from bench import frame, pipeline


def run() -> Iterable[dict[str, object]]:
    """Yield both figures, over people."""
    source = pipeline.source_of("pipeline.population")
    with pipeline.crew() as held:
        course = pipeline.Course(source, held)
        first = course.rate()
        course.prepare_copy()

        def again() -> float:
            course.restart()
            rows, seconds = course.run()
            return rows / seconds

        def filled() -> float:
            return course.copy_rate()

        medians = frame.in_turn({"copy": filled, "again": again}, rounds=pipeline.ROUNDS)
        yield frame.figure("rerun.unchanged", medians["again"], "rows/s", copy=medians["again"] / medians["copy"])
        changed = _change_one_percent()
        course.restart()
        rows, seconds = course.run()
        whole = source.rows / first
        line = frame.figure("rerun.one_percent", seconds, "s", first_run=seconds / whole)
        _change_one_percent(to="又")
        taken, short = course.run()
        line |= {"changed": changed, "read": rows, "since_cursor_read": taken, "since_cursor_s": float(f"{short:.3g}")}
        course.clear()
        yield line


def _change_one_percent(to: str = "") -> int:
    """Let one person in a hundred move; return how many."""
    made = pipeline.making()
    made.run(
        f"UPDATE {{schema}}.public_security_resident SET address = address || '迁{to}', "
        "updated_at = (SELECT max(updated_at) FROM {schema}.public_security_resident) + interval '1 day' WHERE row_id % 100 = 0"
    )
    return pipeline.ROWS // 100
