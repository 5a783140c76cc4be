"""What a platform is: how it is asked, what it can do, and how it says no."""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final, Protocol, runtime_checkable

from handlers.chat.events import Attachment, InboundEvent
from handlers.chat.outbound import Address, Delivery, Enclosure
from handlers.chat.reach import Lost


def plain_json(body: bytes) -> Any:
    """What a JSON body says; raises ValueError, also for one that is nested without end.

    Half a surrogate pair and NUL are JSON, but no database takes them: they are left out here,
    so that a message which holds one is served like any other.
    """
    try:
        plain = json.loads(body)
        return _storable(plain) if b"\\u" in body else plain
    except RecursionError:
        raise ValueError("nested too deep") from None


def json_text(plain: Any) -> str:
    """The JSON of a value without a space too many, every letter as itself."""
    return json.dumps(plain, ensure_ascii=False, separators=(",", ":"))


def _storable(plain: Any) -> Any:
    if isinstance(plain, str):
        whole = plain.encode("utf-16", "surrogatepass").decode("utf-16", "ignore")
        return whole.replace("\x00", "")
    if isinstance(plain, list):
        return [_storable(one) for one in plain]
    if isinstance(plain, dict):
        return {_storable(key): _storable(value) for key, value in plain.items()}
    return plain


@dataclass(frozen=True, slots=True)
class RawRequest:
    """An HTTP request to /hooks/<platform>[/<hook>]; `wall` is wall-clock seconds since the epoch."""

    method: str
    hook: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    wall: float


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    status: int = 200
    body: bytes = b""
    content_type: str = "text/plain"
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of_json(cls, plain: Any) -> "HttpAnswer":
        return cls(body=json_text(plain).encode(), content_type="application/json")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an event led to, as far as its platform's own answer may carry it."""

    deliveries: tuple[Delivery, ...] = ()
    toast: str = ""


@dataclass(frozen=True, slots=True)
class Answered:
    """The bytes to answer with and the ids of the deliveries they carry."""

    http: HttpAnswer
    carried: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Decoded:
    """A verified request: its events, the neutral acknowledgement, and how to answer with more.

    `answer` is None where the platform's answer can carry nothing. `late` is said when the budget
    passes and the platform will not ask again; without it the request is refused, so that it comes
    once more.
    """

    events: tuple[InboundEvent, ...]
    ack: HttpAnswer
    answer: Callable[[Outcome], Answered] | None = None
    unsupported: str = ""
    late: HttpAnswer | None = None


@dataclass(frozen=True, slots=True)
class Capabilities:
    callback_buttons: bool
    update_cards: bool
    mentions: bool
    group_push: bool
    direct: bool
    max_text_bytes: int
    budget_seconds: float
    # The office builds the other side itself and reads why a request was refused.
    refusals_are_read: bool = False
    # The far end tells a repeat by the delivery's id, so that it is harmless.
    repeats_known: bool = False


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `count` sendings under `key` in any window of `per` seconds."""

    key: str
    count: int
    per: float


def robot_key(robot: str) -> str:
    """What a group's robot is counted under: its address is a secret that stands in no key."""
    return f"robot:{sha256(robot.encode()).hexdigest()[:16]}"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the far end gave back; `ref` names the message, `card_ref` lets its card be replaced.

    `more`: the further messages that a long text was told in.
    """

    ref: str = ""
    card_ref: str = ""
    more: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Setting:
    """One key of the environment: why it exists, and whether it must never be shown."""

    key: str
    why: str
    secret: bool = False
    default: str = ""


class ConfigError(Exception):
    """Settings that cannot work, one Chinese sentence each."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)


class Rejected(Exception):
    """A request that is not what it says it is; `reason` is a short code, the body is never logged."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class SendError(Exception):
    """The far end did not take the message; `code` says why in its own words' code."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Transient(SendError):
    """Try again, not before `retry_after` seconds where the far end named them.

    `cools` is how the keys of those limits begin that have to rest for so long; empty means all.
    """

    cools = ""

    def __init__(self, code: str, retry_after: float | None = None) -> None:
        super().__init__(code)
        self.retry_after = retry_after


class Permanent(SendError):
    """It will never be taken."""


class Gone(Permanent):
    """It was there once: the platform does not give it out any more."""


class TooLarge(Permanent):
    """It is longer than whoever asked for it takes."""


class Unreachable(Permanent):
    """Nothing comes to this person by this way; without `why` only this message does not."""

    def __init__(self, code: str, why: Lost | None = None) -> None:
        super().__init__(code)
        self.why = why


class Outdated(Permanent):
    """The card can be replaced no more; nothing is lost by it."""


class Unsure(SendError):
    """No answer came: it may have arrived. `repeatable` says a repeat is harmless."""

    def __init__(self, code: str, repeatable: bool = False) -> None:
        super().__init__(code)
        self.repeatable = repeatable


class Expired(SendError):
    """A credential is gone: refresh once, then it counts as Transient."""


class Platform(Protocol):
    """One chat platform. Modules of `bot.platforms` expose `SETTINGS` and `build(section)`."""

    name: str
    can: Capabilities
    hooks: tuple[str, ...]

    def decode(self, request: RawRequest) -> Decoded:
        """Verify, then parse; raises Rejected. Pure: no network, no clock but request.wall."""
        ...

    def limits(self, to: Address) -> tuple[Limit, ...]:
        """The rate rules that a sending to `to` falls under."""
        ...

    def lane(self, delivery: Delivery) -> str:
        """Deliveries of one lane go out one after another, in order."""
        ...

    async def send(self, delivery: Delivery) -> Receipt:
        """Deliver; raises a SendError."""
        ...

    async def close(self) -> None: ...


