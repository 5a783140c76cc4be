"""Weeks of an office's life, made quickly: tickets opened and moved through the real services."""

import random
from datetime import datetime, timedelta

from handlers.chat.events import UserRef
from handlers.domain.category import Category, Urgency
from handlers.domain.errors import Refusal
from handlers.domain.people import Person, Role
from handlers.domain.ticket import MOVES, Args, Kind, Move, Source, Ticket, parts_of
from handlers.services.people import Speaker
from handlers.services.tickets import Report, TicketService
from storage.uow import UnitOfWork

TITLES = (
    ("车间缺操作工20人", Category.LAB, Urgency.U3),
    ("厂门口路灯坏了5盏", Category.INF, Urgency.U3),
    ("蒸汽压力只有0.4兆帕", Category.ENE, Urgency.U2),
    ("二期扩建需要用地20亩", Category.LND, Urgency.U4),
    ("年底续贷要压三百万，银行催得急", Category.FIN, Urgency.U3),
    ("危化品槽车在路口被拦", Category.LOG, Urgency.U2),
    ("厂西边飘来刺鼻异味", Category.ENV, Urgency.U2),
    ("整条线停电停产", Category.ENE, Urgency.U1),
    ("稳岗补贴公示半年没到账", Category.POL, Urgency.U3),
    ("工程师孩子上一年级", Category.TAL, Urgency.U3),
)
TEXTS = (
    "已联系人社局，周三组织专场招聘",
    "已到现场看过，路灯公司明天来修",
    "热电公司答复锅炉检修，后天恢复",
    "和资规局碰过头，指标下月会上定",
    "银行同意先续后还，材料已交齐",
    "=HYPERLINK(1,2)把公式当文字写的进展",
)
_STAFF_MOVES = (
    Move.PROGRESS, Move.PROGRESS, Move.RESOLVE, Move.RESOLVE, Move.ASK, Move.REFER, Move.SHELVE,
    Move.EXTEND, Move.SHELVE_APPROVE, Move.EXTEND_APPROVE, Move.DEPARTMENT_RESULT, Move.REVIEW,
    Move.SUPERVISE, Move.REASSIGN, Move.ESCALATE, Move.NOT_ACCEPT, Move.DECLINE, Move.RETRACT,
)  # fmt: skip
_FIRM_MOVES = (
    Move.VERDICT_YES, Move.RATE, Move.RATE, Move.VERDICT_NO, Move.FOLLOW_UP, Move.REPLY,
    Move.WITHDRAW, Move.URGE, Move.REOPEN,
)  # fmt: skip
_SYSTEM_MOVES = (Move.CLOSE_SILENT, Move.ANSWER_OVERDUE, Move.ESCALATE)


class SetClock:
    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at


class Life:
    """Random but repeatable; what is refused is simply not done."""

    def __init__(self, uow: UnitOfWork, start: datetime, seed: int = 4) -> None:
        self.uow = uow
        self.clock = SetClock(start)
        self.chance = random.Random(seed)
        self.service = TicketService(uow, self.clock, uow.calendar.current())
        self.firms = list(uow.people.enterprises())
        self.staff = [p for p in uow.people.people() if p.is_staff]
        self.numbers: list[int] = []

    def goes_on(self, days: float, tickets: int, moves: int = 5) -> None:
        """So many tickets, and so many tries to move for each, spread over the days."""
        steps = tickets * (moves + 1)
        for _ in range(steps):
            self.clock.at += timedelta(days=days) / steps
            if self.chance.random() < 1 / (moves + 1) or not self.numbers:
                self.opens()
            else:
                self.moves(self.uow.tickets.get(self.chance.choice(self.numbers[-40:])))

    def opens(self) -> Ticket:
        firm = self.chance.choice(self.firms)
        title, category, urgency = self.chance.choice(TITLES)
        contact = self.uow.people.main_contact(firm.id)
        kind = self.chance.choice((Kind.REQUEST,) * 8 + (Kind.CONSULT, Kind.VISIT))
        ticket = self.service.submit(
            Report(
                title, title, category, urgency, firm.id, contact,
                "" if contact is None else contact.name, Source("sandbox", "key-enterprises"), kind,
            ),
            contact,
        )  # fmt: skip
        self.numbers.append(ticket.number)
        return ticket

    def moves(self, ticket: Ticket) -> None:
        chance = self.chance
        pick = chance.random()
        if ticket.claimed_at is None and pick < 0.7:
            self.does(ticket, Move.CLAIM, self._who(ticket, Move.CLAIM))
        elif pick < 0.6:
            what = chance.choice(_STAFF_MOVES)
            self.does(ticket, what, self._who(ticket, what))
        elif pick < 0.9:
            contact = None
            if ticket.enterprise_id is not None:
                contact = self.uow.people.main_contact(ticket.enterprise_id)
            self.does(ticket, chance.choice(_FIRM_MOVES), contact)
        else:
            self.does(ticket, chance.choice(_SYSTEM_MOVES), None)

    def _who(self, ticket: Ticket, what: Move) -> Person | None:
        """Somebody who may, mostly the one whose it is."""
        owner = None if ticket.owner_id is None else self.uow.people.person(ticket.owner_id)
        standing = self.service.standing(ticket)
        if owner is not None and parts_of(ticket, owner, standing) & MOVES[what].who:
            return owner
        may = [
            p for p in self.staff
            if p.role in (Role.LIAISON, Role.LEADER, Role.OFFICE)
            and parts_of(ticket, p, standing) & MOVES[what].who
        ]  # fmt: skip
        return self.chance.choice(may) if may else None

    def does(self, ticket: Ticket, what: Move, who: Person | None) -> None:
        speaker = None if who is None else Speaker(UserRef("sandbox", who.id), who, who.name)
        args = Args(
            text=f"{self.chance.choice(TEXTS)}（{self.chance.randrange(100)}）",
            person=self.chance.choice([p for p in self.staff if p.role is Role.LIAISON]),
            until=self.clock.at + timedelta(days=self.chance.choice((3, 20, 40))),
            department="人社局",
            told="已当面说明情况",
            rating=self.chance.randint(1, 5),
            level=min(ticket.level + self.chance.randint(3, 5), 5),
            code="outside" if self.chance.random() < 0.5 else "mistake",
        )
        try:
            self.service.act(ticket, what, speaker, args)
        except Refusal:
            return
