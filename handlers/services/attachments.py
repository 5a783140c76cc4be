"""Pictures and files of a ticket: who gets an address that opens them."""

from handlers.chat.attachments import Keeping, TicketFile
from handlers.domain.people import Role
from handlers.domain.ticket import Ticket
from handlers.ports import Links, Work
from handlers.services.people import Speaker
from handlers.texts import attachments as say


class Attachments:
    def __init__(self, work: Work, links: Links) -> None:
        self._work = work
        self._links = links

    def told(self, ticket: Ticket, speaker: Speaker) -> list[str]:
        """What belongs to a ticket that the speaker may read, with an address for them alone."""
        files = self._work.attachments.of(ticket.number)
        own = speaker.role in (None, Role.MANAGER)
        return say.lines(files, self._link(ticket, speaker, files), own)

    def _link(self, ticket: Ticket, speaker: Speaker, files: tuple[TicketFile, ...]) -> str:
        """Empty where nothing would be seen, and for who is only believed to be somebody.

        A link stands for the person: it knows nothing of how little their account is confirmed.
        """
        if speaker.person is None or not speaker.confirmed:
            return ""
        if all(file.state is Keeping.FAILED for file in files):
            return ""
        return self._links.to("attachments", str(ticket.number), speaker.person.id)
