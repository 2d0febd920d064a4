"""Whether trucks move, by the last word of each. Pure: the clock is given.

Movement is what makes silence strange: a fleet that stands may be silent, and one that moved when it was last heard of
may not. So it ends with the words of the trucks that they stand, never with their silence.
"""

from __future__ import annotations

from yardlight.feeds.memory import Memory


def noted(memory: Memory, newest: float | None, movers: int, within: float) -> bool:
    """Whether at least so many trucks moved by their last words, `within` seconds of the newest one.

    Since when and until when they did is put down in `memory`; a short stop does not begin a new movement.
    """
    if newest is None:
        return False
    moving = sorted((each.last for each in memory.seen.values() if each.moving), reverse=True)
    if len(moving) < movers or moving[movers - 1] < newest - within:
        return False
    until = moving[movers - 1]
    if memory.moving_until is None or memory.moving_since is None or until - memory.moving_until > within:
        memory.moving_since = until
    memory.moving_until = until
    return True
