"""The three rates of domain.md §8 against a table of 40 tickets counted by hand."""

from datetime import UTC, datetime, timedelta

import pytest

from handlers.domain.category import Category
from handlers.domain.ids import EnterpriseId, TicketNumber
from handlers.domain.rates import (
    Deadline,
    Facts,
    Mark,
    Measure,
    Rate,
    Resolved,
    Said,
    Window,
    facts_of,
    grouped,
    marks,
    tally,
)
from handlers.domain.ticket import Args, Entry, Kind, Move, State, Ticket, entry_of, move
from tests.kit.builders import (
    CALENDAR,
    LEADER,
    LIAISON,
    MANAGER,
    NOW,
    OFFICE,
    POLICY,
    STANDING,
    a_ticket,
)

NOVEMBER = Window(datetime(2026, 10, 31, 16, tzinfo=UTC), datetime(2026, 11, 30, 16, tzinfo=UTC))

# Days of November (0 and below: October, above 30: December), at noon. What each ticket counts for
# is written by hand: R response, C on time, S solved, P satisfied, F callback finished (+ with a verdict), D resolved
# in the window, A reopened, G shelved at the end; + counts in the numerator, - in the denominator
# only.
#  no what it is about                    claim  reply  withdrawn  deadline/done     said          counts for
TABLE = """
 1 | an ordinary good one               | 2     | 2      |    | 9/5               | 6:y 6:5     | R+ C+ S+ P+ F+ D
 2 | answered a day late                | 3     | 4      |    | 11/10             | 11:y 11:4   | R- C+ S+ P+ F+ D
 3 | nobody ever answered               | 4     |        |    | 13/               |             | R- C-
 4 | answered at the very deadline      | 5     | 5      |    | 16/16             | 17:y        | R+ C+ S+ F+ D
 5 | resolved a day late                | 5     | 4      |    | 12/13             | 14:y 14:3   | R+ C- S+ P+ F+ D
 6 | the firm never said anything       | 6     | 6      |    | 13/10             | 17:-        | R+ C+ F- D
 7 | verdict no, nothing after          | 6     | 6      |    | 13/9              | 10:n        | R+ C+ S- F+ D A
 8 | rated badly                        | 9     | 9      |    | 18/12             | 13:n 13:2   | R+ C+ S- P- F+ D A
 9 | no first, yes in the end           | 9     | 9      |    | 18/16             | 11:n 17:y 17:4 | R+ C+ S+ P+ F+ D A
10 | withdrawn before the claim was due | 10    |        | 9  |                   |             |
11 | withdrawn after the claim was due  | 10    |        | 11 |                   |             | R-
12 | withdrawn on the claim's deadline  | 10    |        | 10 |                   |             | R-
13 | withdrawn before the resolution    | 10    | 10     | 12 |                   |             | R+
14 | merged                     merged  | 10    | 10     |    | 17/17             |             |
15 | entered by mistake   not_accepted  | 10    | 10     |    | 17/               |             |
16 | a question              consult    | 10    | 10     |    | 17/12             | 13:y 13:5   |
17 | out of a visit             visit   | 11    | 11     |    | 20/18             | 19:y 19:5   | R+ C+ S+ P+ F+ D
18 | shelved when due          shelved  | 11    | 11     |    |                   |             | R+ G
19 | back from the shelf                | 11    | 11     |    | 25/24             | 25:y        | R+ C+ S+ F+ D
20 | the extension counts               | 12    | 12     |    | 27/26             | 27:y 27:4   | R+ C+ S+ P+ F+ D
21 | the claim is of October            | 0     | 0      |    | 6/6               | 7:y 7:5     | C+ S+ P+ F+ D
22 | only the verdict is of November    | -3    | -3     |    | 0/-1              | 2:y         | S+
23 | only the rating is of November     | -3    | -3     |    | 0/-1              | 0:y 3:4     | P+
24 | everything is of October           | -9    | -9     |    | -3/-4             | -2:y -2:5   |
25 | due in December                    | 30    | 30     |    | 38/               |             | R+
26 | everything is of December          | 32    | 32     |    | 39/33             | 34:y 34:5   |
27 | resolved, the round not over       | 26    | 26     |    | 30/29             |             | R+ C+ D
28 | verdict in December                | 20    | 20     |    | 27/27             | 31:y 31:5   | R+ C+ F- D
29 | rated twice, the last one counts   | 16    | 16     |    | 25/20             | 21:y 21:5 22:3 | R+ C+ S+ P+ F+ D
30 | praised, then bad                  | 16    | 16     |    | 25/20             | 21:y 21:5 22:n 22:1 | R+ C+ S- P- F+ D A
31 | two deadlines, the last one counts | 2     | 2      |    | 9/8 20/           | 10:n        | R+ C- S- F+ D A
32 | first deadline missed, then met    | 2     | 2      |    | 9/10 20/19        | 11:n 20:y   | R+ C+ S+ F+ D A
33 | the second deadline is of December | 24    | 24     |    | 28/27 37/         | 30:n        | R+ C+ S- F+ D A
34 | resolved in October, again now     | -5    | -5     |    | 12/11             | 1:n 12:y 12:3 | C+ S+ P+ F+ D A
35 | waiting for the firm when due      | 17    | 17     |    |                   |             | R+
36 | unanswered so far                  | 30    |        |    | 40/               |             | R-
37 | shelved and taken back since       | 17    | 17     |    | 30/               |             | R+ C-
38 | reopened in December               | 18    | 18     |    | 26/25             | 33:n        | R+ C+ F- D
39 | the worst rating                   | 18    | 19     |    | 26/25             | 26:n 26:1   | R- C+ S- P- F+ D A
40 | fair                               | 19    | 19     |    | 27/23             | 24:y 24:3   | R+ C+ S+ P+ F+ D
"""


