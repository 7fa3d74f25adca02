#!/usr/bin/env python3
"""Writes docs/reports/README.md from the JSON reports beside it."""
import json
import sys
from pathlib import Path

folder = Path(sys.argv[1])
reports = {path.stem: json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))}


def order(name: str) -> tuple:
    head, _, tail = name.rpartition("-")
    return (head, int(tail)) if tail.isdigit() else (name, 0)


def ms(value: float) -> str:
    return f"{value:,.1f}" if value < 100 else f"{value:,.0f}"


def metric(report: dict, name: str, statistic: str) -> str:
    found = report["metrics"].get(name)
    return ms(found["percentiles_ms"][statistic]) if found and found["count"] else ""


lines = ["# Reports of the load harness", "", "Made by `make reports`; each name is the whole report as a page. Violations are the sum of all classes.", ""]
columns = {
    "messaging": [("ack", "p50"), ("ack", "p99"), ("delivery", "p99")],
    "call": [("call.ring", "p99"), ("call.setup", "p50"), ("call.setup", "p99"), ("call.signal", "p99")],
    "reconnect": [("reconnect.current", "p50"), ("reconnect.current", "p99"), ("reconnect.current", "max"), ("ack", "p99")],
}
for kind, wanted in columns.items():
    rows = [name for name in sorted(reports, key=order) if name.startswith(kind)]
    if not rows:
        continue
    heads = ["run", "verdict", "sockets", "acked/s", *[f"{name} {statistic} ms" for name, statistic in wanted], "lag p99 ms", "violations", "server MiB", "server CPU s"]
    lines += [f"## {kind}", "", "| " + " | ".join(heads) + " |", "|---|---|" + "---:|" * (len(heads) - 2)]
    for name in rows:
        report = reports[name]
        counts, server = report["counts"], report["server"]
        keys = "lost phantom duplicated reordered corrupted misdelivered stale_access gaps forked clock ghost_calls oversold undersold money".split()
        cells = [
            f"[{name}]({name}.html)",
            report["verdict"] + (f": {'; '.join(report['reasons'])[:120]}" if report["reasons"] else ""),
            f"{counts['opened']:,} of {counts['asked']:,}",
            f"{counts['acked'] / report['duration_s']:,.0f}",
            *[metric(report, name, statistic) for name, statistic in wanted],
            ms(report["generator"]["lag_p99_ms"]),
            str(sum(counts[key] for key in keys)),
            f"{server['rss_max_bytes'] / 1048576:,.0f}",
            f"{server['cpu_seconds']:,.1f}",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    lines.append("")
if reports:
    first = next(iter(reports.values()))["environment"]
    lines += [f"Machine: {first['cpu']}, Linux {first['kernel']}, server and generator on a core each of a shared host. Trust the ratios.", ""]
(folder / "README.md").write_text("\n".join(lines))
