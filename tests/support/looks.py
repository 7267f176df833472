"""The pages that are looked at in a browser, and with which themes and languages."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

THEMES, LANGUAGES = ("dark", "light"), ("en", "ur")


@dataclass(frozen=True)
class Look:
    """A page to look at: its name, address, reader, and status.

    Attributes:
        typed, button: what is typed into a form of the page, by the fields' names, and the value
            of the button that is pressed then: the answer is what is looked at.
    """

    name: str
    path: str
    login: str | None = "watch"
    status: int = 200
    under: bool = False  # with the exercise's authority chosen
    typed: tuple[tuple[str, str], ...] = ()
    button: str = ""


PHONE = (("name", "Patrol boat 7, second phone"), ("groups", "watch, pasni"), ("unit", "PB-07"))


LOOKS = (
    Look("sign-in", "/sign-in", None),
    Look("picture", "/picture"),
    Look("picture-finding", "/picture?finding={finding}"),
    Look("picture-without-alerts", "/picture", "director"),
    Look("vessel", "/picture/vessels/{vessel}"),
    Look("tracks", "/picture/tracks"),
    Look("watchlist", "/picture/watchlist"),
    Look("overlays", "/picture/overlays"),
    Look("feeds", "/picture/feeds", "supervisor"),
    Look("feed", "/picture/feeds/{feed}", "supervisor"),
    Look("zones", "/picture/zones", "supervisor"),
    Look("zones-draw", "/picture/zones/draw", "supervisor"),
    Look("cover", "/picture/cover", "supervisor"),
    Look("positions-import", "/picture/import"),
    Look("alerts", "/alerts"),
    Look("alerts-filtered", "/alerts?state=closed&mine=1"),
    Look("alert", "/alerts/{alert}"),
    Look("alert-send", "/alerts/{other}/send"),
    Look("alert-assign", "/alerts/{other}/assign"),
    Look("alert-case", "/alerts/{other}/case"),
    Look("alert-close", "/alerts/{other}/close"),
    Look("taskings", "/taskings"),
    Look("tasking", "/taskings/{tasking}"),
    Look("tasking-field", "/taskings/{tasking}", "boat"),
    Look("tasking-phones", "/taskings/{tasking}/phones"),
    Look("field", "/field", "boat"),
    Look("phones", "/phones", "supervisor"),
    Look("units", "/units", "supervisor"),
    Look("handover", "/handover"),
    Look("handover-one", "/handover/{handover}"),
    Look("unit", "/units/{unit}", "supervisor"),
    Look("measures", "/measures", "supervisor"),
    Look("tak", "/tak", "supervisor"),
    Look("tak-reader", "/tak"),
    Look("tak-enrolled", "/tak", "supervisor", typed=PHONE, button="package"),
    Look("tak-invited", "/tak", "supervisor", typed=PHONE, button="invite"),
    Look("findings", "/findings"),
    Look("finding", "/findings/{finding}"),
    Look("finding-masked", "/findings/{fan}", "investigator"),
    Look("record", "/records/{record}"),
    Look("calls", "/calls", "investigator"),
    Look("calls-import", "/calls/import", "investigator"),
    Look("calls-imports", "/calls/imports/{brought}", "investigator"),
    Look("calls-file", "/calls/files/{calls_file}", "investigator"),
    Look("calls-rings", "/calls/rings", "investigator"),
    Look("calls-ring-chart", "/calls/rings/{ring}", "investigator"),
    Look("calls-ring-map", "/calls/rings/{ring}?show=map", "investigator"),
    Look("calls-ring-time", "/calls/rings/{ring}?show=time", "investigator"),
    Look("calls-ring-table", "/calls/rings/{ring}?show=table", "investigator"),
    Look("calls-ring-overseer", "/calls/rings/{ring}", "overseer"),
    Look("calls-look", "/calls/numbers", "investigator"),
    Look("calls-number", "/calls/numbers/{number}", "investigator"),
    Look("calls-handset", "/calls/handsets/{handset}", "investigator"),
    Look("calls-cell", "/calls/cells/{cell}", "investigator"),
    Look("calls-layouts", "/calls/layouts", "investigator"),
    Look("calls-layout", "/calls/layouts/{layout}", "investigator"),
    Look("money", "/money", "investigator", under=True),
    Look("money-import", "/money/import", "investigator"),
    Look("money-imports", "/money/imports/{money_brought}", "investigator"),
    Look("money-file", "/money/files/{money_file}", "investigator"),
    Look("money-look", "/money/accounts", "investigator"),
    Look("money-account", "/money/accounts/{account}", "investigator", under=True),
    Look("money-account-masked", "/money/accounts/{account}", "overseer"),
    Look("money-trace", "/money/traces/{trace}", "investigator", under=True),
    Look("money-trace-haircut", "/money/traces/{trace}?method=haircut", "overseer"),
    Look("money-trace-back", "/money/traces/{trace_back}", "investigator", under=True),
    Look("money-ring", "/money/rings/{ring}", "investigator", under=True),
    Look("money-packages", "/money/packages", "investigator"),
    Look("money-package", "/money/packages/{package}", "investigator"),
    Look("money-package-drafted", "/money/packages/{drafted}", "supervisor"),
    Look("money-package-freeze", "/money/packages/{freeze}", "investigator"),
    Look("money-draft", "/money/packages/new?ring={ring}", "investigator"),
    Look("money-draft-freeze", "/money/packages/new?kind=freeze&ring={ring}", "investigator"),
    Look("money-draft-site", "/money/packages/new?kind=site&ring={ring}", "investigator"),
    Look("money-effects", "/money/effect", "investigator"),
    Look("money-effect", "/money/effect/{package}", "overseer"),
    Look("money-recoveries", "/money/recovery", "investigator"),
    Look("money-recovery", "/money/recovery/{freeze}", "investigator"),
    Look("cases", "/cases", "investigator"),
    Look("case", "/cases/{case}", "investigator"),
    Look("case-watch", "/cases/{case}"),
    Look("sharing", "/sharing", "supervisor"),
    Look("sharing-reader", "/sharing", "investigator"),
    Look("sharing-collection", "/sharing/collections/{collection}", "investigator"),
    Look("sharing-nodes", "/sharing/nodes", "supervisor"),
    Look("sharing-witnesses", "/sharing/witnesses", "overseer"),
    Look("agreements", "/sharing/agreements", "supervisor"),
    Look("agreement", "/sharing/agreements/{agreement}", "supervisor"),
    Look("releases", "/sharing/releases", "investigator"),
    Look("release", "/sharing/releases/{release}", "investigator"),
    Look("release-waits", "/sharing/releases/{waits}", "supervisor"),
    Look(
        "release-new",
        "/sharing/releases/new?to=pk-peer&purpose=border_security&findings={finding}",
        "investigator",
    ),
    Look("requests", "/sharing/requests", "investigator"),
    Look("planned-acts", "/sharing/deconfliction"),
    Look("planned-act", "/sharing/deconfliction/{planned_act}"),
    Look("planned-act-commander", "/sharing/deconfliction/{planned_act}", "supervisor"),
    Look("planned-act-new", "/sharing/deconfliction/new"),
    Look("planned-act-change", "/sharing/deconfliction/{planned_act}/change", "supervisor"),
    Look("match", "/sharing/match", "supervisor"),
    Look("jobs", "/jobs", "investigator"),
    Look("job", "/jobs/{job}", "investigator"),
    Look("authorities", "/authorities", "supervisor"),
    Look("authority", "/authorities/{authority}", "supervisor"),
    Look("find", "/find?q=MMSI"),
    Look("find-nothing", "/find?q=zzzzzz"),
    Look("exercise", "/exercise", "director"),
    Look("crews", "/exercise/crews", "director"),
    Look("oversight", "/oversight", "overseer"),
    Look("ledger", "/ledger", "overseer"),
    Look("ledger-entry", "/ledger/12", "overseer"),
    Look("officers", "/officers", "admin"),
    Look("account", "/account"),
    Look("not-allowed", "/ledger", "watch", 403),
    Look("not-found", "/nothing/here", "watch", 404),
    Look("not-found-nobody", "/nothing/here", None, 404),
)


def chosen(every: bool) -> list[tuple[Look, str, str]]:
    """What is looked at: pages with a theme and a language, all or each pair of the three once."""
    if every:
        return list(itertools.product(LOOKS, THEMES, LANGUAGES))
    crossed = zip(THEMES, LANGUAGES, strict=True), zip(THEMES, reversed(LANGUAGES), strict=True)
    turns = [list(pairs) for pairs in crossed]
    return [(look, *pair) for n, look in enumerate(LOOKS) for pair in turns[n % 2]]
