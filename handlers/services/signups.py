"""Sign-ups: opened by the office, kept by the bot, one card that shows the list."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

from handlers.chat.events import ChatKind, ChatRef, EventKind
from handlers.chat.outbound import SILENCE, Content, Kind, Priority, Reply
from handlers.domain.errors import BadInput, NoSuch
from handlers.domain.ids import EnterpriseId, PersonId
from handlers.domain.people import Person
from handlers.domain.signup import (
    Act,
    Change,
    Outcome,
    Place,
    Said,
    SignUp,
    apply,
    with_quota,
)
from handlers.ports import Clock, Outgoing, Work
from handlers.services.moves import Asked
from handlers.services.people import Speaker
from handlers.texts import signups as say
from handlers.understanding import FirmNames, Intent, Lexicon, read
from handlers.understanding.signups import Parsed, number_named, outright, parse

_LONGEST_TITLE: Final = 40
_SHORT: Final = 12
_CHANGED: Final = frozenset({Outcome.SIGNED, Outcome.WAITS, Outcome.LEFT})


class SignUps:
    def __init__(self, work: Work, clock: Clock, firms: FirmNames, lexicon: Lexicon) -> None:
        self._work = work
        self._clock = clock
        self._firms = firms
        self._lexicon = lexicon

    # ---- the office's side

    def open(
        self,
        by: Person,
        title: str,
        chat: ChatRef | None,
        quota: int | None = None,
        closes_at: datetime | None = None,
    ) -> SignUp:
        """Begin one in a group, the big one where none is named; raises BadInput."""
        now = self._clock.now()
        title = title.strip()
        if not 2 <= len(title) <= _LONGEST_TITLE:
            raise BadInput("signup_title", most=_LONGEST_TITLE)
        if closes_at is not None and closes_at <= now:
            raise BadInput("until_past")
        where = chat or self._main_chat()
        if where is None:
            raise BadInput("signup_chat")
        signup = SignUp(
            self._work.signups.next_number(), title, where.platform, where.id, by.id, now,
            closes_at=closes_at,
        )  # fmt: skip
        signup = with_quota(signup, quota).signup
        self._work.signups.add(signup)
        self._note(by.id, "signup.opened", signup, {"quota": quota})
        self._show(signup, update=False)
        return signup

    def _main_chat(self) -> ChatRef | None:
        chats = [c for c in self._work.chats.chats() if c.kind == ChatKind.GROUP.value]
        main = next((c for c in chats if c.is_main), None)
        return None if main is None else ChatRef(main.platform, main.id)

    def close(self, number: int, by: str) -> SignUp:
        """No more changes; raises NoSuch."""
        signup = self.load(number)
        if signup.closed_at is None:
            signup = self._save(replace(signup, closed_at=self._clock.now()))
            self._note(by, "signup.closed", signup, {"taken": signup.taken})
        return signup

    def set_quota(self, number: int, quota: int | None, by: str) -> SignUp:
        """Another quota; whoever fits now moves up. Raises BadInput, NoSuch."""
        signup = self.load(number)
        if signup.closed_at is not None:
            raise BadInput("signup_over")
        change = with_quota(signup, quota)
        saved = self._save(change.signup)
        self._note(by, "signup.quota", saved, {"quota": quota})
        self._tell_moved(saved, change.moved_up)
        return saved

    def sweep(self) -> None:
        """Close what is over."""
        for number in self._work.signups.due(self._clock.now()):
            self.close(number, "system")

    def load(self, number: int) -> SignUp:
        signup = self._work.signups.get(number)
        if signup is None:
            raise NoSuch("signup", number)
        return signup

    def find(self, number: int) -> SignUp:
        """To read only; raises NoSuch."""
        signup = self._work.signups.find(number)
        if signup is None:
            raise NoSuch("signup", number)
        return signup

    def open_ones(self) -> tuple[SignUp, ...]:
        return self._work.signups.open()

    # ---- what people say

    def hear(self, asked: Asked) -> Reply | None:
        """A sentence in a chat where a sign-up is open; None where it is something else."""
        event = asked.event
        if event.kind is not EventKind.MESSAGE or event.msg_type != "text" or not asked.rest:
            return None
        direct = event.chat_kind is ChatKind.DIRECT
        if direct and not outright(asked.rest):
            return None
        store = self._work.signups
        found = store.open() if direct else store.open_in(event.platform, event.chat.id)
        signup = self._meant(asked, found)
        if signup is None:
            return None
        person = asked.speaker.person
        own = "" if person is None or person.enterprise_id is None else str(person.enterprise_id)
        parsed = parse(asked.rest, own, self._firms)
        if not parsed.words or not self._is_meant(asked, parsed, signup):
            return None
        return self._take(signup.number, parsed, asked.speaker)

    def _meant(self, asked: Asked, found: tuple[SignUp, ...]) -> SignUp | None:
        """The one named by number or title, here or in what is quoted, else the newest."""
        if not found:
            return None
        quote = asked.event.quote
        for text in (asked.rest, "" if quote is None else quote.text):
            number = number_named(text)
            for signup in found:
                if number == signup.number or signup.title in text:
                    return signup
        if asked.event.chat_kind is ChatKind.DIRECT and len(found) > 1:
            return None
        return found[0]

    def _is_meant(self, asked: Asked, parsed: Parsed, signup: SignUp) -> bool:
        """Whether the sentence is for the list, and no problem that counts people."""
        quote = asked.event.quote
        if quote is not None and (
            signup.title in quote.text or number_named(quote.text) == signup.number
        ):
            return True
        if parsed.sure and len(asked.rest) <= _SHORT:
            return True
        role = asked.speaker.role
        reading = read(
            asked.rest, None if role is None else role.value, firms=self._firms,
            lexicon=self._lexicon,
        )  # fmt: skip
        if parsed.sure:
            return not reading.is_ticket
        return reading.intent is Intent.SIGNUP

    def join(self, number: int, speaker: Speaker, said: Said) -> tuple[SignUp, str]:
        """A press on the card: the list, and what came of it."""
        reply = self._take(number, Parsed((("", said),), True), speaker)
        signup = self.load(number)
        return signup, "" if reply.content is None else reply.content.text

    def enter(self, number: int, key: EnterpriseId, said: Said, by: Person) -> Change:
        """The office enters a firm that called; raises NoSuch, BadInput."""
        signup = self.load(number)
        if not signup.is_open(self._clock.now()):
            raise BadInput("signup_over")
        if self._work.people.enterprise(key) is None:
            raise NoSuch("firm", key)
        return self._put(signup, str(key), said, by.id)

    def _take(self, number: int, parsed: Parsed, speaker: Speaker) -> Reply:
        signup = self.load(number)
        if not signup.is_open(self._clock.now()):
            return Reply.say(say.over(signup))
        person = speaker.person
        told: list[str] = []
        for firm, said in parsed.words:
            key = firm or _key(person)
            if not key:
                told.append(say.who_are_you())
                continue
            change = self._put(signup, key, said, "" if person is None else person.id)
            signup = change.signup
            if said.act is Act.COPY or (
                change.outcome is Outcome.NOT_LISTED and len(parsed.words) > 1
            ):
                continue
            told.append(say.told(change, key, self.name))
        lines = [t for t in told if t]
        return Reply.say("\n".join(lines)) if lines else SILENCE

    def _put(self, signup: SignUp, key: str, said: Said, by: str) -> Change:
        change = apply(signup, key, said, by)
        if change.signup == signup:
            return change
        changed = change.outcome in _CHANGED
        saved = self._save(change.signup) if changed else self._keep(change.signup)
        if changed:
            facts = {"party": key, "outcome": change.outcome.value}
            self._note(by or "system", "signup.said", saved, facts)
        self._tell_moved(saved, change.moved_up)
        return replace(change, signup=saved)

    # ---- showing

    def name(self, key: str) -> str:
        """A firm's short name, or a colleague's name."""
        firm = self._work.people.enterprise(EnterpriseId(key))
        if firm is not None:
            return firm.short_name
        person = self._work.people.person(PersonId(key))
        return "" if person is None else person.name

    def shown(self, signup: SignUp, asked: Asked) -> str:
        """The whole list to colleagues and in its own group; to a firm elsewhere its own part."""
        now, person = self._clock.now(), asked.speaker.person
        event = asked.event
        here = event.chat.id == signup.chat and event.platform == signup.platform
        if here or (person is not None and person.is_staff):
            return say.full(signup, self.name, now)
        key = _key(person)
        return say.own(signup, signup.place(key), self.name(key))

    def card(self, signup: SignUp) -> Content:
        return Content.of(say.card(signup, self.name, self._clock.now()))

    def _save(self, signup: SignUp) -> SignUp:
        saved = self._keep(replace(signup, version=signup.version + 1))
        self._show(saved, update=True)
        return saved

    def _keep(self, signup: SignUp) -> SignUp:
        self._work.signups.save(signup)
        return signup

    def _show(self, signup: SignUp, *, update: bool) -> None:
        outbox, before = self._work.outbox, f"signup:{signup.number}:%s:{signup.version - 1}"
        # What nobody has seen yet goes out as it stands now: no card replaces one that is not there.
        first = not update or outbox.withdraw(before % "card", "newer")
        outbox.withdraw(before % "list", "newer")
        outbox.put(
            Outgoing(
                self.card(signup),
                chat=ChatRef(signup.platform, signup.chat),
                chat_kind=ChatKind.GROUP,
                dedupe_key=f"signup:{signup.number}:{'card' if first else 'list'}:{signup.version}",
                update=not first,
            )
        )

    def _tell_moved(self, signup: SignUp, moved: Iterable[Place]) -> None:
        people = self._work.people
        for place in moved:
            person = people.person(PersonId(place.by)) if place.by else None
            if person is None:
                person = people.main_contact(EnterpriseId(place.key))
            if person is None:
                continue
            self._work.outbox.put(
                Outgoing(
                    Content(say.moved_up(signup, place, self.name(place.key)), kind=Kind.MESSAGE),
                    person=person.id,
                    priority=Priority.REPLY,
                    dedupe_key=f"signup:{signup.number}:{signup.version}:up:{place.key}",
                )
            )

    def _note(self, by: str, action: str, signup: SignUp, facts: Mapping[str, object]) -> None:
        self._work.audit.add(self._clock.now(), by, action, f"signup:{signup.number}", facts)


def _key(person: Person | None) -> str:
    """Whose places somebody means by 我们: the firm's, or the own of a colleague."""
    if person is None:
        return ""
    return str(person.id if person.enterprise_id is None else person.enterprise_id)
