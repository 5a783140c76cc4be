"""Announcements: draft, review, send to each approved firm once, stop, correct, and who has read.

The targets stand in the database before the first message; what leaves goes through the outbox in
batches, behind whatever is more urgent.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from handlers.chat.events import ChatKind, ChatRef
from handlers.chat.outbound import Card, Content, Kind, Priority
from handlers.domain import announcement as rules
from handlers.domain.announcement import (
    LATE,
    Announcement,
    AnnouncementId,
    Audience,
    Move,
    Progress,
    ReadBy,
    Route,
    State,
    Target,
    TargetState,
    progress_of,
)
from handlers.domain.category import Category
from handlers.domain.errors import BadInput, NoSuch, NotPermitted, WrongState
from handlers.domain.ids import EnterpriseId, PersonId
from handlers.domain.notices import opens_at
from handlers.domain.people import Chat, Enterprise, Person, Role
from handlers.domain.schedule import Days, Every, Rule, Schedule, ScheduleKind, next_after, parse
from handlers.domain.workdays import WorkCalendar
from handlers.ports import Clock, Links, Outgoing, StillSending, Work
from handlers.ports.announcements import AnnouncementFile
from handlers.texts import announcements as say
from handlers.understanding.secrecy import marks_in

FILES_MOST: Final = 5
_BATCH: Final = 100
# The next batch follows this much later, so that whatever else waits is put between.
_PAUSE: Final = timedelta(seconds=1)
_BEAT: Final = timedelta(minutes=1)
_LINK_LASTS: Final = timedelta(days=30)
_LATELY: Final = timedelta(days=30)
_QUOTED_DAYS: Final = timedelta(days=60)
_INTEREST: Final = timedelta(days=365)
# A run that comes round is left out when it is late; one that comes once is asked about.
_ANY_LATENESS: Final = timedelta(days=3650)


class Read(StrEnum):
    """What came of a receipt."""

    NEW = "new"
    AGAIN = "again"
    NOT_YOURS = "not_yours"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class Draft:
    """What somebody wants to be told, before it has a number."""

    kind: rules.Kind
    title: str
    text: str
    audience: Audience
    route: Route = Route.GROUP
    need_receipt: bool = False
    send_at: datetime | None = None
    rule: str = ""
    valid_until: datetime | None = None
    corrects: AnnouncementId | None = None
    source: str = ""


def key_of(number: AnnouncementId) -> str:
    """The key of its row among the schedules."""
    return f"announcement:{number}"


class Announcing:
    def __init__(self, work: Work, clock: Clock, calendar: WorkCalendar, links: Links) -> None:
        self._work = work
        self._clock = clock
        self._calendar = calendar
        self._links = links
        self._store = work.announcements

    # ---- writing

    def get(self, number: int) -> Announcement:
        """Raises NoSuch."""
        found = self._store.get(AnnouncementId(number))
        if found is None:
            raise NoSuch("announcement", number)
        return found

    def draft(self, by: Person, draft: Draft) -> Announcement:
        """Keep what is to be told; raises BadInput for what cannot be sent and NotPermitted."""
        now = self._clock.now()
        number = self._store.next_id()
        made = self._checked(by, Announcement(
            number,
            draft.kind,
            draft.title,
            draft.text,
            draft.audience,
            draft.route if by.role in rules.WRITERS else Route.DIRECT,
            draft.need_receipt,
            by.id,
            now,
            rule=draft.rule,
            send_at=draft.send_at,
            valid_until=draft.valid_until,
            corrects=draft.corrects,
            source=draft.source,
        ))  # fmt: skip
        self._store.add(made)
        self._audit(by, "drafted", made)
        return made

    def change(self, by: Person, number: int, draft: Draft) -> Announcement:
        """A draft as its author wants it now."""
        before = self.own_draft(by, number)
        after = replace(
            _anew(before),
            kind=draft.kind,
            title=draft.title,
            text=draft.text,
            audience=draft.audience,
            route=draft.route if by.role in rules.WRITERS else Route.DIRECT,
            need_receipt=draft.need_receipt,
            send_at=draft.send_at,
            rule=draft.rule,
            valid_until=draft.valid_until,
            corrects=draft.corrects,
            source=draft.source,
        )
        after = self._checked(by, after)
        self._store.save(after)
        return after

    def _checked(self, by: Person, made: Announcement) -> Announcement:
        now = self._clock.now()
        corrected = None if made.corrects is None else self._store.get(made.corrects)
        if corrected is not None and not made.audience.named:
            # Who read the wrong one reads the right one.
            made = replace(made, audience=self._same_firms(corrected))
        made = rules.checked(made, corrected, now)
        self._screen(made)
        if made.rule and next_after(parse(made.rule, self._calendar), now, self._calendar) is None:
            raise BadInput("until_past")
        firms = self.firms(made)
        if not firms:
            raise BadInput("announce_nobody")
        rules.may_write(by, made.route, [f.id for f in firms], self.own_firms(by))
        return made

    def _same_firms(self, corrected: Announcement) -> Audience:
        told = [
            t.enterprise_id
            for t in self._store.targets(corrected.id, corrected.round)
            if t.state in (TargetState.SENT, TargetState.WAITING)
        ]
        return Audience(enterprises=tuple(told)) if told else corrected.audience

    def _screen(self, made: Announcement) -> None:
        """Raises BadInput('announce_secret') with the words that stop it."""
        names = "\n".join(f.name for f in self._store.files(made.id))
        found = marks_in("\n".join((made.title, made.text, made.source, names)))
        if found:
            raise BadInput("announce_secret", words="」「".join(found))

    def own_firms(self, person: Person) -> frozenset[EnterpriseId]:
        """The firms that somebody is paired with now."""
        return frozenset(
            p.enterprise_id
            for p in self._work.people.pairings()
            if p.ends_at is None and person.id in (p.liaison_id, p.leader_id)
        )

    def firms(self, made: Announcement) -> tuple[Enterprise, ...]:
        """Whom it is for: as approved where it is, else as the registry stands now."""
        people = self._work.people
        if made.round:
            found = (
                people.enterprise(t.enterprise_id) for t in self._store.targets(made.id, made.round)
            )
            return tuple(f for f in found if f is not None)
        since = self._clock.now() - _INTEREST
        interested: Mapping[Category, frozenset[EnterpriseId]] = self._store.interested(
            made.audience.interests, since
        )
        return rules.resolve(made.audience, people.enterprises(), interested)

    def files(self, number: AnnouncementId) -> tuple[AnnouncementFile, ...]:
        return self._store.files(number)

    def add_file(
        self, by: str, number: int, name: str, content_type: str, words: str, digest: str
    ) -> AnnouncementFile:
        """A kept file whose content was looked at; `words` is what could be read in it."""
        made = self._draft(number)
        if len(self._store.files(made.id)) >= FILES_MOST:
            raise BadInput("file_too_many", most=FILES_MOST)
        found = marks_in(f"{name}\n{words}")
        if found:
            raise BadInput("file_secret", words="」「".join(found))
        file = self._store.add_file(made.id, name, content_type, digest)
        facts = {"file": file.id, "size": file.size, "type": content_type}
        self._work.audit.add(self._clock.now(), by, "announcement.file", key_of(made.id), facts)
        self._store.save(_anew(made))
        return file

    def drop_file(self, by: str, number: int, file_id: int) -> None:
        """Raises NoSuch."""
        made = self._draft(number)
        if not self._store.drop_file(made.id, file_id):
            raise NoSuch("file", file_id)
        facts = {"file": file_id}
        self._work.audit.add(self._clock.now(), by, "announcement.unfile", key_of(made.id), facts)
        self._store.save(_anew(made))

    def own_draft(self, by: Person, number: int) -> Announcement:
        """Raises NotPermitted for another's."""
        if self.get(number).author_id != by.id:
            raise NotPermitted("announce_role")
        return self._draft(number)

    def _draft(self, number: int) -> Announcement:
        """Raises NoSuch, and WrongState for what is no draft any more."""
        found = self.get(number)
        if found.state is not State.DRAFT:
            raise WrongState("announce_state", state=found.state.value)
        return found

    # ---- review

    def submit(self, by: Person, number: int) -> tuple[Announcement, Person]:
        """Ask for a second person's yes; who is asked."""
        before = self.own_draft(by, number)
        self._checked(by, before)
        approver = self._approver(before)
        if approver is None:
            raise BadInput("announce_no_approver")
        now = self._clock.now()
        after = replace(before, submitted_at=now, version=before.version + 1)
        self._store.save(after)
        self._audit(by, "submitted", after)
        self._tell(
            approver.id, Content.of(self.review_card(after)), f"review:{after.id}:{after.version}"
        )
        return after, approver

    def _approver(self, made: Announcement) -> Person | None:
        """The head of the office, else a colleague of it, else a leader; never the author."""
        people, now = self._work.people, self._clock.now()
        asked = [people.chief(), *people.people(Role.OFFICE), *people.people(Role.LEADER)]
        there = [p for p in asked if p is not None and p.active and p.id != made.author_id]
        present = [p for p in there if not people.is_away(p.id, now)]
        chosen = present or there
        return chosen[0] if chosen else None

    def approve(self, by: Person, number: int, seen: int | None = None) -> tuple[Announcement, int]:
        """The list is frozen as it stands, and sent or planned; how many firms it is for.

        `seen`: the version that was reviewed; raises WrongState where it is another one now.
        """
        rules.may_approve(self.get(number), by)
        before = self._draft(number)
        if seen is not None and seen != before.version:
            raise WrongState("announce_changed")
        now = self._clock.now()
        if before.is_over(now):
            raise BadInput("announce_over")
        self._screen(before)
        firms = self.firms(before)
        if not firms:
            raise BadInput("announce_nobody")
        after = replace(before.move(Move.APPROVE), approver_id=by.id, approved_at=now, round=1)
        self._store.freeze(after.id, 1, self._routed(after.route, firms))
        self._store.save(after)
        self._audit(by, "approved", after, targets=len(firms))
        self._stop_wrong(after)
        after = self._plan(after)
        return after, len(firms)

    def send_back(self, by: Person, number: int, reason: str) -> Announcement:
        before = self.get(number)
        rules.may_approve(before, by)
        if before.state is not State.DRAFT or before.submitted_at is None:
            raise WrongState("announce_not_submitted")
        after = _anew(before)
        self._store.save(after)
        self._audit(by, "sent_back", after)
        told = Content(say.sent_back(after, by.name, reason))
        self._tell(after.author_id, told, f"back:{after.id}:{after.version}")
        return after

    def _stop_wrong(self, correction: Announcement) -> None:
        """What is found wrong goes on to nobody."""
        wrong = None if correction.corrects is None else self._store.get(correction.corrects)
        if wrong is not None and wrong.state in (State.APPROVED, State.SENDING, State.PAUSED):
            stopped = self._withdraw(wrong)
            if stopped.began_at is not None:
                # It stays where it stands: the correction points to it.
                self._refresh(stopped)

    def _plan(self, made: Announcement) -> Announcement:
        """Begin now, or when its time comes."""
        rule = self._rule(made)
        if rule is None:
            return self._begin(made)
        now = self._clock.now()
        self._put_schedule(made, str(rule), next_after(rule, now, self._calendar))
        return made

    def _rule(self, made: Announcement) -> Rule | None:
        if made.rule:
            return parse(made.rule, self._calendar)
        if made.send_at is None or made.send_at <= self._clock.now():
            return None
        at = made.send_at.astimezone(self._calendar.zone)
        return Rule(Days(Every.ONCE), once=at.replace(second=0, microsecond=0))

    def _put_schedule(self, made: Announcement, rule: str, at: datetime | None) -> None:
        schedule = Schedule(
            key_of(made.id),
            ScheduleKind.ANNOUNCEMENT,
            rule,
            at,
            LATE if made.rule else _ANY_LATENESS,
            self._clock.now(),
        )
        if self._work.schedules.get(schedule.key) is None:
            self._work.schedules.add(schedule)
        else:
            self._work.schedules.save(schedule)

    def _end_schedule(self, number: AnnouncementId) -> None:
        schedule = self._work.schedules.get(key_of(number))
        if schedule is not None and schedule.next_at is not None:
            self._work.schedules.save(replace(schedule, on=False, next_at=None))

    # ---- which way

    def _whole_groups(self, firms: Sequence[Enterprise]) -> Mapping[str, Chat]:
        """Groups in which everybody is meant: nobody else hears what is said there."""
        meant = {f.id for f in firms}
        members: dict[str, list[EnterpriseId]] = {}
        for firm in self._work.people.enterprises():
            if firm.active and firm.group:
                members.setdefault(firm.group, []).append(firm.id)
        chats: dict[str, Chat] = {}
        for chat in self._work.chats.chats():
            if chat.kind == ChatKind.GROUP.value and chat.registered and chat.title:
                known = chats.get(chat.title)
                if known is None or (chat.is_main and not known.is_main):
                    chats[chat.title] = chat
        return {
            title: chat
            for title, chat in chats.items()
            if title in members and meant.issuperset(members[title])
        }

    def _routed(self, route: Route, firms: Sequence[Enterprise]) -> list[Target]:
        whole = self._whole_groups(firms) if route is not Route.DIRECT else {}
        return [
            Target(f.id, route if self._hears(f, whole.get(f.group)) else Route.DIRECT)
            for f in firms
        ]

    def _hears(self, firm: Enterprise, chat: Chat | None) -> bool:
        """Whether the firm hears what is said there: its people may be on other platforms alone."""
        if chat is None:
            return False
        people = self._work.people
        staff = [p for p in people.people(Role.MANAGER, firm.id) if p.active]
        known = {i.platform for p in staff for i in people.identities(p.id)}
        reached = {one for p in staff for one in self._work.outbox.ways_to(p.id)}
        return chat.platform in known or not reached

    def groups(self, made: Announcement) -> int:
        """How many groups hear it as a whole."""
        if made.route is Route.DIRECT:
            return 0
        firms = self.firms(made)
        whole = self._whole_groups(firms)
        return len({f.group for f in firms if f.group in whole})

    # ---- sending

    def start(self, schedule: Schedule, planned: datetime) -> None:
        """Its time has come; what comes much too late waits for a person's word."""
        found = self._store.get(AnnouncementId(int(schedule.key.rpartition(":")[2])))
        now = self._clock.now()
        if found is None or found.state not in (State.APPROVED, State.SENT, State.SENDING):
            return
        if found.is_over(now):
            self._expire(found)
            return
        if found.state is State.APPROVED and not found.rule and now - planned > LATE:
            self._rest(found, "late", planned)
            return
        if found.state is State.SENDING:
            # The last round is still under way: nobody is told twice at once.
            return
        self._begin(found)

    def _begin(self, made: Announcement) -> Announcement:
        now = self._clock.now()
        after = made.move(Move.BEGIN)
        if made.began_at is not None:
            firms = [f for f in self.firms(made) if f.active]
            after = replace(after, round=made.round + 1)
            self._store.freeze(after.id, after.round, self._routed(after.route, firms))
        after = replace(after, began_at=now, seen_at=now, next_at=now, ended_at=None, paused="")
        self._store.save(after)
        self._audit(None, "begun", after, round=after.round)
        wrong = None if after.corrects is None else self._store.get(after.corrects)
        if wrong is not None:
            self._refresh(wrong)
        self._feed(after)
        return after

    def _feed(self, made: Announcement) -> None:
        """Put the next batch into the outbox."""
        now = self._clock.now()
        targets, more = self._store.unqueued(made.id, made.round, _BATCH)
        chats: Mapping[str, Chat] = {}
        if any(t.route is not Route.DIRECT for t in targets):
            chats = self._whole_groups(self.firms(made))
        for target in targets:
            self._queue(made, target, chats, now)
        self._store.beat(made.id, now, now + _PAUSE if more else None)

    def _queue(
        self, made: Announcement, target: Target, chats: Mapping[str, Chat], now: datetime
    ) -> None:
        people = self._work.people
        firm = people.enterprise(target.enterprise_id)
        if firm is None or not firm.active:
            self._store.skip(made.id, made.round, target.enterprise_id, "inactive")
            return
        chat = chats.get(firm.group) if target.route is not Route.DIRECT else None
        grouped = None if chat is None else self._to_group(made, chat, now)
        direct = None
        if target.route is not Route.GROUP or chat is None:
            contact = people.main_contact(firm.id)
            why = ""
            if contact is None or not contact.active:
                why = "no_contact"
            elif not self._work.outbox.ways_to(contact.id):
                why = "no_address"
            if why and grouped is None:
                self._store.skip(made.id, made.round, firm.id, why)
                return
            if contact is not None and not why:
                direct = self._to_firm(made, firm, contact)
        self._store.queued(made.id, made.round, firm.id, direct, grouped)

    def _to_firm(self, made: Announcement, firm: Enterprise, contact: Person) -> int | None:
        key = f"announcement:{made.id}:{made.round}:firm:{firm.id}"
        content = Content.of(self.firm_card(made, contact), Kind.ANNOUNCEMENT)
        row = self._work.outbox.put(
            Outgoing(
                content,
                person=contact.id,
                priority=Priority.BROADCAST,
                dedupe_key=key,
                not_after=made.valid_until,
                still=StillSending(made.id, made.round, rules.may_pass_hours(made.kind)),
            )
        )
        return row if row is not None else self._store.row_of(key)

    def _to_group(self, made: Announcement, chat: Chat, now: datetime) -> int | None:
        key = f"announcement:{made.id}:{made.round}:group:{chat.platform}:{chat.id}"
        opening = now
        if not rules.may_pass_hours(made.kind):
            opening = opens_at(now, self._work.office.policy())
        row = self._work.outbox.put(
            Outgoing(
                Content.of(self.group_card(made), Kind.ANNOUNCEMENT),
                chat=ChatRef(chat.platform, chat.id),
                priority=Priority.BROADCAST,
                dedupe_key=key,
                not_before=None if opening <= now else opening,
                not_after=made.valid_until,
                still=StillSending(made.id, made.round, rules.may_pass_hours(made.kind)),
            )
        )
        return row if row is not None else self._store.row_of(key)

    def tick(self) -> None:
        """Go on with what is being sent, put away what is done, end what is over."""
        now = self._clock.now()
        for made in self._store.over(now):
            self._expire(made)
        for made in self._store.busy():
            if made.next_at is not None and made.next_at <= now:
                self._feed(made)
            elif made.seen_at is None or now - made.seen_at >= _BEAT:
                self._store.beat(made.id, now, made.next_at)
            self._finish(made)

    def _finish(self, made: Announcement) -> None:
        if self._store.unqueued(made.id, made.round, 1)[0] or self.progress(made).waiting:
            return
        self._store.settle(made.id, made.round)
        done = replace(made.move(Move.FINISH), ended_at=self._clock.now(), next_at=None)
        self._store.save(done)

    def after_a_break(self) -> None:
        """What was under way before the process rested for hours, or before an old copy was
        restored, waits for a person's word: who knows what has gone out since."""
        now = self._clock.now()
        for made in self._store.busy():
            if made.seen_at is not None and now - made.seen_at > LATE:
                self._rest(made, "late", made.seen_at)

    def _rest(self, made: Announcement, why: str, planned: datetime) -> None:
        resting = replace(made.move(Move.PAUSE), paused=why, next_at=None)
        self._store.save(resting)
        self._store.hold(made.id)
        self._audit(None, "paused", resting, why=why)
        told = Content(say.late(made, planned, self._clock.now()))
        for person in {made.author_id, made.approver_id} - {None}:
            assert person is not None
            self._tell(person, told, f"late:{made.id}:{made.version}:{person}")

    # ---- steering

    def pause(self, by: Person, number: int) -> Announcement:
        before = self.get(number)
        rules.may_steer(before, by)
        after = replace(before.move(Move.PAUSE), paused="by_hand", next_at=None)
        self._store.save(after)
        self._store.hold(after.id)
        if before.state is State.APPROVED:
            self._end_schedule(after.id)
        self._audit(by, "paused", after)
        return after

    def resume(self, by: Person, number: int) -> Announcement:
        before = self.get(number)
        rules.may_steer(before, by)
        now = self._clock.now()
        if before.is_over(now):
            raise BadInput("announce_over")
        if before.began_at is None:
            waiting = replace(before.move(Move.WAIT), paused="")
            self._store.save(waiting)
            self._audit(by, "resumed", waiting)
            return self._plan(waiting)
        after = replace(before.move(Move.RESUME), paused="", next_at=now, seen_at=now)
        self._store.save(after)
        self._store.release(after.id)
        self._audit(by, "resumed", after)
        self._feed(after)
        return after

    def withdraw(self, by: Person, number: int) -> Announcement:
        """What has not gone never goes; what has gone is taken back or marked, else told."""
        before = self.get(number)
        rules.may_steer(before, by)
        after = self._withdraw(before)
        if after.began_at is not None:
            self._take_back(after)
        self._audit(by, "withdrawn", after)
        return after

    def _withdraw(self, made: Announcement) -> Announcement:
        after = replace(made.move(Move.WITHDRAW), next_at=None, ended_at=self._clock.now())
        self._end(after, "withdrawn")
        return after

    def _take_back(self, made: Announcement) -> None:
        """Who may have acted on it is told so, also where the message itself disappears."""
        read = {t.enterprise_id for t in self.targets(made) if t.read_at is not None}
        for said in self._store.spoken(made.id, made.round):
            what, _, whose = said.key.split(":", 3)[-1].partition(":")
            contact = self._work.people.main_contact(EnterpriseId(whose))
            card: Card | None = None
            if what == "group":
                card = self.group_card(made)
            elif what == "firm" and contact is not None:
                card = self.firm_card(made, contact)
            # A second push says nothing that the card did not say.
            told = "" if card is None else say.taken_back(made)
            acted = what == "group" or (what == "firm" and EnterpriseId(whose) in read)
            self._work.outbox.take_back(
                said.id, Content(told, card, Kind.ANNOUNCEMENT), says_so=acted
            )

    def _expire(self, made: Announcement) -> None:
        after = replace(made.move(Move.EXPIRE), next_at=None, ended_at=self._clock.now())
        self._end(after, "expired")
        self._audit(None, "expired", after)

    def _end(self, after: Announcement, why: str) -> None:
        self._store.save(after)
        self._end_schedule(after.id)
        if after.round:
            self._store.drop(after.id, why)
            self._store.settle(after.id, after.round)

    # ---- who has read

    def progress(self, made: Announcement) -> Progress:
        if not made.round:
            return Progress(len(self.firms(made)), 0, 0, 0, 0)
        return progress_of(self._store.targets(made.id, made.round))

    def shown_state(self, made: Announcement, progress: Progress) -> State:
        """`sent` as soon as nothing waits, also before the sending was put away."""
        done = made.state is State.SENDING and progress.waiting == 0
        return State.SENT if done else made.state

    def targets(self, made: Announcement) -> tuple[Target, ...]:
        return self._store.targets(made.id, made.round) if made.round else ()

    def read(self, person: Person, made: Announcement, by: ReadBy) -> Read:
        """A firm has read; the count in the group follows."""
        if person.enterprise_id is None:
            return Read.NOT_YOURS
        target = self._store.target(made.id, made.round, person.enterprise_id)
        if target is None:
            return Read.NOT_YOURS
        now = self._clock.now()
        if made.state in (State.WITHDRAWN, State.EXPIRED) or made.is_over(now):
            return Read.OVER
        if not self._store.read(made.id, made.round, person.enterprise_id, now, by):
            return Read.AGAIN
        facts = {"firm": person.enterprise_id, "by": by.value}
        self._work.audit.add(now, person.id, "announcement.read", key_of(made.id), facts)
        if target.route is not Route.DIRECT and made.need_receipt:
            self._count_in_groups(made)
        return Read.NEW

    def _count_in_groups(self, made: Announcement) -> None:
        """The card in the group is replaced, never a new message."""
        progress = self.progress(made)
        card = self.group_card(made)
        for chat in self._store.group_chats(made.id, made.round):
            self._work.outbox.put(
                Outgoing(
                    Content.of(card, Kind.ANNOUNCEMENT),
                    chat=chat,
                    priority=Priority.BROADCAST,
                    dedupe_key=f"count:{made.id}:{made.round}:{chat.platform}:{chat.id}:{progress.read}",
                    update=True,
                )
            )

    def of_quote(
        self, platform: str, ref: str, words: str, firm: EnterpriseId | None
    ) -> Announcement | None:
        """The announcement that a quoted message is: by the message, else by the words."""
        number = self._store.of_sent(platform, ref) if ref else None
        if number is not None:
            return self._store.get(number)
        if firm is None or not words:
            return None
        since = self._clock.now() - _QUOTED_DAYS
        fitting = [a for a in self._store.open_for(firm, since) if a.title in words]
        return fitting[0] if fitting else None

    def shown(self, platform: str, ref: str) -> Announcement | None:
        """The announcement whose present round a message of the bot shows."""
        found = self._store.shown_by(platform, ref)
        made = None if found is None else self._store.get(found[0])
        return made if found is not None and made is not None and made.round == found[1] else None

    def waiting_for(self, firm: EnterpriseId) -> Announcement | None:
        """The one announcement that a firm has still to confirm; None where several could be meant."""
        lately = self._clock.now() - timedelta(days=3)
        found = [a for a in self._store.open_for(firm, lately) if a.need_receipt]
        return found[0] if len(found) == 1 else None

    def unread(
        self, person: Person, made: Announcement
    ) -> list[tuple[Enterprise, Target, Person | None]]:
        """The own firms that have not read, for their liaison alone."""
        people = self._work.people
        own = {
            p.enterprise_id
            for p in people.pairings()
            if p.ends_at is None and p.liaison_id == person.id
        }
        found = []
        for target in self.targets(made):
            firm = people.enterprise(target.enterprise_id)
            if target.read_at is None and firm is not None and firm.id in own:
                found.append((firm, target, people.main_contact(firm.id)))
        return found

    def nudge(self, by: Person, made: Announcement) -> int:
        """One private second push to who has not read: a liaison's own firms, or all of them."""
        now = self._clock.now()
        if made.state not in (State.SENDING, State.SENT) or made.is_over(now):
            raise WrongState("announce_state", state=made.state.value)
        own = self.own_firms(by)
        whole = by.role in rules.WRITERS
        if not whole and by.role is not Role.LIAISON:
            raise NotPermitted("announce_role")
        count = 0
        for target in self.targets(made):
            firm = target.enterprise_id
            if target.state is not TargetState.SENT or not (whole or firm in own):
                continue
            contact = self._work.people.main_contact(firm)
            if contact is None or not self._work.people.identities(contact.id):
                continue
            if not self._store.nudged(made.id, made.round, firm, now):
                continue
            count += 1
            self._work.outbox.put(
                Outgoing(
                    Content(say.nudge(made, now, self.link(made, contact)), kind=Kind.ANNOUNCEMENT),
                    person=contact.id,
                    priority=Priority.BROADCAST,
                    dedupe_key=f"announcement:{made.id}:{made.round}:nudge:{firm}",
                    not_after=made.valid_until,
                    still=StillSending(made.id, made.round),
                )
            )
        self._audit(by, "nudged", made, count=count)
        return count

    # ---- cards

    def link(self, made: Announcement, person: Person) -> str:
        until = made.valid_until or self._clock.now() + _LINK_LASTS
        return self._links.to("announcement", str(made.id), person.id, until)

    def corrected(self, made: Announcement) -> Announcement | None:
        """The one that this one puts right."""
        return None if made.corrects is None else self._store.get(made.corrects)

    def correction(self, made: Announcement) -> Announcement | None:
        """The one that puts this one right."""
        return self._store.correction_of(made.id)

    def _over(self, made: Announcement) -> str:
        if self.correction(made) is not None:
            return say.CORRECTED
        if made.state is State.WITHDRAWN:
            return say.WITHDRAWN
        over = made.state is State.EXPIRED or made.is_over(self._clock.now())
        return say.EXPIRED if over else ""

    def firm_card(self, made: Announcement, contact: Person, read: bool = False) -> Card:
        return say.card(
            made,
            self._clock.now(),
            files=len(self._store.files(made.id)),
            link=self.link(made, contact),
            corrected=self.corrected(made),
            read=read,
            over=self._over(made),
        )

    def group_card(self, made: Announcement) -> Card:
        """With the count and nobody's name."""
        return say.card(
            made,
            self._clock.now(),
            files=len(self._store.files(made.id)),
            corrected=self.corrected(made),
            progress=self.progress(made) if made.need_receipt else None,
            in_group=True,
            over=self._over(made),
        )

    def preview(self, made: Announcement, by: Person) -> Card:
        """As a firm sees it; the link leads whoever looks at the preview."""
        return self.firm_card(made, by)

    def _refresh(self, made: Announcement) -> None:
        """Show on every card that went out that it no longer holds."""
        people = self._work.people
        mark = f"{made.id}:{made.round}:{self._over(made)}"
        for chat in self._store.group_chats(made.id, made.round):
            self._work.outbox.put(
                Outgoing(
                    Content.of(self.group_card(made), Kind.ANNOUNCEMENT),
                    chat=chat,
                    priority=Priority.BROADCAST,
                    dedupe_key=f"over:{mark}:{chat.platform}:{chat.id}",
                    update=True,
                )
            )
        for target in self.targets(made):
            contact = people.main_contact(target.enterprise_id)
            if target.state is not TargetState.SENT or target.route is Route.GROUP:
                continue
            if contact is None or not people.identities(contact.id):
                continue
            self._work.outbox.put(
                Outgoing(
                    Content.of(self.firm_card(made, contact), Kind.ANNOUNCEMENT),
                    person=contact.id,
                    priority=Priority.BROADCAST,
                    dedupe_key=f"over:{mark}:{target.enterprise_id}",
                    update=True,
                )
            )

    def draft_card(self, made: Announcement) -> Card:
        return say.draft_card(made, self.firms(made), self._clock.now(), self.groups(made))

    def review_card(self, made: Announcement) -> Card:
        now = self._clock.now()
        return say.review_card(made, self.firms(made), now, self.groups(made), self._author(made))

    def reviewed_card(self, made: Announcement) -> Card:
        now = self._clock.now()
        return say.reviewed_card(made, self.firms(made), now, self.groups(made), self._author(made))

    def _author(self, made: Announcement) -> str:
        person = self._work.people.person(made.author_id)
        return "" if person is None else person.name

    def tell_author(self, made: Announcement, by: Person, targets: int) -> None:
        now = self._clock.now()
        told = Content(say.approved(made, targets, by.name, now))
        self._tell(made.author_id, told, f"approved:{made.id}:{made.version}")

    def recent(self, limit: int = 10) -> list[tuple[Announcement, Progress]]:
        since = self._clock.now() - _LATELY
        rows = [a for a in self._store.page(limit, None) if a.created_at >= since]
        return [(a, self.progress(a)) for a in rows]

    def unread_counts(self) -> tuple[tuple[Announcement, Progress], ...]:
        """For the brief: what asks for a receipt and lacks some."""
        return self._store.unread_counts(self._clock.now() - _LATELY)

    # ---- telling and noting

    def _tell(self, person: PersonId, content: Content, what: str) -> None:
        self._work.outbox.put(
            Outgoing(content, person=person, priority=Priority.REPLY, dedupe_key=f"desk:{what}")
        )

    def _audit(self, by: Person | None, act: str, made: Announcement, **facts: object) -> None:
        actor = "system" if by is None else by.id
        subject = key_of(made.id)
        self._work.audit.add(self._clock.now(), actor, f"announcement.{act}", subject, {**facts})


def _anew(draft: Announcement) -> Announcement:
    """Changed: whoever was asked to review it has not seen it as it is now."""
    return replace(draft, submitted_at=None, version=draft.version + 1)
