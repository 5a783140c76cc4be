"""Files that its author sends along for a draft: kept, judged by their bytes, then attached to it."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from handlers.chat.events import Attachment, AttachmentKind, ChatKind, ChatRef
from handlers.chat.outbound import Content, Priority
from handlers.domain.announcement import AnnouncementId
from handlers.domain.errors import BadInput, Refusal
from handlers.domain.people import Person
from handlers.ports import Clock, Outgoing, Work
from handlers.ports.announcements import Upload
from handlers.services.announcements import FILES_MOST, Announcing
from handlers.texts import announcements as say
from handlers.texts import attachments as names
from handlers.texts.common import refused


@dataclass(frozen=True, slots=True)
class Looked:
    """An upload whose bytes were looked at; `words` is what could be read in it."""

    upload: Upload
    name: str
    content_type: str = ""
    words: str = ""
    refusal: Refusal | None = None


def name_of(upload: Upload) -> str:
    """What it is called; a picture's name is nobody's choice on most platforms."""
    if upload.file.kind is AttachmentKind.IMAGE:
        return names.picture_name(1, upload.file.content_type)
    return names.names((upload.file,))[0]


class Uploads:
    def __init__(self, work: Work, clock: Clock, announcing: Announcing) -> None:
        self._work = work
        self._clock = clock
        self._announcing = announcing
        self._store = work.announcements

    def expect(self, by: Person, number: int, chat: ChatRef, sent: Sequence[Attachment]) -> None:
        """What came of it is told in `chat`, which is theirs alone.

        Raises NotPermitted for another's draft, BadInput where no file can be had or added.
        """
        made = self._announcing.own_draft(by, number)
        here = len(self._store.files(made.id)) + self._store.uploading(made.id)
        if here + len(sent) > FILES_MOST:
            raise BadInput("file_too_many", most=FILES_MOST)
        if not self._store.upload(made.id, by.id, chat, sent):
            raise BadInput("file_type")

    def settle(self, found: Sequence[Looked]) -> None:
        """Attach what may go out, and tell whoever sent it what came of all of it."""
        together: dict[tuple[AnnouncementId, ChatRef], list[Looked]] = defaultdict(list)
        for looked in found:
            if self._store.settle_upload(looked.upload):
                together[looked.upload.announcement, looked.upload.chat].append(looked)
        for (number, chat), ones in together.items():
            self._tell(chat, self._attach_all(number, ones), ones[0].upload)

    def _attach_all(self, number: AnnouncementId, ones: Sequence[Looked]) -> str:
        """What became of each, in the words for whoever sent them."""
        again = self._announcing.get(number).submitted_at is not None
        added, left = [], []
        for looked in ones:
            try:
                added.append(self._attached(looked))
            except Refusal as refusal:
                left.append((looked.name, refused(refusal, self._clock.now())))
            except _Lost:
                left.append((looked.name, names.trouble(looked.upload.file, own=True)))
        return say.files_came(number, added, len(self._store.files(number)), left, again)

    def _attached(self, looked: Looked) -> str:
        """The name under which it is attached."""
        upload, name = looked.upload, looked.name
        if upload.digest is None:
            raise _Lost
        if looked.refusal is not None:
            raise looked.refusal
        if upload.file.kind is AttachmentKind.IMAGE:
            files = self._store.files(upload.announcement)
            shown = sum(f.content_type.startswith("image/") for f in files)
            name = names.picture_name(shown + 1, looked.content_type)
        self._announcing.add_file(
            upload.person_id,
            upload.announcement,
            name,
            looked.content_type,
            looked.words,
            upload.digest,
        )
        return name

    def _tell(self, chat: ChatRef, text: str, first: Upload) -> None:
        # An answer to what somebody just did, no notice: it is told where they did it.
        self._work.outbox.put(
            Outgoing(
                Content(text),
                chat=chat,
                chat_kind=ChatKind.DIRECT,
                priority=Priority.REPLY,
                dedupe_key=f"desk:file:{first.announcement}:{first.file.id}",
            )
        )


class _Lost(Exception):
    """Its platform did not give it out."""
