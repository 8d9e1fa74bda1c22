"""The report of a load run, as Markdown: what was answered how fast, what was killed, what the books say."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from statistics import quantiles

from bench.load_run.accounts import Accounts
from bench.load_run.books import BROKEN, Entry
from bench.load_run.killing import Timetable

SHOWN = 20


def written(entries: Sequence[Entry], timetable: Timetable, found: Accounts, evidence: str) -> str:
    """Return the report."""
    lines = ["", f"{len(entries):,} calls in {max(e.at for e in entries) - min(e.at for e in entries):.0f} s", ""]
    lines += [
        *_by_status(entries),
        "",
        *_times(entries, timetable.troubled()),
        "",
        *_recoveries(timetable),
        "",
        "| books | |",
        "| --- | --- |",
    ]
    lines += [f"| {name} | {count:,} |" for name, count in found.told.items()]
    lines += ["", f"evidence: {'; '.join(evidence.strip().splitlines())}", ""]
    lines += [f"WRONG: {text}" for text in found.wrong[:SHOWN]] or ["Every answer has its record. Nothing is wrong."]
    if len(found.wrong) > SHOWN:
        lines.append(f"... and {len(found.wrong) - SHOWN} more")
    return "\n".join(lines)


def _by_status(entries: Iterable[Entry]) -> list[str]:
    counted = Counter((entry.status, entry.code) for entry in entries)
    rows = [f"| {status or 'no whole answer'} | {code} | {count:,} |" for (status, code), count in sorted(counted.items())]
    return ["| status | code | calls |", "| --- | --- | ---: |", *rows]


def _times(entries: Iterable[Entry], troubled: Sequence[tuple[float, float]]) -> list[str]:
    """Return percentiles of answers with data: of all, and of those no absence overlaps."""
    kinds: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        if entry.kind != "probe" and entry.status != BROKEN and entry.status < 300:
            kinds[entry.kind].append(entry)
            kinds["all"].append(entry)
    rows = []
    for kind, ones in sorted(kinds.items(), key=lambda item: -len(item[1])):
        calm = [one for one in ones if not any(start < one.at and one.at - one.took / 1000 < end for start, end in troubled)]
        rows.append(f"| {kind} | {len(ones):,} | {_percentiles(ones)} | {len(calm):,} | {_percentiles(calm)} |")
    return [
        "| answered | calls | p50 ms | p95 ms | p99 ms | while all was well | p50 | p95 | p99 |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
        *rows,
    ]


def _percentiles(entries: Sequence[Entry]) -> str:
    if len(entries) < 2:
        return "- | - | -"
    hundredths = quantiles([entry.took for entry in entries], n=100)
    return " | ".join(f"{hundredths[place - 1]:,.1f}" for place in (50, 95, 99))


def _recoveries(timetable: Timetable) -> list[str]:
    killed: dict[str, list[float]] = defaultdict(list)
    for kill in timetable.kills:
        killed[kill.victim].append(kill.recovered_in)
    rows = [
        f"| {victim} | {len(times)} | {sum(times) / len(times):.1f} | {max(times):.1f} | |"
        for victim, times in sorted(killed.items())
    ]
    away: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for absence in timetable.absences:
        away[absence.store].append((absence.recovered_in, absence.named_in))
    rows += [
        f"| {store} (stopped, started) | {len(times)} | {sum(one for one, _ in times) / len(times):.1f} | "
        f"{max(one for one, _ in times):.1f} | {max(named for _, named in times):.2f} |"
        for store, times in sorted(away.items())
    ]
    return [
        "| killed | times | well again after, mean s | at most s | readiness named it within s |",
        "| --- | ---: | ---: | ---: | ---: |",
        *rows,
    ]
