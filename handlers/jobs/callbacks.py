"""On the first working day of a week: whom a person should call back, to the duty desk."""

from datetime import timedelta

from handlers.ports import Job
from handlers.services.callbacks import CallBackService

job = Job("callbacks", schedule="每周第一个工作日 09:00", late=timedelta(hours=24))


@job.run
def send(call_backs: CallBackService) -> None:
    call_backs.send_list()
