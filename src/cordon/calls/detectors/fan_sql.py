"""The measurements of the detector of fans, as SQL.

All but PAIRS run in a database of its own that holds `calls`, the voice calls of those who could
matter and of a sample of all others, by time, and `selected(number, candidate)`; numbers, cells
and calls are positions in `Near`, `names(at, name)` says which; `$name` are parameters.
"""

OUTGOING = """
CREATE TEMP TABLE outgoing AS
SELECT s.number, c.callee, c.us, c.duration_s, c.caller_cell AS cell, c.call,
       (c.us + $offset) // 86400000000 AS day, (c.us + $offset) // 3600000000 AS hour
FROM calls c JOIN selected s ON c.caller = s.number
WHERE c.caller <> c.callee
"""

PEOPLE = """
CREATE TEMP TABLE people AS
SELECT number, callee, count(*) AS calls, count(DISTINCT day) AS days
FROM outgoing GROUP BY number, callee
"""

INCOMING = """
CREATE TEMP TABLE incoming AS
SELECT callee AS number, caller, count(*) AS calls
FROM calls WHERE caller <> callee
  AND callee IN (SELECT number FROM selected)
GROUP BY callee, caller
"""

PROFILES = """
CREATE TEMP TABLE profiles AS
WITH days AS (
    SELECT number, day, count(*) AS calls, count(DISTINCT callee) AS people,
           count(DISTINCT hour) AS hours
    FROM outgoing GROUP BY number, day
), daily AS (
    SELECT number, count(*) AS active_days, median(people) AS people_a_day,
           median(calls) AS calls_a_day, median(hours) AS hours_a_day, sum(people) AS met
    FROM days GROUP BY number
), evenness AS (
    SELECT number, sum(calls) AS n, count(*) AS k, sum(calls * ln(calls)) AS s
    FROM people GROUP BY number
), cells AS (
    SELECT number, sum(n) AS located, sum(n) FILTER (place <= 2) AS in_two FROM (
        SELECT number, cell, count(*) AS n,
               row_number() OVER (PARTITION BY number ORDER BY count(*) DESC, cell) AS place
        FROM outgoing WHERE cell IS NOT NULL GROUP BY number, cell
    ) GROUP BY number
), talk AS (
    SELECT number, count(*) AS calls, min(us) AS first, max(us + coalesce(duration_s, 0) * 1e6)
           AS last, median(duration_s) FILTER (duration_s > 0) AS duration
    FROM outgoing GROUP BY number
), back AS (
    SELECT p.number, count(*) AS called_back
    FROM people p JOIN incoming i ON i.number = p.number AND i.caller = p.callee
    GROUP BY p.number
), coming AS (
    SELECT number, sum(calls) AS calls FROM incoming GROUP BY number
)
SELECT s.number, s.candidate, t.calls, t.first, CAST(t.last AS BIGINT) AS last, t.duration,
       d.active_days, d.people_a_day, d.calls_a_day, d.hours_a_day, e.k AS people,
       e.k / d.met AS new_share,
       CASE WHEN e.k > 1 THEN (ln(e.n) - e.s / e.n) / ln(e.k) END AS entropy,
       CASE WHEN c.located >= 0.8 * t.calls THEN c.in_two / c.located END AS cell_share,
       coalesce(b.called_back, 0) / e.k AS called_back_share,
       coalesce(i.calls, 0) / (coalesce(i.calls, 0) + t.calls) AS incoming_share
FROM selected s JOIN daily d USING (number) JOIN evenness e USING (number)
JOIN talk t USING (number) LEFT JOIN cells c USING (number) LEFT JOIN back b USING (number)
LEFT JOIN coming i USING (number)
"""

USUAL = """
SELECT {columns} FROM profiles WHERE number IN (SELECT unnest($sample))
"""

# Who knows whom among the people called: pairs that called at all. Runs on all calls.
PAIRS = """
SELECT DISTINCT least(x.at, y.at) AS a, greatest(x.at, y.at) AS b
FROM calls c JOIN met x ON key64(c.caller) = x.k JOIN met y ON key64(c.callee) = y.k
WHERE c.caller <> c.callee
"""

# of each number at most so many people: whether people know one another shows in a few hundred
MET = """
CREATE TEMP TABLE met AS
SELECT number, callee FROM people JOIN names ON callee = names.at
WHERE number IN (SELECT unnest($numbers))
QUALIFY row_number() OVER (PARTITION BY number ORDER BY hash(name), name) <= $most
"""

ACQUAINTED = """
WITH called AS (
    SELECT number, callee FROM met WHERE callee NOT IN (SELECT unnest($busy))
), size AS (
    SELECT number, count(*) AS k FROM called GROUP BY number
), heads AS MATERIALIZED (
    -- first the pairs that begin at a callee: called × called by number would not fit
    SELECT x.number, p.b FROM called x JOIN pairs p ON p.a = x.callee
), links AS (
    SELECT h.number, count(*) AS links
    FROM heads h SEMI JOIN called y ON y.number = h.number AND y.callee = h.b
    GROUP BY h.number
)
SELECT number, k, coalesce(links, 0) AS links FROM size LEFT JOIN links USING (number)
"""
