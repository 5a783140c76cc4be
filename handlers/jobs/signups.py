"""Every 30 s: close the sign-ups whose time is over."""

from handlers.ports import Job
from handlers.services.signups import SignUps

job = Job("signups", every_seconds=30)


@job.run
def close(signups: SignUps) -> None:
    signups.sweep()
