"""Every hour: open questions end, perhaps-problems expire, dead links and files of no ticket are forgotten."""

from handlers.ports import Clock, Job, Work

job = Job("cleanup", every_seconds=3600)


@job.run
def clean(work: Work, clock: Clock) -> None:
    now = clock.now()
    work.dialogues.drop_expired(now)
    work.candidates.expire(now)
    work.openings.forget()
    work.attachments.forget()
