"""What a scope covers, against a plain restatement of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from cordon.kernel.access.model import Scope
from cordon.kernel.access.tables import scope_from, scope_to

T0 = datetime(2026, 1, 1, tzinfo=UTC)
data = st.sampled_from(["calls", "payments", "persons"])
subject = st.sampled_from([f"number:+92300000000{i}" for i in range(4)])
moment = st.integers(0, 100).map(lambda m: T0 + timedelta(minutes=m))
scopes = st.builds(
    Scope,
    st.frozensets(data, min_size=1),
    st.none() | st.frozensets(subject, min_size=1),
    st.none() | moment,
    st.none() | moment,
)


@given(scopes, data, st.none() | subject, st.none() | moment)
def test_covers_what_is_inside_on_every_side_and_nothing_else(scope, kind, whom, at):
    inside = [
        kind in scope.data,
        scope.subjects is None or (whom is not None and whom in scope.subjects),
        at is None or scope.since is None or scope.since <= at,
        at is None or scope.until is None or at < scope.until,
    ]
    assert scope.covers(kind, whom, at) == all(inside)


@given(scopes, data, subject, moment, st.frozensets(subject), st.timedeltas(timedelta(0)))
def test_a_narrower_scope_never_covers_more(scope, kind, whom, at, fewer, by):
    by = by % timedelta(hours=3)
    subjects = fewer if scope.subjects is None else scope.subjects & fewer
    narrow = Scope(
        scope.data - {"payments"}, subjects, (scope.since or T0) + by, scope.until or T0 + by
    )
    if narrow.covers(kind, whom, at):
        assert scope.covers(kind, whom, at)


@given(scopes)
def test_a_scope_comes_back_from_the_database_as_it_was(scope):
    assert scope_from(scope_to(scope)) == scope
