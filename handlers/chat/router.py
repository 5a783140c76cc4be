"""Routes: which function answers which word, button or open question; checked when it starts."""

import difflib
import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, get_type_hints

from handlers.chat.filters import Anybody, Filter, Scene
from handlers.chat.grammar import Command, Lexicon
from handlers.chat.outbound import Reply

Handler = Callable[..., Reply | None]


class WiringError(Exception):
    """Routes that cannot work: every problem at once, before the first message."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(self.problems))


class PassOn(Exception):
    """A sentence only looked like this route's; nothing was done, the next one may take it."""


class RouteKind(StrEnum):
    COMMAND = "command"
    SENTENCE = "sentence"
    ACTION = "action"
    DIALOGUE = "dialogue"
    SPEECH = "speech"
    ENTER = "enter"
    READ = "read"


@dataclass(frozen=True, slots=True)
class Route:
    """`words` open a command with arguments; `exact` are words that must stand alone.

    A sentence's `words` are examples of what its `pattern` takes.
    """

    kind: RouteKind
    words: tuple[str, ...]
    exact: tuple[str, ...]
    who: Filter
    function: Handler
    router: str
    usage: str = ""
    about: str = ""
    offered: Filter = Anybody
    pattern: re.Pattern[str] | None = None


@dataclass(frozen=True, slots=True)
class Router:
    """The routes of one module in `handlers/commands`."""

    name: str
    routes: list[Route] = field(default_factory=list)

    def _add(self, route: Route) -> None:
        self.routes.append(route)

    def command(
        self,
        *words: str,
        exact: tuple[str, ...] = (),
        who: Filter = Anybody,
        usage: str = "",
        about: str = "",
        offered: Filter = Anybody,
    ) -> Callable[[Handler], Handler]:
        """Answer typed words; `usage` and `about` are what help prints, to those it is `offered`.

        Whoever may say a word may also be refused by the ticket's own rule; help names only what
        somebody's role is usually there for.
        """

        def register(function: Handler) -> Handler:
            self._add(
                Route(
                    RouteKind.COMMAND, words, exact, who, function, self.name, usage, about, offered
                )
            )
            return function

        return register

    def sentence(
        self, *examples: str, pattern: str, who: Filter = Anybody, about: str = ""
    ) -> Callable[[Handler], Handler]:
        """Answer sentences that begin with no command word; the function may raise PassOn."""

        def register(function: Handler) -> Handler:
            self._add(
                Route(
                    RouteKind.SENTENCE,
                    examples,
                    (),
                    who,
                    function,
                    self.name,
                    examples[0],
                    about,
                    pattern=re.compile(pattern),
                )
            )
            return function

        return register

    def _keyed(self, kind: RouteKind, key: str, who: Filter) -> Callable[[Handler], Handler]:
        def register(function: Handler) -> Handler:
            self._add(Route(kind, (key,), (), who, function, self.name))
            return function

        return register

    def action(self, name: str, who: Filter = Anybody) -> Callable[[Handler], Handler]:
        """Answer a pressed button."""
        return self._keyed(RouteKind.ACTION, name, who)

    def dialogue(self, topic: str) -> Callable[[Handler], Handler]:
        """Take the answer to a question the bot asked."""
        return self._keyed(RouteKind.DIALOGUE, topic, Anybody)

    def speech(self) -> Callable[[Handler], Handler]:
        """Take everything that is no command; one route of the whole product."""
        return self._keyed(RouteKind.SPEECH, "*", Anybody)

    def enter(self) -> Callable[[Handler], Handler]:
        """Greet somebody who opened the direct chat."""
        return self._keyed(RouteKind.ENTER, "*", Anybody)

    def read(self) -> Callable[[Handler], Handler]:
        """Hear that somebody has read a message of the bot; nothing is answered."""
        return self._keyed(RouteKind.READ, "*", Anybody)


@dataclass(frozen=True, slots=True)
class Bound:
    """A route with the types its function wants, in order."""

    route: Route
    wants: tuple[tuple[str, Any], ...]


