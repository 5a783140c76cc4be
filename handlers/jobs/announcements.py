"""Every 5 s: the next batch of what is being sent; what is done or over is put away."""

from handlers.ports import Job
from handlers.services.announcements import Announcing

job = Job("announcements", every_seconds=5)


@job.run
def go_on(announcing: Announcing) -> None:
    announcing.tick()
