"""Campaigns: set up, filled from a file, ticked off by a sentence, taken back, told once at milestones."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from handlers.chat.events import ChatKind, ChatRef, InboundEvent
from handlers.chat.outbound import Card, Content, Kind, Priority
from handlers.domain.campaign import (
    MOST_TARGETS,
    Campaign,
    Counts,
    Mark,
    Target,
    TargetRow,
    WrongCount,
    counts,
    current_round,
    fresh_marks,
    groups,
    marked,
    milestones,
    reopened,
    ticked,
)
from handlers.domain.errors import BadInput, NoSuch
from handlers.domain.ids import EnterpriseId, PersonId, TicketNumber
from handlers.domain.people import Person, Role
from handlers.domain.ticket import Channel, Source, Ticket
from handlers.domain.ticket import Kind as TicketKind
from handlers.domain.workdays import WorkCalendar
from handlers.ports import Clock, Outgoing, Work
from handlers.ports.campaigns import Ticking
from handlers.services.briefs import BriefService
from handlers.services.tickets import Report, TicketService
from handlers.texts import campaigns as say
from handlers.understanding import FirmNames, Lexicon, read, title_of, topic, urgency
from handlers.understanding.ticks import (
    Tick,
    door_and_rest,
    doors_in,
    means_all,
    part_of,
    says_outright,
    tells_trouble,
    ticks_of,
    whole_number,
    without_part,
    words_of,
)

_UNDO_WITHIN: Final = timedelta(days=1)
_TELLS: Final = 0.5
_EDGES: Final = " :：,，.。"
_SEES_ALL: Final = frozenset({Role.OFFICE, Role.CHIEF, Role.LEADER, Role.AREA_HEAD})


@dataclass(frozen=True, slots=True)
class Question:
    """Several targets fit: one thing is asked, and the answer picks among `ids`."""

    campaign: Campaign
    round: int
    ids: tuple[int, ...]
    text: str
    result: str = ""
    back: bool = False


@dataclass(frozen=True, slots=True)
class Done:
    """What one sentence changed."""

    campaign: Campaign
    card: Card
    question: Question | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """What an import did; `rejected` and `remarks` are rows with their reasons."""

    created: int
    changed: int
    unchanged: int
    rejected: tuple[tuple[int, str], ...]
    remarks: tuple[tuple[int, str], ...]


@dataclass(slots=True)
class _Change:
    """The targets as a sentence leaves them, while it is worked on."""

    round: int
    after: dict[int, Target]
    same: list[Target]
    back: bool = False


class CampaignService:
    def __init__(
        self,
        work: Work,
        clock: Clock,
        calendar: WorkCalendar,
        tickets: TicketService,
        firms: FirmNames,
        lexicon: Lexicon | None = None,
    ) -> None:
        self._work = work
        self._clock = clock
        self._tickets = tickets
        self._firms = firms
        self._lexicon = lexicon
        self._briefs: Final = BriefService(work, clock, calendar)

    # ---- setting up

    def create(
        self, name: str, states: Sequence[str], by: str, owner: Person | None = None, **more: Any
    ) -> Campaign:
        """A new campaign; raises BadInput for a name that is taken or states that are none."""
        name = name.strip()
        states = tuple(dict.fromkeys(s.strip() for s in states if s.strip()))
        if not 2 <= len(name) <= 20:
            raise BadInput("campaign_name")
        if self._work.campaigns.named(name) is not None:
            raise BadInput("campaign_exists", name=name)
        if not 2 <= len(states) <= 6 or any(not 2 <= len(s) <= 6 for s in states):
            raise BadInput("campaign_states")
        if not 1 <= int(more.get("rounds", 1)) <= 10:
            raise BadInput("campaign_rounds")
        owner_id = None if owner is None else owner.id
        campaign = Campaign(0, name, states, self._clock.now(), owner_id=owner_id, **more)
        made = self._work.campaigns.add(campaign)
        self._audit(by, "campaign.created", made)
        return made

    def named(self, text: str) -> Campaign:
        """The campaign that a text names, or the only one under way; raises NoSuch."""
        under_way = self._work.campaigns.campaigns()
        found = [c for c in under_way if c.name in text]
        if not found and text:
            found = [c for c in under_way if text.split()[0] in c.name]
        if not found and not text:
            found = list(under_way)
        if len(found) != 1:
            raise NoSuch("campaign", text[:20])
        return found[0]

    def end(self, campaign: Campaign, by: Person) -> str:
        self._work.campaigns.save(replace(campaign, ended_at=self._clock.now()))
        self._audit(by.id, "campaign.ended", campaign)
        return say.ended(campaign, self._counts(campaign)[-1][1])

    def bind(self, campaign: Campaign, chat: ChatRef, by: Person) -> str:
        """Milestones go to that group from now on."""
        self._work.campaigns.save(replace(campaign, platform=chat.platform, chat=chat.id))
        self._audit(by.id, "campaign.bound", campaign)
        return say.bound(campaign)

    def add(self, campaign: Campaign, text: str, by: Person) -> str:
        """One more target: 5号楼 203 某某建材."""
        part = part_of(text)
        where, name = door_and_rest(without_part(text))
        group = "" if part is None else part.name
        grid = part.number if part is not None and part.is_grid else None
        given = TargetRow(1, "", name, group, where, grid)
        taken = self.take(campaign, (row_key(given),), by.id)
        if taken.rejected:
            raise BadInput("campaign_target")
        targets = self._work.campaigns.targets(campaign.number)
        target = next(t for t in targets if t.key == row_key(given).key)
        return say.added(campaign, target, counts(targets, 1))

    def _audit(self, by: str, action: str, campaign: Campaign, **facts: object) -> None:
        self._work.audit.add(self._clock.now(), by, action, f"campaign:{campaign.number}", facts)

    # ---- the list from a file

    def take(self, campaign: Campaign, rows: Iterable[TargetRow], by: str) -> Taken:
        """Import rows; the same rows again change nothing, and nothing that is done is opened again."""
        now = self._clock.now()
        self._work.campaigns.lock(campaign.number)
        known = {t.key: t for t in self._work.campaigns.targets(campaign.number)}
        seen: dict[str, int] = {}
        added: list[Target] = []
        changed: list[Target] = []
        rejected: list[tuple[int, str]] = []
        remarks: list[tuple[int, str]] = []
        unchanged = 0
        for row in rows:
            reason = self._wrong(campaign, row, seen)
            if reason:
                rejected.append((row.row, reason))
                continue
            seen[row.key] = row.row
            before = known.get(row.key)
            target, remark = self._target(campaign, row, before, now)
            if remark:
                remarks.append((row.row, remark))
            if before is None:
                added.append(target)
            elif target != before:
                changed.append(target)
            else:
                unchanged += 1
        if len(known) + len(added) > MOST_TARGETS:
            raise BadInput("campaign_most", limit=MOST_TARGETS)
        self._work.campaigns.add_targets(added)
        self._work.campaigns.save_targets(changed)
        if added or changed:
            facts = {"created": len(added), "changed": len(changed)}
            self._audit(by, "campaign.imported", campaign, **facts)
        # What a list brings along was reached before: nobody is told of it.
        targets = self._work.campaigns.targets(campaign.number)
        for one in milestones(campaign, targets):
            self._work.campaigns.reach(campaign.number, one.key, now)
        return Taken(len(added), len(changed), unchanged, tuple(rejected), tuple(remarks))

    def _wrong(self, campaign: Campaign, row: TargetRow, seen: Mapping[str, int]) -> str:
        """Why a row cannot be taken; empty where it can."""
        if not row.name and not (row.group or row.place or row.grid):
            return say.why("no_name")
        if row.key in seen:
            return say.why("twice", first=seen[row.key])
        if any(s and s not in campaign.states for s in row.states.values()):
            return say.why("bad_state", states="、".join(campaign.states))
        if not 0 <= row.size <= 1_000_000:
            return say.why("bad_size")
        if row.grid is not None and not 1 <= row.grid <= 99:
            return say.why("bad_grid")
        if row.firm and self._firm_id(row.firm) is None:
            return say.why("no_firm")
        if row.owner and self._owner_id(row.owner) is None:
            return say.why("no_owner")
        return ""

    def _firm_id(self, name: str) -> EnterpriseId | None:
        firm = self._work.people.enterprise(EnterpriseId(name))
        if firm is not None:
            return firm.id
        found = self._firms.match(name)
        return EnterpriseId(found[0]) if len(found) == 1 else None

    def _owner_id(self, name: str) -> PersonId | None:
        found = [p for p in self._work.people.by_name(name) if p.is_staff]
        exact = [p for p in found if name in (p.name, p.id)] or found
        return exact[0].id if len(exact) == 1 else None

    def _target(
        self, campaign: Campaign, row: TargetRow, before: Target | None, now: datetime
    ) -> tuple[Target, str]:
        firm_id = self._firm_id(row.firm or row.name) if row.firm or row.name else None
        firm = None if firm_id is None else self._work.people.enterprise(firm_id)
        marks = fresh_marks(campaign) if before is None else before.marks
        grid = row.grid
        if grid is None and firm is not None:
            grid = firm.grid
        target = Target(
            0 if before is None else before.id,
            campaign.number,
            row.key,
            row.name or row.group or say.grid_name(row.grid),
            marks,
            row.group,
            row.place,
            grid,
            firm_id,
            self._owner_id(row.owner) if row.owner else (before.owner_id if before else None),
            row.size,
            row.note,
        )
        remark = ""
        for number in range(1, campaign.rounds + 1):
            given, mark = row.states.get(number, ""), target.marks[number - 1]
            result = row.results.get(number, "")
            if given and given != mark.state:
                if mark.state == campaign.done_state:
                    remark = say.why("keeps_done", state=mark.state, given=given)
                    continue
                done = target.size or 1 if given == campaign.done_state else 0
                mark = Mark(given, done, result or mark.result, now, None)
                target = marked(target, number, mark)
            elif result and not mark.result:
                target = marked(target, number, replace(mark, result=result))
        return target, remark

    def rows(self, campaign: Campaign) -> list[dict[str, str]]:
        """The list as a table."""
        people = self._work.people
        tickets = self._work.campaigns.tickets(campaign.number)
        found = []
        for target in self._work.campaigns.targets(campaign.number):
            firm = None if target.enterprise_id is None else people.enterprise(target.enterprise_id)
            owner = None if target.owner_id is None else people.person(target.owner_id)
            found.append(
                say.row(
                    campaign,
                    target,
                    "" if firm is None else firm.short_name,
                    "" if owner is None else owner.name,
                    tickets.get(target.id, ()),
                )
            )
        return found

    # ---- ticking off

    def hear(self, text: str, by: Person, event: InboundEvent) -> Done | None:
        """What a sentence ticks off; None where it is of no campaign. Raises BadInput."""
        fitting: list[tuple[Campaign, tuple[Tick, ...], bool]] = []
        for campaign in self._work.campaigns.campaigns():
            ticks = ticks_of(text, words_of(campaign.done_state, campaign.words))
            strong = campaign.name in text
            if ticks and (strong or self._fits(campaign, ticks[0], text)):
                fitting.append((campaign, ticks, strong))
        if len(fitting) > 1 and any(strong for _, _, strong in fitting):
            fitting = [one for one in fitting if one[2]]
        if not fitting:
            return None
        if len(fitting) > 1:
            raise BadInput("tick_campaign", names="、".join(c.name for c, _, _ in fitting))
        campaign, ticks, _ = fitting[0]
        return self._tick(campaign, ticks, text, by, event)

    def _fits(self, campaign: Campaign, tick: Tick, text: str) -> bool:
        """Whether a sentence that does not name the campaign can only be about it."""
        targets = self._work.campaigns.targets(campaign.number)
        pool, named = self._pool(campaign, targets, tick, text)
        if tick.part is not None and not pool:
            # A door or a name that is not there is said so, where the part is.
            only_part = replace(tick, places=(), name="")
            pool, _ = self._pool(campaign, targets, only_part, "")
        if not pool:
            return False
        if tick.part is not None or tick.round is not None or tick.last is not None:
            return True
        return named and says_outright(tick.said, campaign.done_state, campaign.words)

    def _pool(
        self, campaign: Campaign, targets: Sequence[Target], tick: Tick, text: str
    ) -> tuple[list[Target], bool]:
        """The targets that a tick may mean, and whether it names them one by one."""
        pool = list(targets)
        if tick.part is not None:
            number = tick.part.number
            pool = [
                t
                for t in pool
                if tick.part in (part_of(t.group), part_of(t.name))
                or (tick.part.is_grid and t.grid == number)
            ]
        else:
            grouped = [g for g in groups(targets) if len(g) >= 2 and g in tick.said]
            if grouped:
                longest = max(grouped, key=len)
                pool = [t for t in pool if t.group == longest]
        if tick.places:
            return [t for t in pool if t.place in tick.places], True
        firms = set(self._firms.find(tick.said.replace(campaign.name, "")))
        own = [t for t in pool if t.enterprise_id in firms]
        if own:
            return own, True
        whole = [t for t in pool if len(t.name) >= 2 and t.name in tick.said and t.name != t.group]
        whole = [t for t in whole if part_of(t.name) is None]
        if whole:
            longest_name = max(len(t.name) for t in whole)
            return [t for t in whole if len(t.name) == longest_name], True
        name = tick.name.replace(campaign.name, "").strip()
        counted = tick.count is not None and any(t.size != 1 for t in pool)
        if len(name) >= 2 and not counted and not any(g and g in name for g in groups(targets)):
            part = [t for t in pool if name in t.name]
            return part, bool(part)
        narrowed = len(pool) < len(targets)
        speaks_of_all = campaign.name in text or tick.last is not None or tick.round is not None
        return (pool if narrowed or speaks_of_all else []), False

    def _tick(
        self,
        campaign: Campaign,
        ticks: Sequence[Tick],
        text: str,
        by: Person,
        event: InboundEvent,
    ) -> Done | None:
        self._work.campaigns.lock(campaign.number)
        targets = self._work.campaigns.targets(campaign.number)
        now = self._clock.now()
        change = _Change(0, {}, [])
        question: Question | None = None
        for tick in ticks:
            round_number = self._round(campaign, targets, tick)
            change.round = change.round or round_number
            if round_number != change.round:
                raise BadInput("tick_one_round")
            live = [change.after.get(t.id, t) for t in targets]
            asked = self._one(campaign, live, tick, text, by, now, change)
            question = question or asked
        if not change.after and not change.same:
            if question is None:
                return None
            card = self._card(campaign, targets, change, (), ())
            return Done(campaign, card, question)
        return self._settle(campaign, targets, change, ticks[0].result, by, event, question)

    def _round(self, campaign: Campaign, targets: Sequence[Target], tick: Tick) -> int:
        if tick.round is None:
            return current_round(campaign, targets)
        if not 1 <= tick.round <= campaign.rounds:
            raise BadInput("tick_round", name=campaign.name, rounds=campaign.rounds)
        return tick.round

    def _one(
        self,
        campaign: Campaign,
        targets: Sequence[Target],
        tick: Tick,
        text: str,
        by: Person,
        now: datetime,
        change: _Change,
    ) -> Question | None:
        """Work one tick into the change, or the question it needs."""
        pool, named = self._pool(campaign, targets, tick, text)
        pool = [t for t in pool if self.may_see(campaign, t, by)]
        if not pool:
            if tick.places:
                raise BadInput("tick_place", places="、".join(tick.places), name=campaign.name)
            raise BadInput("tick_none", name=campaign.name)
        if tick.places and len(pool) > len(set(tick.places)):
            # The same door in several buildings.
            return self._ask(campaign, change.round, pool, tick, 1)
        missing = [p for p in tick.places if p not in {t.place for t in pool}]
        if missing:
            raise BadInput("tick_place", places="、".join(missing), name=campaign.name)
        if tick.back:
            if not named or (len(pool) > 1 and not tick.places):
                raise BadInput("tick_back")
            change.back = True
            for target in pool:
                change.after[target.id] = reopened(target, campaign, change.round, now, by.id)
            return None
        if any(t.size != 1 for t in pool):
            return self._counted(campaign, pool, tick, by, now, change)
        open_now = [t for t in pool if t.open_in(campaign, change.round)]
        if named and (tick.places or len(pool) == 1):
            self._mark(campaign, pool, tick, by, now, change)
            return None
        wanted = tick.count or tick.last or (len(open_now) if tick.all else 1)
        if not open_now:
            change.same.extend(pool[:1] if named else ())
            if not named:
                raise BadInput(
                    "tick_whole", where=_where(campaign, pool), state=campaign.done_state
                )
            return None
        if wanted > len(open_now):
            raise BadInput(
                "tick_over",
                where=_where(campaign, pool),
                state=campaign.open_state,
                left=len(open_now),
            )
        if wanted == len(open_now):
            self._mark(campaign, open_now, tick, by, now, change)
            return None
        return self._ask(campaign, change.round, open_now, tick, wanted)

    def _ask(
        self, campaign: Campaign, number: int, pool: Sequence[Target], tick: Tick, wanted: int
    ) -> Question:
        parts = {t.group for t in pool}
        group = parts.pop() if len(parts) == 1 else ""
        text = say.which(campaign, group, number, pool, wanted)
        ids = tuple(t.id for t in pool)
        return Question(campaign, number, ids, text, tick.result, tick.back)

    def _counted(
        self,
        campaign: Campaign,
        pool: Sequence[Target],
        tick: Tick,
        by: Person,
        now: datetime,
        change: _Change,
    ) -> Question | None:
        """Households of a grid: so many more, so many in all, or the rest of them."""
        if len(pool) > 1:
            return self._ask(campaign, change.round, pool, tick, 1)
        target = pool[0]
        if tick.count is None and not (tick.all and target.size):
            raise BadInput("tick_count", where=target.called, unit=campaign.unit or say.UNIT)
        more = None if tick.sum or tick.count is None else tick.count
        whole = tick.count if tick.sum else None
        if tick.count is None:
            whole = target.size
        try:
            change.after[target.id] = ticked(
                target, campaign, change.round, now, by.id, tick.result, more, whole
            )
        except WrongCount as wrong:
            raise BadInput(
                "tick_too_many", where=target.called, total=wrong.total, done=wrong.done
            ) from None
        return None

    def _mark(
        self,
        campaign: Campaign,
        targets: Sequence[Target],
        tick: Tick,
        by: Person,
        now: datetime,
        change: _Change,
    ) -> None:
        for target in targets:
            before = target.marks[change.round - 1]
            done = ticked(target, campaign, change.round, now, by.id, tick.result)
            same_result = not tick.result or tick.result == before.result
            if before.state == campaign.done_state and same_result:
                change.same.append(target)
            else:
                change.after[target.id] = done

    def answered(
        self,
        campaign_number: int,
        round_number: int,
        ids: Sequence[int],
        text: str,
        result: str,
        back: bool,
        by: Person,
        event: InboundEvent,
    ) -> Done | None:
        """The answer to 是哪一户; None where it names none of them."""
        campaign = self._work.campaigns.get(campaign_number)
        if campaign is None or campaign.ended_at is not None:
            return None
        self._work.campaigns.lock(campaign.number)
        targets = self._work.campaigns.targets(campaign.number)
        pool = [t for t in targets if t.id in set(ids)]
        doors = doors_in(text)
        picked = [t for t in pool if t.place and t.place in doors]
        part = part_of(text)
        if part is not None:
            picked = [t for t in picked or pool if part_of(t.group) == part]
        if not picked:
            picked = [t for t in pool if t.name in text or (len(text) >= 2 and text in t.name)]
        if not picked and means_all(text):
            picked = pool
        if not picked:
            return None
        now = self._clock.now()
        change = _Change(round_number, {}, [], back)
        tick = Tick(text, result=result)
        if back:
            for target in picked:
                change.after[target.id] = reopened(target, campaign, round_number, now, by.id)
        else:
            self._mark(campaign, picked, tick, by, now, change)
        return self._settle(campaign, targets, change, result, by, event, None)

    def _settle(
        self,
        campaign: Campaign,
        targets: Sequence[Target],
        change: _Change,
        result: str,
        by: Person,
        event: InboundEvent,
        question: Question | None,
    ) -> Done:
        """Save what changed, tell it, post what was reached."""
        now = self._clock.now()
        store = self._work.campaigns
        before = {t.id: t for t in targets}
        changed = list(change.after.values())
        store.save_targets(changed)
        after = [change.after.get(t.id, t) for t in targets]
        opened: list[Ticket] = []
        if changed:
            store.add_ticking(
                Ticking(
                    0,
                    campaign.number,
                    now,
                    by.id,
                    {t.id: before[t.id].marks for t in changed},
                    {t.id: t.marks for t in changed},
                )
            )
            facts = {"round": change.round, "targets": len(changed)}
            self._audit(by.id, "campaign.ticked", campaign, **facts)
            if result and self._is_trouble(result):
                for part, target in enumerate(changed[:5], 1):
                    opened.append(self._problem(target, result, by, event, part))
            self._post(campaign, after, event)
        near: list[str] = []
        if opened:
            near = self._around({t.grid for t in changed}, {t.id for t in changed}, by)
        card = self._card(campaign, after, change, opened, near)
        return Done(campaign, card, question)

    def _card(
        self,
        campaign: Campaign,
        targets: Sequence[Target],
        change: _Change,
        opened: Sequence[Ticket],
        near: Sequence[str],
    ) -> Card:
        number = change.round or 1
        touched = [*change.after.values(), *change.same]
        parts = tuple(dict.fromkeys(t.group for t in touched if t.group))[:4]
        owner = self._tickets.telling.owner
        return say.ticked(
            campaign,
            tuple(change.after.values()),
            change.same,
            [(g, counts(targets, number, g)) for g in parts],
            counts(targets, number),
            number,
            [(t, owner(t)) for t in opened],
            near,
            change.back,
        )

    def _post(self, campaign: Campaign, targets: Sequence[Target], event: InboundEvent) -> None:
        """One card for the milestones that this reached, to the campaign's group or whoever answers for it."""
        now = self._clock.now()
        reached = [
            one
            for one in milestones(campaign, targets)
            if self._work.campaigns.reach(campaign.number, one.key, now)
        ]
        if not reached:
            return
        number = reached[-1].round
        card = say.milestone(campaign, reached, counts(targets, number))
        key = f"campaign:{campaign.number}:{reached[0].key}"
        content = Content.of(card, Kind.CARD)
        chat = ChatRef(campaign.platform, campaign.chat) if campaign.chat else None
        if chat is None and event.chat_kind is ChatKind.GROUP:
            chat = event.chat
        if chat is not None:
            self._work.outbox.put(Outgoing(content, chat=chat, dedupe_key=key))
            return
        people = self._work.people
        owner = None if campaign.owner_id is None else people.person(campaign.owner_id)
        owner = owner or people.duty_person()
        if owner is not None:
            priority = Priority.DIGEST
            self._work.outbox.put(
                Outgoing(content, person=owner.id, priority=priority, dedupe_key=key)
            )

    # ---- what is wrong at a target

    def _is_trouble(self, result: str) -> bool:
        if tells_trouble(result):
            return True
        reading = read(result, Role.MANAGER.value, addressed=True, lexicon=self._lexicon)
        return reading.confidence >= _TELLS

    def _problem(
        self, target: Target, text: str, by: Person, event: InboundEvent, part: int
    ) -> Ticket:
        """A target's problem as a ticket: its firm's, or the duty desk's where it is no firm."""
        place = " ".join(p for p in (target.group, target.called) if p)
        body = text if target.enterprise_id is not None else f"{place}：{text}"
        category, _ = topic(text, self._lexicon)
        channel = Channel.GROUP if event.chat_kind is ChatKind.GROUP else Channel.DIRECT
        source = Source(event.platform, event.chat.id, event.event_id, channel)
        ticket = self._tickets.submit(
            Report(
                title_of(body, category),
                body,
                category,
                urgency(text, self._lexicon),
                target.enterprise_id,
                by,
                by.name,
                source,
                kind=TicketKind.REQUEST,
                part=part,
            ),
            by,
        )
        self._work.campaigns.add_ticket(target.id, ticket.number)
        return ticket

    def problem(self, text: str, by: Person, event: InboundEvent) -> str:
        """A problem at a target that was not ticked off: 专项问题 5号楼203 过渡房没落实."""
        for campaign in self._work.campaigns.campaigns():
            targets = self._work.campaigns.targets(campaign.number)
            said = text.replace(campaign.name, " ").strip()
            part, doors = part_of(said), doors_in(said)
            firms = set(self._firms.find(said))
            found = [
                t
                for t in targets
                if self.may_see(campaign, t, by)
                and (part is None or part_of(t.group) == part)
                and (
                    (t.place and t.place in doors)
                    or t.enterprise_id in firms
                    or (len(t.name) >= 2 and t.name in said)
                )
            ]
            if len(found) == 1:
                target = found[0]
                _, told = door_and_rest(without_part(said))
                told = told.replace(target.name, " ", 1).strip(_EDGES)
                if len(told) < 2:
                    raise BadInput("text_needed")
                ticket = self._problem(target, told, by, event, 1)
                return say.problem_kept(ticket, self._tickets.telling.owner(ticket), target)
        raise BadInput("campaign_problem")

    def _around(self, grids: set[int | None], but: set[int], by: Person) -> list[str]:
        """Targets of campaigns under way in the same grids."""
        found: dict[str, None] = {}
        for campaign in self._work.campaigns.campaigns():
            for target in self._work.campaigns.targets(campaign.number):
                near = target.grid is not None and target.grid in grids and target.id not in but
                if near and self.may_see(campaign, target, by):
                    found[target.called] = None
        return list(found)

    def near(self, ticket: Ticket, by: Person) -> str:
        """Who is around a ticket's firm: 附近 1024."""
        people = self._work.people
        firm = None if ticket.enterprise_id is None else people.enterprise(ticket.enterprise_id)
        grid = None if firm is None else firm.grid
        rows: list[tuple[str, str]] = []
        for campaign in self._work.campaigns.campaigns() if grid is not None else ():
            for target in self._work.campaigns.targets(campaign.number):
                own = firm is not None and target.enterprise_id == firm.id
                if target.grid == grid and not own and self.may_see(campaign, target, by):
                    rows.append((target.called, say.standing(campaign, target)))
        return say.near(ticket.number, grid, rows)

    # ---- taking back

    def undo(self, by: Person) -> str:
        """Take back this person's last tick, if nobody has changed its targets since."""
        now = self._clock.now()
        store = self._work.campaigns
        last = store.last_ticking(by.id, now - _UNDO_WITHIN)
        if last is None:
            return say.nothing_to_undo()
        campaign = store.get(last.campaign)
        assert campaign is not None
        store.lock(campaign.number)
        targets = store.targets(campaign.number)
        mine = [t for t in targets if t.id in last.before]
        if any(t.marks != last.after[t.id] for t in mine):
            return say.nothing_to_undo()
        restored = [replace(t, marks=last.before[t.id]) for t in mine]
        store.save_targets(restored)
        store.undone(last)
        self._audit(by.id, "campaign.undone", campaign, targets=len(restored))
        by_id = {t.id: t for t in restored}
        after = [by_id.get(t.id, t) for t in targets]
        number = next(
            (
                n
                for n in range(1, campaign.rounds + 1)
                if any(t.marks[n - 1] != last.before[t.id][n - 1] for t in mine)
            ),
            1,
        )
        return say.undone(campaign, restored, counts(after, number), number)

    # ---- reading

    def may_see(self, campaign: Campaign, target: Target, person: Person) -> bool:
        """Firms in a list are for their own people, what is no firm for all colleagues."""
        if person.role in _SEES_ALL or person.id in (campaign.owner_id, target.owner_id):
            return True
        if not person.is_staff or person.role is Role.DEPARTMENT:
            return False
        if target.enterprise_id is None:
            return True
        firms = self._briefs.mine(person).firms
        return firms is None or target.enterprise_id in firms

    def _counts(self, campaign: Campaign) -> list[tuple[int, Counts]]:
        targets = self._work.campaigns.targets(campaign.number)
        return [(n, counts(targets, n)) for n in range(1, campaign.rounds + 1)]

    def overview(self) -> str:
        rows = [(c, self._counts(c)) for c in self._work.campaigns.campaigns()]
        return say.overview(rows)

    def detail(self, campaign: Campaign, person: Person) -> str:
        targets = self._work.campaigns.targets(campaign.number)
        number = current_round(campaign, targets) if targets else 1
        parts = [(g, counts(targets, number, g)) for g in groups(targets)]
        owner = None if campaign.owner_id is None else self._work.people.person(campaign.owner_id)
        seen = {t.id for t in targets if self.may_see(campaign, t, person)}
        tickets: list[TicketNumber] = []
        for target, numbers in self._work.campaigns.tickets(campaign.number).items():
            if target in seen:
                tickets.extend(numbers)
        return say.detail(
            campaign,
            "" if owner is None else owner.name,
            self._counts(campaign),
            parts,
            sorted(tickets),
        )

    def listed(self, campaign: Campaign, text: str, person: Person) -> str:
        """The targets of one part, or those in one state, that this person may see."""
        targets = self._work.campaigns.targets(campaign.number)
        part = part_of(text)
        found = [t for t in targets if self.may_see(campaign, t, person)]
        if part is not None:
            found = [t for t in found if part in (part_of(t.group), part_of(t.name))]
            title = part.name
        elif text in campaign.states:
            found = [t for t in found if any(m.state == text for m in t.marks)]
            title = text
        else:
            found = [t for t in found if text in (t.group, t.place) or text in t.name]
            title = text
        return say.listed(campaign, title, found)


