"""Every morning: the page of the day; on a day off only where something is U1."""

from datetime import timedelta

from handlers.ports import Job
from handlers.services.briefs import BriefService

job = Job("brief_morning", schedule="每天 08:20", late=timedelta(hours=3))


@job.run
def send(briefs: BriefService) -> None:
    briefs.send_morning()
