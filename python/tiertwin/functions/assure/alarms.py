"""Alarms in the words of 3GPP TS 28.111 (fault management): enumerations and the record.

Names of attributes and values are those of the standard. `probableCause` is open there; the ones here are those twins
raise. Times are date-time strings in UTC, as the standard's `DateTime`, at microseconds.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import Any

from tiertwin.errors import InputError


class Severity(IntEnum):
    """perceivedSeverity; the order is that of `IncidentLog`: a larger number is worse."""

    CLEARED = 0
    INDETERMINATE = 1
    WARNING = 2
    MINOR = 3
    MAJOR = 4
    CRITICAL = 5


ALARM_TYPES = (
    "COMMUNICATIONS_ALARM",
    "QUALITY_OF_SERVICE_ALARM",
    "PROCESSING_ERROR_ALARM",
    "EQUIPMENT_ALARM",
    "ENVIRONMENTAL_ALARM",
    "INTEGRITY_VIOLATION",
    "OPERATIONAL_VIOLATION",
    "PHYSICAL_VIOLATION",
    "SECURITY_SERVICE_OR_MECHANISM_VIOLATION",
    "TIME_DOMAIN_VIOLATION",
    "OTHER",
)
ACK_STATES = ("UNACKNOWLEDGED", "ACKNOWLEDGED")


@dataclass(frozen=True)
class ProbableCause:
    """A probable cause and the alarm type it belongs to."""

    name: str
    alarm_type: str

    def __post_init__(self) -> None:
        if self.alarm_type not in ALARM_TYPES:
            raise InputError(
                f"alarm_type: expected one of {', '.join(ALARM_TYPES)}, got {self.alarm_type!r}", "ProbableCause"
            )


PROBABLE_CAUSES = (
    ProbableCause("LINK_FAILURE", "COMMUNICATIONS_ALARM"),
    ProbableCause("CONGESTION", "QUALITY_OF_SERVICE_ALARM"),
    ProbableCause("THRESHOLD_CROSSED", "QUALITY_OF_SERVICE_ALARM"),
    ProbableCause("RESPONSE_TIME_EXCESSIVE", "QUALITY_OF_SERVICE_ALARM"),
    ProbableCause("HIGH_TEMPERATURE", "ENVIRONMENTAL_ALARM"),
    ProbableCause("EXCESSIVE_VIBRATION", "ENVIRONMENTAL_ALARM"),
    ProbableCause("COOLING_FAN_FAILURE", "EQUIPMENT_ALARM"),
    ProbableCause("EQUIPMENT_FAILURE", "EQUIPMENT_ALARM"),
)
"""What the twins' detectors raise; a list of one's own may be given to `Incidents`."""


@dataclass(kw_only=True)
class AlarmRecord:
    """One alarm; the attributes are those of TS 28.111's AlarmRecord, in its spelling in `to_dict`."""

    alarm_id: str
    object_instance: str
    notification_id: int
    alarm_type: str
    probable_cause: str
    perceived_severity: Severity
    alarm_raised_time: str
    alarm_changed_time: str | None = None
    alarm_cleared_time: str | None = None
    specific_problem: str = ""
    correlated_notifications: list[dict[str, Any]] = field(default_factory=list)
    root_cause_indicator: bool = False
    additional_information: dict[str, Any] = field(default_factory=dict)
    ack_state: str = "UNACKNOWLEDGED"
    ack_time: str | None = None
    ack_user_id: str | None = None

    def acknowledge(self, user: str, time_ns: int, epoch: datetime) -> None:
        """Mark it as acknowledged by `user`; an alarm once acknowledged keeps its first time and user."""
        if not user:
            raise InputError("user: expected a name, got ''", self.alarm_id)
        if self.ack_state == "ACKNOWLEDGED":
            return
        self.ack_state, self.ack_user_id, self.ack_time = "ACKNOWLEDGED", user, date_time(time_ns, epoch)

    def to_dict(self) -> dict[str, Any]:
        """Return it with the standard's names, empty optional attributes left out."""
        result: dict[str, Any] = {}
        for name, value in vars(self).items():
            head, *rest = name.split("_")
            shown = value.name if isinstance(value, Severity) else value
            if shown not in (None, "", [], {}):
                result[head + "".join(part.capitalize() for part in rest)] = shown
        return result

    def to_json(self) -> str:
        """Return `to_dict` as JSON."""
        return json.dumps(self.to_dict())


def date_time(time_ns: int, epoch: datetime) -> str:
    """Return the instant `time_ns` after `epoch` as a DateTime in UTC."""
    if epoch.tzinfo is None:
        raise InputError(f"epoch: expected a time with its zone, got {epoch.isoformat()}", "date_time")
    shown = epoch.astimezone(UTC) + timedelta(microseconds=time_ns // 1000)
    return shown.isoformat(timespec="microseconds").replace("+00:00", "Z")
