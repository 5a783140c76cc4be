"""What a rule says when it says no: values only, the sentences are in handlers/texts."""

from handlers.domain.ids import TicketNumber


class Refusal(Exception):
    """A rule said no. `code` picks the sentence."""

    code = "refused"

    def __init__(self, **values: object) -> None:
        super().__init__(self.code)
        self.values = values


class UnknownTicket(Refusal):
    """No such ticket, or none that this person may know of: the two must look alike."""

    code = "unknown_ticket"

    def __init__(self, number: TicketNumber | int | str) -> None:
        super().__init__(number=number)


class IllegalMove(Refusal):
    code = "illegal_move"

    def __init__(self, number: TicketNumber, state: str, move: str) -> None:
        super().__init__(number=number, state=state, move=move)


class NotAllowed(Refusal):
    code = "not_allowed"

    def __init__(self, number: TicketNumber, move: str) -> None:
        super().__init__(number=number, move=move)


class NotForYou(Refusal):
    """A word or a button that is not for this person's role; nothing of any ticket is told."""

    code = "not_for_you"

    def __init__(self, word: str = "") -> None:
        super().__init__(word=word)


class AlreadyTaken(Refusal):
    """Somebody else was first; `owner_id` says who."""

    code = "already_taken"

    def __init__(self, number: TicketNumber, owner_id: str | None) -> None:
        super().__init__(number=number, owner_id=owner_id)


class StaleVersion(Refusal):
    """The ticket has moved on since the asker saw it."""

    code = "stale_version"

    def __init__(self, number: TicketNumber, version: int) -> None:
        super().__init__(number=number, version=version)


class StaleEntry(Refusal):
    """An entry of the office was changed by somebody else meanwhile."""

    code = "stale_entry"

    def __init__(self, entry_id: int) -> None:
        super().__init__(number=entry_id)


class BadInput(Refusal):
    """What was given cannot be used; `reason` names the rule."""

    code = "bad_input"

    def __init__(self, reason: str, **values: object) -> None:
        super().__init__(reason=reason, **values)
        self.reason = reason


class NoSuch(Refusal):
    """Something named (a person, a firm, a chat) does not exist."""

    code = "no_such"

    def __init__(self, what: str, name: object) -> None:
        super().__init__(what=what, name=name)


class NotPermitted(Refusal):
    """This person may not do that; `reason` names the rule."""

    code = "not_permitted"

    def __init__(self, reason: str, **values: object) -> None:
        super().__init__(reason=reason, **values)
        self.reason = reason


class WrongState(Refusal):
    """It has gone too far for that, or not far enough; `reason` names the sentence."""

    code = "wrong_state"

    def __init__(self, reason: str, **values: object) -> None:
        super().__init__(reason=reason, **values)
        self.reason = reason
