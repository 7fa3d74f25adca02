#!/usr/bin/env python3
"""Checks the dependency graph against deny.toml: licences, duplicate versions, banned crates, sources.

The same file configures cargo-deny; this script needs nothing but Python and cargo, so that the check never depends on
a tool being installed. Exit 1 with one line per finding.
"""
import json
import re
import subprocess
import sys
import tomllib

CONFIG = tomllib.load(open("deny.toml", "rb"))
ALLOWED = set(CONFIG["licenses"]["allow"])


def allowed(expression: str) -> bool:
    """Evaluates an SPDX expression: OR needs one side, AND needs both, WITH binds to the licence before it."""
    tokens = re.findall(r"\(|\)|[^\s()]+", expression.replace("/", " OR "))

    def either() -> bool:
        value = both()
        while tokens and tokens[0] == "OR":
            tokens.pop(0)
            value = both() or value
        return value

    def both() -> bool:
        value = single()
        while tokens and tokens[0] == "AND":
            tokens.pop(0)
            value = single() and value
        return value

    def single() -> bool:
        token = tokens.pop(0)
        if token == "(":
            value = either()
            tokens.pop(0)
            return value
        if tokens and tokens[0] == "WITH":
            tokens.pop(0)
            exception = tokens.pop(0)
            return f"{token} WITH {exception}" in ALLOWED or token in ALLOWED
        return token in ALLOWED

    return either()


def main() -> int:
    target = CONFIG["graph"]["targets"][0]
    command = ["cargo", "metadata", "--format-version", "1", "--locked", "--filter-platform", target]
    metadata = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    used = {node["id"] for node in metadata["resolve"]["nodes"]}
    packages = [package for package in metadata["packages"] if package["id"] in used]
    ours = set(metadata["workspace_members"])
    findings = []

    for package in packages:
        if package["id"] in ours:
            continue
        name = f"{package['name']} {package['version']}"
        if not (package["source"] or "").startswith("registry+"):
            findings.append(f"source: {name} does not come from a registry")
        if not package["license"] or not allowed(package["license"]):
            findings.append(f"licence: {name} is {package['license']!r}, not allowed by deny.toml")

    versions: dict[str, list[str]] = {}
    for package in packages:
        versions.setdefault(package["name"], []).append(package["version"])
    skipped = {entry["crate"].split("@")[0] for entry in CONFIG["bans"]["skip"]}
    for name, found in sorted(versions.items()):
        if len(found) > 1 and name not in skipped:
            findings.append(f"duplicate: {name} {', '.join(sorted(found))}; raise one side or add a reason to [bans] skip")
    for name in sorted(skipped):
        if len(versions.get(name, [])) < 2:
            findings.append(f"stale: [bans] skip names {name}, which is no longer a duplicate")
    for entry in CONFIG["bans"]["deny"]:
        if entry["crate"] in versions:
            findings.append(f"banned: {entry['crate']}: {entry['reason']}")

    print("\n".join(findings) or f"dependencies: {len(packages)} packages, licences, versions and sources as deny.toml says")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
