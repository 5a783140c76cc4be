"""Every working day: whose window of a policy closes soon, told once."""

from datetime import timedelta

from handlers.ports import Job
from handlers.services.policies import PolicyService

job = Job("policies_closing", schedule="每工作日 09:20", late=timedelta(hours=24))


@job.run
def send(policies: PolicyService) -> None:
    policies.remind()
