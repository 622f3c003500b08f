"""The chart is well made: linted, rendered, compared with Kubernetes' schemas, and its pods keep the house's rules."""

from __future__ import annotations

import copy
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from branchline.deployment.certificates import make_certificates
from branchline.deployment.manifests import list_manifests
from branchline.deployment.secret_files import Places, files_of_parts, make_missing
from branchline.platform.environment import SERVICES, STORES
from tools.protos import ROOT

HELM = ROOT / "infra" / "helm"
EVERYTHING = {
    "rabbitmqCluster": {"enabled": True},
    "ingress": {"enabled": True, "host": "crm.test", "tlsSecret": "tls"},
}
Document = dict[str, Any]

pytestmark = pytest.mark.timeout(600)  # the tools are 100 MB, fetched once


class Chart:
    """The chart, asked through its tools."""

    def __init__(self, python: Path) -> None:
        self.python = python
        encrypted = {"global": {"encrypted": True}}
        self.plain, self.everything, self.encrypted = self.ask(
            {"values": {}}, {"values": EVERYTHING}, {"values": encrypted}
        )

    def ask(self, *questions: dict[str, Any]) -> list[dict[str, Any]]:
        """Put questions to the reader."""
        command = (str(self.python), str(Path(__file__).with_name("chart_reader.py")), str(HELM / "branchline"))
        ended = subprocess.run(command, input=json.dumps(questions), capture_output=True, text=True, timeout=120)
        assert ended.returncode == 0, ended.stderr
        found: list[dict[str, Any]] = json.loads(ended.stdout)
        return found

    def of_kind(self, kind: str) -> list[Document]:
        """The documents of one kind."""
        return [one for one in self.everything["documents"] if one["kind"] == kind]


@pytest.fixture(scope="session")
def chart(chart_tools: Path) -> Chart:
    """The chart with its own values, and with everything it can have."""
    return Chart(chart_tools)


def pods(chart: Chart) -> list[Document]:
    """The pod of every Deployment and Job."""
    return [one["spec"]["template"] for kind in ("Deployment", "Job") for one in chart.of_kind(kind)]


def test_it_is_linted_and_fits_the_schemas_of_kubernetes(chart: Chart) -> None:
    for answer in (chart.plain, chart.everything, chart.encrypted):
        assert answer["lint"] == []
        assert answer["problems"] == []
    assert len(chart.everything["documents"]) == len(chart.plain["documents"]) + 2


def test_a_misspelt_field_would_be_found(chart: Chart) -> None:
    wrong = copy.deepcopy(chart.of_kind("Deployment")[0])
    wrong["spec"]["replica"] = 2

    (answer,) = chart.ask({"documents": [wrong]})

    assert len(answer["problems"]) == 2
    assert "replica" in answer["problems"][0]


def test_values_that_would_not_work_are_refused(chart: Chart) -> None:
    hasty, even = chart.ask(
        {"values": {"global": {"terminationSeconds": 5}}}, {"values": {"rabbitmqCluster": {"replicas": 2}}}
    )

    assert "terminationSeconds" in hasty["refused"]
    assert "replicas" in even["refused"]


def test_every_pod_is_confined(chart: Chart) -> None:
    for pod in pods(chart):
        spec = pod["spec"]
        assert spec["automountServiceAccountToken"] is False
        assert spec["securityContext"]["runAsNonRoot"] is True
        for container in spec["containers"]:
            rules = container["securityContext"]
            assert rules["readOnlyRootFilesystem"] is True
            assert rules["allowPrivilegeEscalation"] is False
            assert rules["capabilities"] == {"drop": ["ALL"]}
            assert {"requests", "limits"} == container["resources"].keys()
            assert {"name": "settings", "mountPath": "/run/branchline", "readOnly": True} in container["volumeMounts"]


def test_every_process_says_whether_it_is_well_and_has_time_to_end(chart: Chart) -> None:
    for deployment in chart.of_kind("Deployment"):
        spec = deployment["spec"]["template"]["spec"]
        (container,) = spec["containers"]
        assert "livenessProbe" in container
        assert ("readinessProbe" in container) == ("ports" in container), deployment["metadata"]["name"]
        assert spec["terminationGracePeriodSeconds"] > 20


def test_every_service_is_prepared_before_anything_is_rolled_out(chart: Chart) -> None:
    hooks = {one["metadata"]["name"]: one["metadata"]["annotations"] for one in chart.of_kind("Job")}

    for store in STORES:
        assert hooks[f"branchline-{store}-prepare"]["helm.sh/hook"] == "pre-install,pre-upgrade"
    first = int(hooks["branchline-bootstrap"]["helm.sh/hook-weight"])
    assert first > int(hooks["branchline-directory-prepare"]["helm.sh/hook-weight"])


def test_budgets_ways_and_networks_mean_pods_that_exist(chart: Chart) -> None:
    labels = [pod["metadata"]["labels"] for pod in pods(chart)]
    wanted = [one["spec"]["selector"]["matchLabels"] for one in chart.of_kind("PodDisruptionBudget")]
    wanted += [one["spec"]["selector"] for one in chart.of_kind("Service")]
    wanted += [one["spec"]["podSelector"]["matchLabels"] for one in chart.of_kind("NetworkPolicy")]

    assert len(wanted) >= 3 * len(STORES)
    assert all(any(one.items() <= there.items() for there in labels) for one in wanted)
    assert {one["metadata"]["name"] for one in chart.of_kind("NetworkPolicy")} == {f"branchline-{s}" for s in STORES}


def test_the_secrets_it_mounts_are_those_that_are_made(chart: Chart) -> None:
    made = {f"branchline-{part}" for part in files_of_parts(make_missing({}), Places())}

    volumes = [volume for pod in pods(chart) for volume in pod["spec"]["volumes"] if "secret" in volume]

    assert {volume["secret"]["secretName"] for volume in volumes} <= made


def test_encrypted_parts_have_certificates_of_their_own(chart: Chart, tmp_path: Path) -> None:
    make_certificates(tmp_path)
    made = {one["metadata"]["name"]: set(one["data"]) for one in list_manifests(tmp_path)["items"]}
    shown = [one for one in chart.encrypted["documents"] if one["kind"] in ("Deployment", "Job")]
    assert len(shown) >= 3 * len(SERVICES)
    for one in shown:
        pod = one["spec"]["template"]
        name = f"branchline-certificates-{pod['metadata']['labels']['app.kubernetes.io/name']}"
        mounted = {volume["secret"]["secretName"] for volume in pod["spec"]["volumes"] if "secret" in volume}
        assert name in mounted
        assert made[name] == {"authority.pem", "certificate.pem", "key.pem"}
        for container in pod["spec"]["containers"]:
            assert {"name": "TLS_FOLDER", "value": "/run/certificates"} in container["env"]
            assert "/run/certificates" in {mount["mountPath"] for mount in container["volumeMounts"]}
    assert not [name for name in made if "authority" in name], "its key is given to nobody"