class Book:
    """All routes of the product, ready to be asked."""

    def __init__(self, routers: Iterable[Router], provided: Iterable[Any]) -> None:
        self.routers: Final = tuple(routers)
        known = frozenset(provided)
        problems: list[str] = []
        self._words: dict[str, Bound] = {}
        self._keyed: dict[tuple[RouteKind, str], Bound] = {}
        self._sentences: list[Bound] = []
        openers: list[str] = []
        exact: list[str] = []
        for router in self.routers:
            for route in router.routes:
                bound = self._bind(route, known, problems)
                if route.kind is RouteKind.COMMAND:
                    for word in (*route.words, *route.exact):
                        other = self._words.get(word)
                        if other is not None and other.route is not route:
                            problems.append(
                                f"two routes claim {word}: {other.route.router}, {router.name}"
                            )
                        self._words[word] = bound
                    openers.extend(route.words)
                    exact.extend((*route.words, *route.exact))
                    continue
                if route.kind is RouteKind.SENTENCE:
                    self._sentences.append(bound)
                    continue
                key = (route.kind, route.words[0])
                if key in self._keyed:
                    problems.append(f"two routes claim {key[0]} {key[1]}")
                self._keyed[key] = bound
        self.lexicon: Final = Lexicon(openers, exact)
        problems += self._doubtful_sentences()
        if problems:
            raise WiringError(problems)

    def _bind(self, route: Route, known: frozenset[Any], problems: list[str]) -> Bound:
        hints = get_type_hints(route.function)
        wants: list[tuple[str, Any]] = []
        for name in inspect.signature(route.function).parameters:
            wanted = hints.get(name)
            if wanted not in known:
                problems.append(
                    f"{route.router}.{route.function.__name__}: nobody provides {name}: {wanted}"
                )
            wants.append((name, wanted))
        return Bound(route, tuple(wants))

    def _doubtful_sentences(self) -> list[str]:
        """An example that its own route does not take, or another one does as well."""
        problems: list[str] = []
        for bound in self._sentences:
            for example in bound.route.words:
                takers = [b.route.router for b in self._sentences if _takes(b, example)]
                if self.command(example) is not None:
                    takers.append("command")
                if takers != [bound.route.router]:
                    problems.append(f"{bound.route.router}: {example} is taken by {takers}")
        return problems

    def sentences(self, text: str, scene: Scene) -> tuple[Bound, ...]:
        """The routes whose pattern a text without a command word fits, for whoever says it."""
        return tuple(b for b in self._sentences if b.route.who(scene) and _takes(b, text))

    def command(self, text: str) -> tuple[Bound, Command] | None:
        """The command a folded text holds, whoever says it."""
        command = self.lexicon.command(text)
        if command is None:
            return None
        return self._words[command.word], command

    def keyed(self, kind: RouteKind, key: str = "*") -> Bound | None:
        return self._keyed.get((kind, key))

    def suggestion(self, text: str, scene: Scene) -> str | None:
        """How the command nearest to what was typed is used, if one is near."""
        head = re.split(r"[\s\d#:：,，]", text.strip().lstrip("#"), maxsplit=1)[0][:8]
        words = [w for w, bound in self._words.items() if bound.route.who(scene)]
        near = difflib.get_close_matches(head, words, n=1, cutoff=0.5)
        if not near:
            return None
        # Help shows one of a command's words; here it is the one that was nearly typed.
        _, space, rest = self._words[near[0]].route.usage.partition(" ")
        return f"{near[0]}{space}{rest}"

    def offers(self, scene: Scene) -> tuple[Route, ...]:
        """The commands that help prints for somebody."""
        return tuple(
            route
            for router in self.routers
            for route in router.routes
            if route.kind in (RouteKind.COMMAND, RouteKind.SENTENCE)
            and route.about
            and route.who(scene)
            and route.offered(scene)
        )


def _takes(bound: Bound, text: str) -> bool:
    return bound.route.pattern is not None and bound.route.pattern.search(text) is not None


def call(bound: Bound, provide: Mapping[Any, Any] | Callable[[Any], Any]) -> Reply | None:
    """Call a route's function with what it wants."""
    get = provide if callable(provide) else provide.__getitem__
    return bound.route.function(**{name: get(wanted) for name, wanted in bound.wants})
