"""SNMP v2c and v3 on asyncio: what routers are asked with, and the one SET a drill may need.

`Agent` says whom to ask and how, `Session` asks. A session belongs to one event loop; a codec and the keys of SNMPv3
stand in modules of their own. pysnmp is what our codec is tested against and measured against: its high-level GET of
32 values with privacy costs about ten milliseconds of CPU, this one about a third of one (tests/benchmarks).
"""

from yardlight.snmp.ber import MISSING, Missing, Oid, Value, dotted, oid
from yardlight.snmp.session import Agent, Session, Walk
from yardlight.snmp.setting import snmp_set
from yardlight.snmp.usm import AUTH, PRIV, Usm

__all__ = [
    "AUTH",
    "MISSING",
    "PRIV",
    "Agent",
    "Missing",
    "Oid",
    "Session",
    "Usm",
    "Value",
    "Walk",
    "dotted",
    "oid",
    "snmp_set",
]
