"""On the first working day of a week: what the last one was."""

from datetime import timedelta

from handlers.ports import Job
from handlers.services.briefs import BriefService

job = Job("brief_week", schedule="每周第一个工作日 08:30", late=timedelta(hours=24))


@job.run
def send(briefs: BriefService) -> None:
    briefs.send_week()
