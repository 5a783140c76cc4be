"""Every 30 s: remind of what is late, and take it a level up."""

from handlers.ports import Job
from handlers.services.reminders import ReminderService

job = Job("overdue", every_seconds=30)


@job.run
def remind(reminders: ReminderService) -> None:
    reminders.sweep()
