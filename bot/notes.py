"""What a platform must not forget, kept in the database."""

from typing import Final

from bot.writer import Writer


class DatabaseNotes:
    """One platform's notes; they outlive the process and are every process's."""

    def __init__(self, writer: Writer, platform: str) -> None:
        self._writer: Final = writer
        self._platform: Final = platform

    async def get(self, key: str) -> str:
        return await self._writer.read(lambda uow: uow.notes.get(self._platform, key))

    async def put(self, key: str, value: str) -> None:
        await self._writer.run(lambda uow: uow.notes.put(self._platform, key, value))
