"""What the node tells a Prometheus server of itself; nothing of it is personal."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import func, select

from cordon.kernel.jobs import JobRow
from cordon.kernel.leads.tables import LeadRow
from cordon.kernel.work import Kernel

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """The node's registry: requests as they come, the rest when it is asked for."""

    def __init__(self, kernel: Kernel) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "cordon_requests",
            "Requests answered",
            ["method", "route", "status"],
            registry=self.registry,
        )
        self._seconds = Histogram(
            "cordon_request_seconds",
            "Seconds to answer a request",
            ["route"],
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
            registry=self.registry,
        )
        self.registry.register(_State(kernel))

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answer. `route` is the template, so that labels stay few."""
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def text(self) -> bytes:
        """All metrics in the Prometheus text format."""
        return generate_latest(self.registry)


class _State(Collector):
    """Reads counts from the node's rows at the moment they are asked for."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    def collect(self) -> Iterable[Metric]:
        yield GaugeMetricFamily(
            "cordon_ledger_entries", "Entries of the ledger", value=self._kernel.ledger.size()
        )
        with self._kernel.rows.read() as session:
            jobs = session.execute(select(JobRow.state, func.count()).group_by(JobRow.state)).all()
            leads = session.execute(
                select(LeadRow.type, LeadRow.state, func.count()).group_by(
                    LeadRow.type, LeadRow.state
                )
            ).all()
            late = session.scalar(
                select(func.count())
                .select_from(LeadRow)
                .where(LeadRow.state == "open", LeadRow.due_at < self._kernel.clock.now())
            )
        gauge = GaugeMetricFamily("cordon_jobs", "Jobs by state", labels=["state"])
        for state, count in jobs:
            gauge.add_metric([state], count)
        yield gauge
        gauge = GaugeMetricFamily(
            "cordon_leads", "Leads by type and state", labels=["type", "state"]
        )
        for type_, state, count in leads:
            gauge.add_metric([type_, state], count)
        yield gauge
        yield GaugeMetricFamily(
            "cordon_leads_overdue", "Leads unanswered past their time", value=late or 0
        )
        yield GaugeMetricFamily(
            "cordon_subscribers_failing",
            "Event subscribers that fail",
            value=len(self._kernel.dispatcher.failing()),
        )
