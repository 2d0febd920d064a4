"""From the inventory to somebody who can be asked: the secrets are read here and nowhere else."""

from __future__ import annotations

from pathlib import Path

from yardlight.errors import SnmpError
from yardlight.inventory.models import Snmp
from yardlight.inventory.router_rules import secret_problems
from yardlight.inventory.secret import read_secret
from yardlight.snmp.session import Agent
from yardlight.snmp.usm import Usm


def agent_of(address: str, snmp: Snmp) -> Agent:
    """Whom to ask with which secrets, read now. Raises `SnmpError` for a file that cannot be used."""
    for _, problem in secret_problems(snmp):
        raise SnmpError("secret", problem)
    community, auth, priv = (
        read_secret(file, Path()) if file else None for file in (snmp.community_file, snmp.auth_file, snmp.priv_file)
    )
    if snmp.version == "2c":
        return Agent(address, snmp.port, community, timeout=snmp.timeout)
    user = Usm(snmp.user or "", snmp.auth if auth else None, auth, snmp.priv if priv else None, priv)
    return Agent(address, snmp.port, None, user, context=(snmp.context or "").encode(), timeout=snmp.timeout)
