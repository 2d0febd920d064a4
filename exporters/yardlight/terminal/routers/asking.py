"""What a router is asked: everything once at discovery, then only what changes, and the default route by its prefix."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from yardlight.errors import SnmpError
from yardlight.snmp import Missing, Oid, Session, Value, oid
from yardlight.terminal.routers import GENERIC, profiles, standard
from yardlight.terminal.routers.interpret import ENTITY_ALIAS, ENTITY_NAME, columns_of
from yardlight.terminal.routers.tables import Profile

# Default routes looked at in one table; more of them make no router's word clearer.
ROUTES = 6
# Interfaces whose counters are read; a switch with hundreds is not what is watched here.
INTERFACES = 64
ROWS, _ENTITIES = 256, 1024


@dataclass(frozen=True)
class Known:
    """What discovery found: values that stay, instances to ask for in every poll, and the table with the routes.

    `stopped` says where a walk ended before its end.
    """

    profile: Profile
    fixed: dict[Oid, Value]
    asked: tuple[Oid, ...]
    stopped: tuple[str, ...] = ()


async def discover(session: Session, model: str = "auto") -> Known:
    """Walk the tables of a router and find out whose it is. Raises `SnmpError`."""
    system = await session.get((*standard.SYSTEM, *standard.CACHES.values()))
    profile = profiles()[model] if model != "auto" else await recognize(session, system.get(standard.OBJECT_ID))
    fixed: dict[Oid, Value] = {name: value for name, value in system.items() if name not in standard.PULSE}
    walk = await session.walk((*standard.NAMES, *standard.STATES, *standard.COUNTERS, *standard.ADDRESSES), ROWS)
    values, stopped = dict(walk.values), [*walk.stopped]
    scalars = {(*name, 0) for table, _, name in columns_of(profile) if table.scalars}
    columns = {name for table, _, name in columns_of(profile) if not table.scalars}
    for table in profile.tables:
        columns |= {(*oid(root), *oid(table.wan)) for root in table.roots if table.wan}
        columns |= {oid(table.names)} if table.names else set()
    if columns:
        walk = await session.walk(sorted(columns), ROWS)
        values |= walk.values
        stopped += walk.stopped
    if any(table.row == "entity" for table in profile.tables):
        walk = await session.walk((ENTITY_NAME, ENTITY_ALIAS), _ENTITIES)
        fixed |= walk.values
        stopped += walk.stopped
    if scalars:
        values |= await session.get(sorted(scalars))
    if profile.scripts is not None:
        fixed |= await _run_scripts(session, profile)
    changing = [name for name in _changing(profile, values) if not isinstance(values[name], Missing)]
    # A state or a count that is not asked for again is soon none.
    asked, moving = set(changing), {*standard.STATES, *standard.COUNTERS}
    fixed |= {name: value for name, value in values.items() if name not in asked and name[:-1] not in moving}
    return Known(profile, fixed, (*standard.PULSE, *changing), tuple(stopped))


async def recognize(session: Session, object_id: Value) -> Profile:
    """The profile of a router that the inventory calls auto: by its sysObjectID, or by the tree that it answers."""
    known = profiles()
    if isinstance(object_id, tuple):
        for profile in known.values():
            if any(object_id[: len(prefix)] == prefix for prefix in map(oid, profile.objects)):
                return profile
    trees = [(oid(tree), profile) for profile in known.values() for tree in profile.trees]
    for start in range(0, len(trees), session.agent.batch):
        part = trees[start : start + session.agent.batch]
        answers = await session.get_next([tree for tree, _ in part])
        for (tree, profile), (name, value) in zip(part, answers, strict=True):
            if name[: len(tree)] == tree and not isinstance(value, Missing):
                return profile
    return GENERIC


async def look(session: Session, known: Known) -> dict[Oid, Value]:
    """One poll: what changes, by GET. What is not there any more is `Missing`."""
    return await session.get(known.asked)


async def routes(
    session: Session, prefer: str | None = None, afresh: bool = False
) -> tuple[dict[Oid, Value], str | None]:
    """The default routes of the first table that has any, and which one; `prefer` is looked at first.

    By GETNEXT at the prefix 0/0, so that the size of the table costs nothing. Agents keep a table for a minute once it
    was asked for (net-snmp does), so to see it `afresh` another one is looked at first.
    """
    for table in in_order(prefer, afresh):
        entry, zero, *columns = standard.ROUTES[table]
        found = await _default_rows(session, entry, zero, [column for column in columns if column is not None])
        if found:
            return found, table
    return {}, None


def in_order(prefer: str | None, afresh: bool) -> list[str]:
    """The route tables as they are looked at. `afresh` they go round, so that each rests as long as it can."""
    tables = [*standard.ROUTES]
    if prefer is None:
        return tables
    after = tables.index(prefer) + 1
    others = [*tables[after:], *tables[: after - 1]]
    return [*others, prefer] if afresh else [prefer, *others]


async def _default_rows(session: Session, entry: Oid, zero: Oid, columns: list[int]) -> dict[Oid, Value]:
    found: dict[Oid, Value] = {}
    cursors = [(*entry, column, *zero) for column in columns]
    # The oldest table has the prefix as its whole index: GETNEXT begins just before it.
    if entry == standard.ROUTES[standard.IP_ROUTE][0]:
        cursors = [(*entry, column) for column in columns]
    for _ in range(ROUTES):
        answers = await session.get_next(cursors)
        fits = [
            name[: len(entry) + 1] == (*entry, column)
            and name[len(entry) + 1 : len(entry) + 1 + len(zero)] == zero
            and name > cursor
            and not isinstance(value, Missing)
            for column, cursor, (name, value) in zip(columns, cursors, answers, strict=True)
        ]
        found |= {name: value for fit, (name, value) in zip(fits, answers, strict=True) if fit}
        if not any(fits):
            break
        columns = [column for fit, column in zip(fits, columns, strict=True) if fit]
        cursors = [name for fit, (name, _) in zip(fits, answers, strict=True) if fit]
    return found


async def _run_scripts(session: Session, profile: Profile) -> dict[Oid, Value]:
    """Names of the owner's scripts, and what those print that the profile knows: reading any other would run it."""
    assert profile.scripts is not None
    names, outputs = oid(profile.scripts.names), oid(profile.scripts.outputs)
    found = (await session.walk([names], ROWS)).values
    wanted = [
        (*outputs, *name[len(names) :])
        for name, value in found.items()
        if (standard.text(value) or "") in profile.scripts.facts
    ]
    try:
        return found | (await session.get(wanted) if wanted else {})
    except SnmpError:
        # Without the right to run scripts nothing else is lost.
        return found


def _changing(profile: Profile, values: dict[Oid, Value]) -> Iterable[Oid]:
    """Instances to ask for again: states, the better counters, and every column that is not fixed."""
    interfaces = {each.index: each for each in standard.interfaces(values)}
    watched = sorted((each for each in interfaces.values() if not each.loops), key=lambda each: not each.up)
    indexes = {each.index for each in watched[:INTERFACES]}
    changing = {
        (*name, 0) if table.scalars else name for table, column, name in columns_of(profile) if not column.fixed
    }
    for name in values:
        column, index = name[:-1], name[-1]
        if column in standard.STATES:
            if index in indexes:
                yield name
        elif column in standard.COUNTERS:
            wide = column in (standard.IF_HC_IN, standard.IF_HC_OUT)
            if index in indexes and wide == interfaces[index].wide:
                yield name
        elif name in changing or any(name[:-depth] in changing for depth in (1, 2)):
            yield name