def _where(campaign: Campaign, pool: Sequence[Target]) -> str:
    parts = {t.group for t in pool}
    return parts.pop() if len(parts) == 1 and "" not in parts else campaign.name


def _key(row: TargetRow) -> str:
    """What tells rows apart where a file numbers none."""
    return "/".join((row.group, row.place, row.name))


def row_key(row: TargetRow) -> TargetRow:
    """The row with a key: its own, else what it names; 5幢 is read as 5号楼."""
    row = replace(row, group=_group(row.group))
    if row.key:
        return row
    named = row.name or ("" if row.grid is None else str(row.grid))
    return replace(row, key=_key(replace(row, name=named)))


def rows_of(
    cells: Iterable[tuple[int, Sequence[str]]], campaign: Campaign
) -> tuple[TargetRow, ...]:
    """The rows of a table, its first row with a known name being the header; raises ValueError without one."""
    header: dict[str, int] = {}
    found: list[TargetRow] = []
    for number, line in cells:
        values = [c.strip() for c in line]
        if not header:
            header = _header(values, campaign)
            continue
        if any(values):
            found.append(_row(number, values, header, campaign))
    if not header:
        raise ValueError("no header")
    return tuple(found)


def _header(values: Sequence[str], campaign: Campaign) -> dict[str, int]:
    known: dict[str, int] = {}
    for at, value in enumerate(values):
        for column, words in say.COLUMN_WORDS.items():
            if value in words:
                known.setdefault(column, at)
        for n in range(1, campaign.rounds + 1):
            for what in (say.STATE, say.RESULT):
                if value in (f"{say.round_name(n)}{what}", f"{say.round_name(n)}"):
                    known.setdefault(f"{n}{what}", at)
    named = {say.NAME, say.PLACE, say.GRID, say.FIRM} & set(known)
    return known if named else {}


