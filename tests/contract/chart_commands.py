"""Stands in for helm and kubectl where no cluster is: tries of the operator's commands what can be tried.

    python chart_commands.py helm install NAME CHART --namespace N [--values FILE] [--set KEY=VALUE] …
    python chart_commands.py kubectl create namespace N | apply --namespace N -f - | get secret NAME --namespace N

Run by a Python that has the tools of infra/helm/tools.lock. What it does not know it refuses with status 2.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import yaml
from chart_reader import answer, list_problems  # type: ignore[import-not-found]  # beside this file


def run_helm(words: list[str]) -> list[str]:
    """Render and check the chart with the values given; answers what is wrong."""
    parser = argparse.ArgumentParser(prog="helm")
    parser.add_argument("act", choices=("install", "upgrade"))
    parser.add_argument("name")
    parser.add_argument("chart")
    parser.add_argument("--namespace", required=True)
    parser.add_argument("--values", action="append", default=[])
    parser.add_argument("--set", action="append", default=[])
    asked = parser.parse_args(words)
    values: dict[str, Any] = {}
    for file in asked.values:
        merge(values, yaml.safe_load(Path(file).read_text(encoding="utf-8")))
    for pair in asked.set:
        key, _, value = pair.partition("=")
        merge(values, nest(key.split("."), yaml.safe_load(value)))
    plain, told = answer(asked.chart, {"values": {}}), answer(asked.chart, {"values": values})
    if told["refused"]:
        return [told["refused"]]
    unheard = ["the values change nothing"] if plain["documents"] == told["documents"] else []
    return [*map(str, told["lint"]), *told["problems"], *unheard]


def run_kubectl(words: list[str]) -> list[str]:
    """Check what would be made against the schemas; answers what is wrong."""
    if words[:1] == ["apply"] and words[-2:] == ["-f", "-"]:
        told = json.load(sys.stdin)
        return list(list_problems(told["items"])) if told["items"] else ["nothing to apply"]
    if words[:2] == ["create", "namespace"] and len(words) == 3:
        return list(list_problems([{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": words[2]}}]))
    if words[:2] == ["get", "secret"]:
        return []
    sys.exit(2)


def merge(values: dict[str, Any], more: dict[str, Any]) -> None:
    """Put values into values, the later ones first."""
    for key, value in more.items():
        if isinstance(value, dict) and isinstance(values.get(key), dict):
            merge(values[key], value)
        else:
            values[key] = value


def nest(path: list[str], value: object) -> dict[str, Any]:
    """A value below its path."""
    return {path[0]: nest(path[1:], value) if path[1:] else value}


if __name__ == "__main__":
    troubles = {"helm": run_helm, "kubectl": run_kubectl}[sys.argv[1]](sys.argv[2:])
    sys.stderr.write("\n".join(troubles))
    sys.exit(1 if troubles else 0)
