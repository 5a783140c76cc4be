"""Typed ids: two of them are never interchangeable."""

from typing import NewType

PersonId = NewType("PersonId", str)
EnterpriseId = NewType("EnterpriseId", str)
TicketNumber = NewType("TicketNumber", int)
