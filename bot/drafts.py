"""Takes in what its author sent along for a draft, once the fetcher has it or has given it up.

What waits stands in the database, so that a restart takes it up again.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from bot.attachments import judge
from bot.writer import Writer
from handlers.domain.errors import BadInput
from handlers.ports.announcements import Upload
from handlers.services.uploads import Looked, Uploads, name_of
from storage.uow import UnitOfWork

_log: Final = logging.getLogger("bot.drafts")


class Drafts:
    def __init__(
        self,
        writer: Writer,
        uploads: Callable[[UnitOfWork], Uploads],
        wake_sender: Callable[[], None],
    ) -> None:
        self._writer = writer
        self._uploads = uploads
        self._wake_sender = wake_sender
        # Its loop and whoever waits for it look for the same things.
        self._one_at_a_time = asyncio.Lock()

    async def take_in(self) -> None:
        """Attach what is here and may go out; say what is not."""
        async with self._one_at_a_time:
            here = await self._writer.read(lambda uow: uow.announcements.uploaded())
            if here:
                looked = [await self._look(upload) for upload in here]
                await self._writer.run(lambda uow: self._uploads(uow).settle(looked))
                self._wake_sender()

    async def _look(self, upload: Upload) -> Looked:
        name, digest = name_of(upload), upload.digest
        if digest is None:
            return Looked(upload, name)
        body = await self._writer.read(lambda uow: uow.files.body(digest))
        try:
            judged = await asyncio.to_thread(judge, name, bytes(body or b""))
        except BadInput as refusal:
            return Looked(upload, name, refusal=refusal)
        except Exception as error:
            # What breaks the reader of one file must not hold up the others for ever.
            _log.error("drafts.judge_raised", extra={"error": type(error).__name__})
            return Looked(upload, name, refusal=BadInput("file_broken"))
        return Looked(upload, judged.name, judged.content_type, judged.words)
