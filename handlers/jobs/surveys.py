"""Every 30 s: remind the silent of surveys once, end what is over."""

from handlers.ports import Job
from handlers.services.surveys import Surveys

job = Job("surveys", every_seconds=30)


@job.run
def sweep(surveys: Surveys) -> None:
    surveys.sweep()