def _row(
    number: int, values: Sequence[str], header: Mapping[str, int], campaign: Campaign
) -> TargetRow:
    def cell(column: str) -> str:
        at = header.get(column)
        return values[at] if at is not None and at < len(values) else ""

    size = cell(say.SIZE)
    grid = re.sub(r"\D", "", cell(say.GRID))
    states = {n: cell(f"{n}{say.STATE}") for n in range(1, campaign.rounds + 1)}
    results = {n: cell(f"{n}{say.RESULT}") for n in range(1, campaign.rounds + 1)}
    states[1] = states[1] or cell(say.STATE)
    results[1] = results[1] or cell(say.RESULT)
    row = TargetRow(
        number,
        cell(say.NUMBER),
        cell(say.NAME) or cell(say.FIRM),
        cell(say.GROUP),
        cell(say.PLACE),
        int(grid) if grid else (-1 if cell(say.GRID) else None),
        cell(say.FIRM),
        cell(say.OWNER),
        _size(size),
        states,
        results,
        cell(say.NOTE),
    )
    return row_key(row)


def _group(text: str) -> str:
    """5幢 and 五号楼 are 5号楼: people say it as they like."""
    part = part_of(text)
    return text if part is None else part.name


def _size(text: str) -> int:
    if not text:
        return 1
    found = whole_number(text)
    return -1 if found is None else found