def _day(text: str) -> datetime:
    return datetime(2026, 11, 1, 4, tzinfo=UTC) + timedelta(days=int(text) - 1)


def _maybe(text: str) -> datetime | None:
    return _day(text) if text else None


def _row(line: str) -> tuple[Facts, set[str]]:
    number, what, claim, reply, withdrawn, deadlines, said, counts = (
        cell.strip() for cell in line.split("|")
    )
    word = what.split()[-1]
    kind = Kind(word) if word in ("consult", "visit") else Kind.REQUEST
    state = State.CLOSED
    if word in ("merged", "not_accepted", "shelved"):
        state = State(word)
    elif withdrawn:
        state = State.WITHDRAWN
    came = [d.split("/") for d in deadlines.split()]
    met = [
        Deadline(_day(due), _day(done) if done and int(done) <= int(due) else None)
        for due, done in came
    ]
    heard = [(_day(at), value) for at, value in (s.split(":") for s in said.split())]
    resolved = []
    for _, done in came:
        if done:
            at = _day(done)
            ends = [h for h, _ in heard if h >= at]
            resolved.append(Resolved(at, at - timedelta(days=2), min(ends, default=None)))
    if number == "34":
        resolved.insert(0, Resolved(_day("0"), _day("-5"), _day("1")))
    about = resolved[-1].at if resolved else NOVEMBER.start
    facts = Facts(
        TicketNumber(1000 + int(number)),
        kind,
        state,
        Category.LAB,
        EnterpriseId(f"E{int(number) % 3:03}"),
        _day(claim) - timedelta(days=1),
        _day(claim),
        _maybe(reply),
        _maybe(withdrawn),
        tuple(met),
        tuple(resolved),
        tuple(Said(at, int(v == "y"), about) for at, v in heard if v in "yn"),
        tuple(Said(at, int(v), about) for at, v in heard if v.isdigit()),
        tuple(Said(at, 1, about) for at, v in heard if v == "n"),
        {"18": ((_day("13"), None),), "37": ((_day("18"), _day("20")),)}.get(number, ()),
    )
    return facts, set(counts.split())


