"""Lints, renders and checks the chart; run by a Python that has the tools of infra/helm/tools.lock, not by ours.

    python chart_reader.py CHART <questions >answers

Questions and answers are JSON, a list each. A question is {"values": {…}}, answered by {"lint": […], "documents": […],
"problems": […], "refused": ""}, or {"documents": […]}, which are only compared with the schemas.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import helm_python
import kubernetes_validate
import yaml

VERSIONS = ("1.27", "1.37")  # the oldest the chart is for, and the newest there is a schema of
NO_SCHEMA = ("RabbitmqCluster",)  # the cluster operator's own
WARNING = 2


def answer(chart: str, question: dict[str, Any]) -> dict[str, Any]:
    """Answer one question."""
    if "documents" in question:
        return {"problems": list_problems(question["documents"])}
    try:
        report = helm_python.lint(chart, question["values"], strict=True)
        rendered = helm_python.Chart.load(chart).render(question["values"], name="test", namespace="crm")
    except helm_python.HelmError as refused:
        return {"refused": str(refused)}
    lint = [one for one in report["messages"] if one["severity"] >= WARNING] + report["errors"]
    texts = (text for path, text in sorted(rendered.items()) if path.endswith(".yaml"))
    documents = [one for text in texts for one in yaml.safe_load_all(text) if one]
    return {"lint": lint, "documents": documents, "problems": list_problems(documents), "refused": ""}


def list_problems(documents: list[dict[str, Any]]) -> list[str]:
    """What the schemas of each version find wrong with the documents."""
    found = []
    for document in documents:
        if document["kind"] in NO_SCHEMA:
            continue
        for version in VERSIONS:
            try:
                kubernetes_validate.validate(document, version, strict=True)
            except kubernetes_validate.ValidationError as trouble:
                found.append(f"{version} {document['kind']} {document['metadata']['name']}: {trouble.message}")
    return found


if __name__ == "__main__":
    json.dump([answer(sys.argv[1], one) for one in json.load(sys.stdin)], sys.stdout)
