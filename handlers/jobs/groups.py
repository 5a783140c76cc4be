"""On the first working day of each month: groups whose owner was not yet asked this quarter."""

from datetime import timedelta

from handlers.ports import Job
from handlers.services.groups import GroupService

job = Job("groups", schedule="每月第一个工作日 10:00", late=timedelta(hours=24))


@job.run
def ask(groups: GroupService) -> None:
    groups.ask()