ROWS = [_row(line) for line in TABLE.strip().splitlines()]
_LETTERS = {
    Measure.RESPONSE: "R",
    Measure.ON_TIME: "C",
    Measure.SOLVED: "S",
    Measure.SATISFIED: "P",
    Measure.FINISHED: "F",
    Measure.RESOLVED: "D",
    Measure.REOPENED: "A",
    Measure.SHELVED: "G",
}
_SIGNED = "RCSPF"


def _written(mark: Mark) -> str:
    letter = _LETTERS[mark.measure]
    return letter + ("+" if mark.hit else "-") if letter in _SIGNED else letter


def _marks(facts: Facts) -> list[Mark]:
    return list(marks(facts, NOVEMBER, CALENDAR, POLICY.working_day))


@pytest.mark.parametrize(("facts", "counts"), ROWS, ids=[str(f.number) for f, _ in ROWS])
def test_each_ticket_counts_for_what_was_written_by_hand(facts: Facts, counts: set[str]) -> None:
    found = {_written(m) for m in _marks(facts) if m.measure in _LETTERS}
    assert found == counts


def test_the_rates_of_the_forty_are_those_counted_by_hand() -> None:
    rates = tally(m for facts, _ in ROWS for m in _marks(facts))
    assert rates.response == Rate(24, 30)
    assert rates.response.value == 80.0
    assert rates.on_time == Rate(21, 25)
    assert rates.on_time.value == 84.0
    assert rates.solved == Rate(14, 20)
    assert rates.solved.value == 70.0
    # 22 was judged in the window and resolved before it: it covers nothing of the window.
    assert rates.coverage == Rate(19, 22)
    assert rates.coverage.value == 86.4
    assert rates.satisfied == Rate(11, 14)
    assert rates.satisfied.value == 78.6
    assert rates.mean_rating == pytest.approx(47 / 14)
    assert rates.reopened == Rate(9, 23)
    assert rates.reopened.value == 39.1
    assert rates.shelved == 1


def test_parts_sum_to_the_whole_and_stand_in_the_order_of_their_keys() -> None:
    counted = [m for facts, _ in ROWS for m in _marks(facts)]
    whole = tally(counted)
    parts = grouped(counted, lambda m: str(m.facts.enterprise_id))
    assert [name for name, _ in parts] == ["E000", "E001", "E002"]
    for name in ("response", "on_time", "solved", "coverage", "satisfied", "reopened"):
        rates = [getattr(rates, name) for _, rates in parts]
        assert Rate(sum(r.numerator for r in rates), sum(r.denominator for r in rates)) == getattr(
            whole, name
        )
    assert sum(r.shelved for _, r in parts) == whole.shelved


@pytest.mark.parametrize(
    ("rate", "value"),
    [
        (Rate(4, 4), None),
        (Rate(0, 0), None),
        (Rate(5, 5), 100.0),
        (Rate(0, 7), 0.0),
        (Rate(1, 16), 6.3),  # 6.25 goes up
        (Rate(2, 3000), 0.1),
        (Rate(1, 3000), 0.0),
    ],
)
def test_a_percentage_needs_five_and_is_rounded_half_up(rate: Rate, value: float | None) -> None:
    assert rate.value == value


# ---- from histories


class _Life:
    """A ticket that moves and remembers its history."""

    def __init__(self, **more: object) -> None:
        self.ticket: Ticket = a_ticket(**more)
        self.now = NOW
        opened = entry_of(None, self.ticket, Move.SUBMIT, MANAGER, "", NOW)
        self.entries: list[Entry] = [opened]

    def goes(self, hours: float, what: Move, by: object = LIAISON, **args: object) -> "_Life":
        self.now += timedelta(hours=hours)
        actor = by if by is not None else None
        moved = move(
            self.ticket,
            what,
            actor,
            Args(**args),
            self.now,
            STANDING,
            CALENDAR,
            POLICY,  # type: ignore[arg-type]
        )
        assert moved.entry is not None
        self.ticket = moved.ticket
        self.entries.append(moved.entry)
        return self

    @property
    def facts(self) -> Facts:
        return facts_of(self.ticket, self.entries)


