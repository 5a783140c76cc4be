"""Policies from a file into the library: drafts, and importing twice changes nothing."""

from dataclasses import dataclass, field, replace
from typing import Final

from handlers.domain.policy_library import PolicyEntry, bare_number, same_document
from handlers.domain.policy_sheet import Problem, ReadPolicy, Sheet
from handlers.ports import Work
from handlers.services.policies import PolicyService

# What the office keeps of an entry and no file speaks of.
_OWN: Final = frozenset({"id", "state", "author", "approved_by", "approved_at", "version"})


@dataclass(slots=True)
class Imported:
    """What an import did; names are titles."""

    created: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    unchanged: int = 0
    rejected: list[Problem] = field(default_factory=list)
    remarks: list[Problem] = field(default_factory=list)


class PolicyImport:
    def __init__(self, work: Work, policies: PolicyService) -> None:
        self._work = work
        self._policies = policies

    def take(self, sheet: Sheet, by: str) -> Imported:
        """Every policy of the file; what it says nothing of stays as it is."""
        done = Imported(rejected=list(sheet.rejected), remarks=list(sheet.remarks))
        ids = [(read, self._kept(read, by, done)) for read in sheet.policies]
        for read, entry_id in ids:
            if read.successor:
                self._follow(read, entry_id, by, done)
        return done

    def _kept(self, read: ReadPolicy, by: str, done: Imported) -> int:
        before = self.same(read.entry)
        if before is None:
            entry = self._policies.add(read.entry, by)
            done.created.append(entry.title)
            return entry.id
        values = {
            name: getattr(read.entry, name)
            for name in read.given - _OWN
            if not (name in ("category", "checked_on") and getattr(read.entry, name) is None)
        }
        if replace(before, **values) == before:
            done.unchanged += 1
        else:
            self._policies.change(before.id, by, values)
            done.changed.append(before.title)
        return before.id

    def same(self, entry: PolicyEntry) -> PolicyEntry | None:
        return next((e for e in self._work.policies.all() if same_document(e, entry)), None)

    def _follow(self, read: ReadPolicy, entry_id: int, by: str, done: Imported) -> None:
        named = bare_number(read.successor.strip("《》"))
        found = next(
            (
                e
                for e in self._work.policies.all()
                if named in (bare_number(e.number), bare_number(e.title)) and e.id != entry_id
            ),
            None,
        )
        if found is None:
            done.remarks.append(Problem(read.row, read.entry.title, "no_successor", read.successor))
            return
        before = self._policies.entry(entry_id)
        if before.superseded_by != found.id:
            self._policies.change(entry_id, by, {"superseded_by": found.id})
            if before.title not in (*done.created, *done.changed):
                done.changed.append(before.title)
                done.unchanged -= 1
