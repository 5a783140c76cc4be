"""Groups: whose they are, what for, until when; asked about once a quarter, archived, restored."""

from dataclasses import replace
from datetime import date, datetime
from typing import Final

from handlers.chat.events import ChatKind, ChatRef
from handlers.chat.outbound import Content, Kind, Priority
from handlers.domain.errors import BadInput, NoSuch
from handlers.domain.ids import PersonId
from handlers.domain.people import Chat, Person
from handlers.domain.workdays import WorkCalendar
from handlers.ports import Clock, Outgoing, Work
from handlers.texts import groups as say

_LONGEST: Final = 60


class GroupService:
    def __init__(self, work: Work, clock: Clock, calendar: WorkCalendar) -> None:
        self._work = work
        self._clock = clock
        self._calendar = calendar

    # ---- finding

    def named(self, name: str) -> Chat:
        """The group that a title or the start of one names; raises NoSuch."""
        groups = [c for c in self._work.chats.chats() if c.kind == ChatKind.GROUP.value]
        found = [c for c in groups if name in (c.title, c.id)]
        if not found:
            found = [c for c in groups if name and name in c.title]
        if len(found) != 1:
            raise NoSuch("chat", name[:20])
        return found[0]

    def of(self, ref: ChatRef) -> Chat:
        chat = self._work.chats.chat(ref)
        if chat is None or chat.kind != ChatKind.GROUP.value:
            raise NoSuch("chat", ref.id[:20])
        return chat

    def owner(self, chat: Chat) -> str:
        person = None if chat.owner_id is None else self._work.people.person(chat.owner_id)
        return "" if person is None else person.name

    def listed(self) -> str:
        groups = [c for c in self._work.chats.chats() if c.kind == ChatKind.GROUP.value]
        return say.listed([(c, self.owner(c)) for c in groups])

    # ---- changing

    def may_change(self, chat: Chat, by: Person) -> None:
        """Raises BadInput unless it is the office's or the owner's to say."""
        if not by.is_office and chat.owner_id != by.id:
            raise BadInput("group_owner", owner=self.owner(chat) or say.named(chat))

    def describe(
        self,
        chat: Chat,
        by: Person,
        owner: Person | None = None,
        purpose: str = "",
        ends_on: date | None = None,
    ) -> str:
        """Say whose a group is, what for and until when; what is not said stays."""
        self.may_change(chat, by)
        if ends_on is not None and ends_on < self._today():
            raise BadInput("until_past")
        if len(purpose) > _LONGEST:
            raise BadInput("too_long")
        changed = replace(
            chat,
            owner_id=chat.owner_id if owner is None else owner.id,
            purpose=purpose or chat.purpose,
            ends_on=ends_on or chat.ends_on,
            registered=True,
        )
        self._save(changed, by, "chat.described")
        return say.saved(changed, self.owner(changed))

    def keep(self, chat: Chat, by: Person, ends_on: date | None) -> str:
        self.may_change(chat, by)
        if ends_on is not None and ends_on < self._today():
            raise BadInput("until_past")
        until = ends_on or chat.ends_on
        if until is not None and until < self._today():
            # Past its end and still wanted: nobody has said until when.
            until = None
        kept = replace(chat, ends_on=until, asked_at=self._clock.now())
        self._save(kept, by, "chat.kept")
        return say.kept(kept)

    def archive(self, chat: Chat, by: Person) -> str:
        """The bot says goodbye, then neither listens nor speaks there; everything is kept."""
        self.may_change(chat, by)
        if chat.is_main:
            raise BadInput("group_main")
        if chat.archived_at is not None:
            raise BadInput("group_archived", name=say.named(chat))
        now = self._clock.now()
        self._work.outbox.put(
            Outgoing(Content(say.farewell()), chat=ChatRef(chat.platform, chat.id))
        )
        archived = replace(chat, archived_at=now)
        self._save(archived, by, "chat.archived")
        return say.archived(archived)

    def restore(self, chat: Chat, by: Person) -> str:
        restored = replace(chat, archived_at=None, asked_at=self._clock.now())
        self._save(restored, by, "chat.restored")
        return say.restored(restored)

    def _save(self, chat: Chat, by: Person, action: str) -> None:
        self._work.chats.save_chat(chat)
        self._work.audit.add(self._clock.now(), by.id, action, chat.id, {})

    def _today(self) -> date:
        return self._clock.now().astimezone(self._calendar.zone).date()

    # ---- once a quarter

    def ask(self) -> None:
        """Ask whoever answers for temporary groups whether they are still needed, once a quarter."""
        now, quarter = self._clock.now(), _quarter(self._today())
        mine: dict[PersonId, list[Chat]] = {}
        for chat in self._work.chats.chats():
            if not chat.is_temporary or self._asked_in(chat.asked_at) == quarter:
                continue
            person = self._who_answers(chat, now)
            if person is not None:
                mine.setdefault(person.id, []).append(chat)
                self._work.chats.save_chat(replace(chat, asked_at=now))
        for person_id, chats in mine.items():
            rows = [(c, self.owner(c)) for c in chats]
            content = Content(say.ask(rows), kind=Kind.QUESTION)
            if len(rows) == 1:
                content = Content.of(say.ask_card(*rows[0]), Kind.QUESTION)
            key = f"groups:{quarter[0]}-{quarter[1]}:{person_id}"
            self._work.outbox.put(
                Outgoing(content, person=person_id, priority=Priority.DIGEST, dedupe_key=key)
            )

    def _who_answers(self, chat: Chat, now: datetime) -> Person | None:
        owner = None if chat.owner_id is None else self._work.people.person(chat.owner_id)
        if owner is None or not owner.active:
            return self._work.people.duty_person(now)
        return owner

    def _asked_in(self, at: datetime | None) -> tuple[int, int] | None:
        return None if at is None else _quarter(at.astimezone(self._calendar.zone).date())


def _quarter(day: date) -> tuple[int, int]:
    return day.year, (day.month + 2) // 3
