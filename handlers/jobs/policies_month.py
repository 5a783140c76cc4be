"""On the first working day of a month: what the library had no answer to, to the duty desk."""

from datetime import timedelta

from handlers.ports import Job
from handlers.services.policies import PolicyService

job = Job("policies_month", schedule="每月第一个工作日 09:10", late=timedelta(hours=24))


@job.run
def send(policies: PolicyService) -> None:
    policies.send_month()
