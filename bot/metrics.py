"""Counters and gauges for /metrics; names start with lhg_."""

from functools import lru_cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

registry = CollectorRegistry()

received = Counter(
    "lhg_events_received", "Events remembered, by platform", ["platform"], registry=registry
)
duplicates = Counter(
    "lhg_events_duplicate", "Events that were here before", ["platform"], registry=registry
)
rejected = Counter(
    "lhg_requests_rejected",
    "Requests refused, by reason",
    ["platform", "reason"],
    registry=registry,
)
unsupported = Counter(
    "lhg_events_unsupported", "Kinds nobody handles", ["platform", "kind"], registry=registry
)
failed = Counter("lhg_events_failed", "Attempts that raised", ["error"], registry=registry)
sent = Counter("lhg_messages_sent", "Deliveries taken", ["platform"], registry=registry)
not_sent = Counter(
    "lhg_messages_failed", "Deliveries not taken, by kind", ["platform", "kind"], registry=registry
)
files_left = Counter(
    "lhg_files_left_to_page",
    "Files of announcements that a chat was not given: their page shows them",
    ["platform"],
    registry=registry,
)
fetched = Counter(
    "lhg_attachments",
    "Things sent along, by what became of them",
    ["platform", "outcome"],
    registry=registry,
)
waiting = Gauge("lhg_waiting", "Rows that wait", ["queue"], registry=registry)
line_up = Gauge("lhg_line_up", "Whether this process hears on a line", ["line"], registry=registry)
leads = Gauge(
    "lhg_leads",
    "1 where this process sends and keeps time, 0 beside one that does",
    registry=registry,
)
acknowledged = Histogram(
    "lhg_acknowledge_seconds", "From request to acknowledgement", ["platform"], registry=registry
)


@lru_cache(maxsize=256)
def counter_of(metric: Counter, platform: str) -> Counter:
    """The counter of one platform; finding it anew costs as much as decrypting."""
    return metric.labels(platform)


@lru_cache(maxsize=64)
def histogram_of(metric: Histogram, platform: str) -> Histogram:
    return metric.labels(platform)
