"""Files on their way out: brought to DingTalk once, then named by a media_id.

The application sends them as it sends words; a group's own robot and reply addresses know none.
The vendor's page on bringing them (help.dingtalk.io, upload-media-files) takes 20 MB each, pictures as
jpg, gif, png, bmp and files as doc, docx, xls, xlsx, ppt, pptx, zip, pdf, rar. What public code lets a
message name (`sampleFile` of robot-message-type) is less: xlsx, pdf, zip, rar, doc, docx.
"""

import time
from collections.abc import Callable
from typing import Final

from bot.client import Uploads
from bot.platform import Body, Permanent, Receipt, Say, Transient
from bot.platforms.dingtalk import errors
from bot.platforms.dingtalk.answers import Refused
from bot.platforms.dingtalk.api import Api
from handlers.chat.outbound import Address, Delivery, Enclosure

_MEGABYTE: Final = 1024 * 1024
FILE_BYTES: Final = 20 * _MEGABYTE
# Public code keeps pictures to 10 MB: the less.
IMAGE_BYTES: Final = 10 * _MEGABYTE
_SHOWN: Final = {"image/jpeg": "jpg", "image/png": "png", "image/gif": "gif"}
_ENDINGS: Final = frozenset({"xlsx", "pdf", "zip", "rar", "doc", "docx"})
# The vendor says that they last (apsara-file-storage-for-hdfs-overview), public code says three
# days: a day less than that, so that none ends on its way to the last of 278.
_MEDIA_SECONDS: Final = 2 * 24 * 3600.0
# One that is refused younger than this did not end: the file itself is not taken.
_YOUNG_SECONDS: Final = 3600.0


def _ending(name: str) -> str:
    return name.rpartition(".")[2].lower()


class Files:
    def __init__(self, calls: Api, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._api = calls
        self._monotonic = monotonic
        self._uploads = Uploads(_MEDIA_SECONDS, monotonic)
        # By what was brought: its media_id, and when that was.
        self._brought: dict[str, tuple[str, float]] = {}

    def takes(self, to: Address, file: Enclosure) -> bool:
        if not self._api.speaks_to(to):
            return False
        if file.is_picture:
            return file.content_type in _SHOWN and 0 < file.size <= IMAGE_BYTES
        return _ending(file.name) in _ENDINGS and 0 < file.size <= FILE_BYTES

    async def attach(self, delivery: Delivery, file: Enclosure, body: Body) -> Say:
        """Bring a file, once for all who should have it, and give what sends its message."""
        if not self.takes(delivery.to, file):
            raise Permanent("no_route")
        kind = "image" if file.is_picture else "file"
        # Nobody sees what a picture is called.
        name = f"picture.{_SHOWN[file.content_type]}" if file.is_picture else file.name
        what = f"{kind}:{name}:{file.digest}"

        async def bring() -> str:
            media_id = await self._api.upload(kind, name, await body())
            self._remember(what, media_id)
            return media_id

        media_id = await self._uploads.get(what, bring)

        async def say() -> Receipt:
            try:
                return Receipt(await self._show(delivery.to, file, media_id))
            except Refused as refusal:
                if not errors.of_message(refusal.code) or not self._has_ended(what, media_id):
                    raise
                raise Transient(refusal.code) from None

        return say

    async def _show(self, to: Address, file: Enclosure, media_id: str) -> str:
        if file.is_picture:
            return await self._api.message(to, "sampleImageMsg", {"photoURL": media_id})
        told = {"mediaId": media_id, "fileName": file.name, "fileType": _ending(file.name)}
        return await self._api.message(to, "sampleFile", told)

    def _remember(self, what: str, media_id: str) -> None:
        now = self._monotonic()
        for gone in [w for w, (_, at) in self._brought.items() if now - at >= _MEDIA_SECONDS]:
            del self._brought[gone]
        self._brought[what] = media_id, now

    def _has_ended(self, what: str, media_id: str) -> bool:
        """Whether it may have, so that the file is brought anew with the next try."""
        known, at = self._brought.get(what, ("", 0.0))
        if known != media_id:
            # Another one has found that out.
            return True
        if self._monotonic() - at < _YOUNG_SECONDS:
            return False
        del self._brought[what]
        self._uploads.drop(what)
        return True

    async def close(self) -> None:
        await self._uploads.close()