RESULT = "专场招聘到岗十二人，其余由劳务公司补齐"


def test_a_whole_life_leaves_its_facts() -> None:
    life = _Life().goes(1, Move.CLAIM).goes(24, Move.RESOLVE, text=RESULT)
    first_due = life.ticket.due_resolution
    life.goes(2, Move.VERDICT_NO, MANAGER).goes(24, Move.RESOLVE, text=RESULT + "二")
    second_due = life.ticket.due_resolution
    life.goes(2, Move.RATE, MANAGER, rating=4)
    facts = life.facts
    assert facts.claim_due == life.entries[0].at.replace(hour=6, minute=30)
    assert facts.replied_at == life.entries[1].at
    # Reopened before its first deadline came: only the second one was ever in force when due.
    assert first_due is not None and second_due is not None and first_due < second_due
    assert facts.deadlines == (Deadline(second_due, life.entries[4].at),)
    assert [v.value for v in facts.verdicts] == [0, 1]
    assert [r.value for r in facts.ratings] == [4]
    assert [r.called_back_at for r in facts.resolved] == [life.entries[3].at, life.entries[5].at]
    assert [r.started_at for r in facts.resolved] == [NOW, life.entries[3].at]
    assert len(facts.reopened) == 1


def test_what_was_late_stays_late_whatever_comes_after() -> None:
    life = _Life().goes(1, Move.CLAIM)
    due = life.ticket.due_resolution
    life.goes(24 * 30, Move.ASK, text="请提供用电户号")
    life.goes(48, Move.REPLY, MANAGER, text="户号是三二一零零七")
    life.goes(1, Move.RESOLVE, text=RESULT)
    assert life.facts.deadlines == (Deadline(due),) if due else False


def test_a_pause_moves_the_deadline_and_a_shelved_ticket_has_none() -> None:
    life = _Life().goes(1, Move.CLAIM)
    due = life.ticket.due_resolution
    until = life.now + timedelta(days=60)
    life.goes(1, Move.SHELVE, text="没有土地指标", told="已当面说明", until=until)
    life.goes(1, Move.SHELVE_APPROVE, LEADER)
    assert life.facts.deadlines == ()
    assert life.facts.shelved == ((life.now, None),)
    life.goes(24 * 61, Move.REVIEW)
    assert life.facts.deadlines == (Deadline(life.ticket.due_resolution),)  # type: ignore[arg-type]
    assert due is not None and life.facts.deadlines[0].at > due


def test_the_office_claims_for_the_desk_but_the_system_never_answers() -> None:
    life = _Life(owner_id=None).goes(1, Move.CLAIM, OFFICE)
    assert life.facts.replied_at == life.now
    consult = _Life(kind=Kind.CONSULT).goes(1, Move.ANSWER, None, text=RESULT)
    assert consult.facts.replied_at is None


def test_a_hand_over_before_the_claim_is_due_moves_it_and_later_ones_do_not() -> None:
    life = _Life()
    first = life.facts.claim_due
    life.goes(2, Move.REASSIGN, OFFICE, text="工作调整", person=OFFICE)
    moved = life.facts.claim_due
    assert first is not None and moved is not None and moved > first
    life.goes(30, Move.REASSIGN, OFFICE, text="还是给小周", person=LIAISON)
    assert life.facts.claim_due == moved


def test_a_retracted_result_was_none() -> None:
    life = _Life().goes(1, Move.CLAIM).goes(2, Move.RESOLVE, text=RESULT).goes(1, Move.RETRACT)
    assert life.facts.resolved == ()
    silent = _Life().goes(1, Move.CLAIM).goes(2, Move.RESOLVE, text=RESULT)
    silent.goes(24 * 14, Move.CLOSE_SILENT, None)
    assert silent.facts.verdicts == ()
    assert silent.facts.resolved[0].called_back_at == silent.now
