"""At the end of each working day: one line to the chief and the duty desk."""

from datetime import timedelta

from handlers.ports import Job
from handlers.services.briefs import BriefService

job = Job("brief_close", schedule="每工作日 17:00", late=timedelta(hours=2))


@job.run
def send(briefs: BriefService) -> None:
    briefs.send_close()