class TakenOver(Exception):
    """Somebody else connected in our name: whoever fights for it loses messages on both sides."""


@runtime_checkable
class BringsOnce(Protocol):
    """A line whose far end keeps nothing for us: what is said while it is down is lost."""

    brings_once: bool


Reply = Callable[[bytes], Awaitable[bool]]


class Hear(Protocol):
    """What a line gives its events to; comes back when they are on disk and answered."""

    async def __call__(self, decoded: Decoded, reply: Reply) -> bool:
        """False where they are not known to be on disk.

        `reply` sends what `decoded.answer` made and says whether it was taken.
        """
        ...


class Line(Protocol):
    """A connection that a platform keeps open to us. One process holds it at a time."""

    @property
    def name(self) -> str: ...

    @property
    def title(self) -> str:
        """What the office calls it."""
        ...

    @property
    def up(self) -> bool:
        """Whether events can come in now."""
        ...

    async def hold(self, hear: Hear) -> None:
        """Connect, hear, connect again after faults, until cancelled; raises TakenOver."""
        ...


@runtime_checkable
class Starts(Protocol):
    """A platform with work of its own beside sending; `close` ends it."""

    async def start(self) -> None:
        """Begin; comes back at once."""
        ...


@runtime_checkable
class OnLine(Protocol):
    """A platform that also, or only, hears through lines."""

    lines: tuple[Line, ...]


class Notes(Protocol):
    """The little a platform must not forget; it outlives the process."""

    async def get(self, key: str) -> str:
        """Empty where nothing was noted."""
        ...

    async def put(self, key: str, value: str) -> None: ...


@runtime_checkable
class Noting(Protocol):
    """A platform that keeps notes."""

    notes: Notes


@runtime_checkable
class Entrances(Protocol):
    """A platform with a door of its own for each firm."""

    async def entrances(self, firms: Sequence[tuple[str, str]]) -> list[tuple[str, str, str]]:
        """(id, short name, address) for each (id, short name); raises a SendError."""
        ...


@dataclass(frozen=True, slots=True)
class Probe:
    """One thing that was tried against the far end; `fault` is Chinese and says what to do.

    `ahead`: by how many seconds the far end's clock goes before ours, where it told.
    """

    what: str
    fault: str = ""
    ahead: float | None = None

    @classmethod
    def failed(
        cls, what: str, error: SendError, cure: str, key: str, ahead: float | None
    ) -> "Probe":
        """`key` is the setting that says where it went, for an error without a cure of its own."""
        told = f"没有接通（{error.code}），请核对网络和 {key}。"
        if isinstance(error, Permanent):
            told = f"没有成功（{error.code}），请核对网络和设置。"
        return cls(what, cure or told, ahead)


@runtime_checkable
class Probing(Protocol):
    """A platform whose credentials can be tried without anybody noticing."""

    async def probe(self) -> list[Probe]: ...


@runtime_checkable
class Splitting(Protocol):
    """A platform that tells a long text in several messages, each of which its far end counts."""

    def parts(self, delivery: Delivery) -> int: ...


@runtime_checkable
class Explaining(Protocol):
    """A platform that knows the cure for its far end's error codes."""

    def cure(self, code: str) -> str:
        """Empty for a code that it does not know."""
        ...


@runtime_checkable
class Resolving(Protocol):
    """A platform whose events may name people by another id than the one they are reached by."""

    async def resolved(self, event: InboundEvent) -> InboundEvent:
        """The event with the sender's own id; as it is where that cannot be found out now."""
        ...

    async def close(self) -> None: ...


# What people send along is taken up to this.
MOST_FETCHED: Final = 20 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a message carried; `name` where the far end tells it only now."""

    body: bytes
    name: str = ""


@runtime_checkable
class Logins(Protocol):
    """A platform that can say who sits at a browser."""

    @property
    def can_login(self) -> bool:
        """Whether its settings are there."""
        ...

    def login_url(self, back: str, state: str, agent: str) -> str:
        """Where a browser is sent; it comes to `back` with `state` and a code.

        `agent` is what the browser calls itself: inside the platform's client nothing is asked.
        """
        ...

    async def logged_in(self, code: str) -> str:
        """The user whom a code stands for; raises a SendError, Permanent for what is no member's."""
        ...


@runtime_checkable
class Recalls(Protocol):
    """A platform that can take back what it said."""

    recall_seconds: float

    async def recall(self, to: Address, refs: Sequence[str]) -> None:
        """Take back the messages of one delivery; raises a SendError where one of them stays."""
        ...


# The bytes of a kept file, asked for when they are needed; raises Gone.
Body = Callable[[], Awaitable[bytes]]
Say = Callable[[], Awaitable[Receipt]]


@runtime_checkable
class Attaches(Protocol):
    """A platform that sends kept files as messages of their own."""

    def takes(self, to: Address, file: Enclosure) -> bool:
        """Whether such a file may go to such a receiver. Pure."""
        ...

    async def attach(self, delivery: Delivery, file: Enclosure, body: Body) -> Say:
        """Bring the file there and give what sends its message; raises a SendError.

        Nobody is told anything by the bringing, so that it may be repeated whatever it met.
        """
        ...


@runtime_checkable
class Fetches(Protocol):
    """A platform that gives out what a message carried."""

    async def fetch(self, attachment: Attachment) -> Fetched:
        """At most MOST_FETCHED bytes, from the platform's own hosts only; raises a SendError."""
        ...


@dataclass(frozen=True, slots=True)
class Section:
    """What `build` gets: its own settings by key, the bot's names, and the product's public address."""

    values: Mapping[str, str]
    bot_names: tuple[str, ...] = ("小港",)
    public_url: str = ""

    def get(self, key: str) -> str:
        return self.values.get(key, "").strip()
