"""One check of an archive: list, read what is due, say how it stands. A job for a worker, like a vendor's collection.

It shares with those what keeps the process safe: a slot, a memory limit, a total deadline. It ends by itself before
that, and goes on from its index next time, so an archive of any size is looked at in pieces. While the first listing
is not at its end, nothing is said about files.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from yardlight.collection import Session, Source
from yardlight.errors import IncompleteError, PollError, StateError
from yardlight.exposition import Block, block
from yardlight.inventory.archives import Archive
from yardlight.movement import days_moved
from yardlight.records.coverage import Ground
from yardlight.records.evidence import drop_old_zips, restore_tests, retrieval_tests
from yardlight.records.index import Index
from yardlight.records.layout import Layout
from yardlight.records.reading import Reader, Whose, promises
from yardlight.records.show import place_samples, samples
from yardlight.records.standing import Standing, deleted_early, expired, standing
from yardlight.records.store import Listing, Store, UnreadableError, store
from yardlight.state import Reader as StateReader

# So much of the deadline is left for saying what was found.
_RESERVE = 0.1
# A listing that is under way goes on after this many seconds.
_SOON = 60.0
# So old a folder's listing may be while nothing in it came, went or was replaced.
_LISTED_WITHIN = 86400.0
# Folders between two commits.
_AT_A_TIME = 100


@dataclass(frozen=True)
class Check:
    """The check of one archive, in plain values. `folder` is where indexes lie, `state` the state file.

    `closing`: after it the vendor gives nothing any more, see `coverage.closing`.
    """

    source: Source
    name: str
    archive: Archive
    ground: Ground
    folder: Path
    state: Path
    closing: bool = False

    @property
    def index_path(self) -> Path:
        return self.folder / f"{self.name}.db"

    def __call__(self, session: Session) -> list[Block]:
        index = Index(self.index_path)
        try:
            if not index.lock():
                raise IncompleteError("another process checks this archive")
            found = self.look(index, session)
            proofs = retrieval_tests if self.archive.backup is None else restore_tests
            tests = proofs(self.folder, self.name)
            families = samples(self.name, self.archive, found, tests)
            families |= place_samples(self.name, self.archive, *self._places(session))
        finally:
            index.close()
        return [block(metric, self.source.fleet, values) for metric, values in families.items()]

    def look(self, index: Index, session: Session) -> Standing:
        """List, then read as much as a check may, then judge. Raises `PollError`; what was read until then is kept."""
        session.base = self.source.base
        now = session.clock()
        drop_old_zips(self.folder, now)
        reserve = _RESERVE * max(session.left(), 0.0)

        def left() -> float:
            return session.left() - reserve

        ground = self.known()
        place = store(self.archive.path, self.source.base, session)
        whole = self._list(index, 0, place, now, left)
        # Before the listing is whole, a second thing to do would only make it take longer.
        if whole:
            reader = Reader(index, self.archive, whose(self.archive, ground), now, left)
            reader.go_on(place, 0, self.archive.read_at_most)
            whole = self._look_at_copy(index, session, reader, now, left)
            index.forget(list(expired(index, self.archive, ground, now)))
            index.commit()
        session.again_in = None if whole else _SOON
        return standing(index, self.archive, ground, now, self.closing)

    def _look_at_copy(
        self, index: Index, session: Session, reader: Reader, now: float, left: Callable[[], float]
    ) -> bool:
        """The same of the second copy, which stops nothing if it cannot be read; whether its listing is whole."""
        if self.archive.second_copy is None:
            return True
        try:
            place = store(self.archive.second_copy, self.source.base, session)
            whole = self._list(index, 1, place, now, left)
            if whole:
                reader.go_on(place, 1, max(self.archive.read_at_most - reader.read_bytes, 0))
            index.keep("copy fails", None)
        except PollError as error:
            index.drop()
            index.keep("copy fails", session.mask(str(error)))
            return True
        return whole

    def list_now(self, index: Index, session: Session) -> bool:
        """List the archive itself, for whoever wants its newest files; whether that came to its end in time."""
        place = store(self.archive.path, self.source.base, session)
        return self._list(index, 0, place, session.clock(), session.left)

    def known(self) -> Ground:
        """The ground, with what anybody told of who moved on which day."""
        try:
            reader = StateReader(self.state)
        except StateError:
            return self.ground
        try:
            return replace(self.ground, moved=days_moved(reader, self.source.fleet))
        finally:
            reader.close()

    def _places(self, session: Session) -> tuple[int | None, bool | None]:
        """Bytes that are free, and whether the second copy lies on a device of its own."""
        first, second = store(self.archive.path, self.source.base, session), self.archive.second_copy
        try:
            apart = first.device() != store(second, self.source.base, session).device() if second else None
        except PollError:
            apart = None
        return first.free(), apart

    def _list(self, index: Index, copy: int, place: Store, now: float, left: Callable[[], float]) -> bool:
        """Whether the listing came to its end in time. Raises `PollError`."""
        layout = Layout(self.archive.pattern, self.archive.manifest)
        index.begin_listing(copy, self.archive.pattern.regex, now)
        done = 0
        while (path := index.next_folder(copy)) is not None:
            if left() <= 0:
                index.commit()
                return False
            try:
                # Asked before the listing: what changes meanwhile is another stamp's.
                stamp = place.stamp(path)
                if index.as_before(copy, path, stamp, now - _LISTED_WITHIN):
                    continue
                listing = place.folder(path)
                if index.take(copy, path, listing, layout, now, stamp) and layout.manifest and not copy:
                    _promise(index, path, listing, layout, place, left)
            except UnreadableError as error:
                index.refused(copy, path, error.kind)
            done += 1
            if done % _AT_A_TIME == 0:
                index.commit()
        index.end_listing(copy, now)
        before = index.fact(f"files {copy}")
        if before and not index.files(copy) and (copy or any(deleted_early(index, self.archive, self.known(), now))):
            # An unmounted disk looks like this; nothing of it is kept.
            index.drop()
            raise IncompleteError(f"no file at all, where {before} were")
        index.commit()
        return True


def _promise(
    index: Index, path: str, listing: Listing, layout: Layout, place: Store, left: Callable[[], float]
) -> None:
    """What the folder's manifest says; while it cannot be read, what it said before holds."""
    try:
        told = promises(place, path, listing, layout.manifest or "", left)
    except UnreadableError as error:
        index.in_doubt(0, path, "" if error.kind == "changing" else "manifest")
        return
    index.promise(path, {name: sha for name, sha in told.items() if layout.place(name)})


def whose(archive: Archive, ground: Ground) -> Whose:
    """What files have to say of themselves, as far as the roster goes."""
    drivers = frozenset(each.code for each in ground.drivers) if archive.pattern.kind == "driver" else frozenset()
    codes = {each.eld.casefold(): each.code for each in ground.drivers if each.eld}
    return Whose(drivers, frozenset(each.name for each in ground.trucks), codes)
