"""Why a service fails, in the words that stand on a phone: each fault of the list is told apart."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from tests.rules.promtool import judged
from yardlight.terminal.asking import REASONS

RULES = Path(__file__).parents[2] / "alert_rules" / "services.yml"
WORDS = {
    "dns_nxdomain": "its name does not exist",
    "dns_servfail": "the DNS server fails",
    "dns_timeout": "names are not resolved",
    "tls_expired": "its certificate has expired",
    "tls_self_signed": "its certificate is self-signed",
    "tls_wrong_name": "its certificate is for another name",
    "tls_untrusted": "its certificate is not trusted",
    "tls_timeout": "no answer in time",
    "tls_other": "wrong answer",
    "headers_timeout": "no answer in time",
    "connect_refused": "no connection",
    "too_large": "its answer does not end",
    "redirect": "it redirects elsewhere",
    "captive_portal": "a login page answers instead",
    "mtu": "large packets vanish",
}


@pytest.mark.needs("promtool")
def test_each_fault_of_a_service_has_its_words(tmp_path: Path) -> None:
    assert set(WORDS) <= set(REASONS)
    groups = yaml.safe_load(RULES.read_text())["groups"]
    summary = next(
        rule["annotations"]["summary"]
        for group in groups
        for rule in group["rules"]
        if rule.get("alert") == "ServiceUnreachable"
    )
    chain = summary[summary.index("{{ if eq $r") : summary.index("{{ end }})") + len("{{ end }}")]
    said = "{{ $r := $labels.reason }}" + chain
    rule = {"alert": "Says", "expr": "failure", "annotations": {"summary": said}}
    (tmp_path / "rules.yml").write_text(json.dumps({"groups": [{"name": "words", "rules": [rule]}]}))
    test = {
        "interval": "1m",
        "input_series": [{"series": f'failure{{reason="{reason}"}}', "values": "1 1"} for reason in WORDS],
        "alert_rule_test": [
            {
                "eval_time": "1m",
                "alertname": "Says",
                "exp_alerts": [
                    {"exp_labels": {"reason": reason}, "exp_annotations": {"summary": words}}
                    for reason, words in WORDS.items()
                ],
            }
        ],
    }
    (tmp_path / "test.yml").write_text(json.dumps({"rule_files": ["rules.yml"], "tests": [test]}))
    right, said = judged(tmp_path / "test.yml")
    assert right, said
