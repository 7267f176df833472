"""Words that pages show from data, marked here so that the catalogues gather them."""

from __future__ import annotations

from cordon.web.i18n import N_

FEED_STATES = (N_("connecting"), N_("live"), N_("silent"), N_("refused"), N_("stopped"))
JOB_STATES = (N_("queued"), N_("running"), N_("done"), N_("failed"), N_("cancelled"))
JOB_STAGES = (
    N_("reading"),
    N_("sealing"),
    N_("sealed"),
    N_("looking"),
    N_("storing"),
    N_("reading payments"),
    N_("following"),
)
JOB_REPORTS = (
    N_("files"), N_("findings"), N_("new"), N_("grown"), N_("root"), N_("read"), N_("kept"),
    N_("repeated"), N_("payments"), N_("traced"),
    N_("refused"), N_("numbers"), N_("days"), N_("rows"), N_("calls"), N_("bytes"), N_("lines"),
)  # fmt: skip
FILE_STATES = (N_("waiting"), N_("stored"), N_("kept"))
RUN_STATES = (N_("playing"), N_("stopped"), N_("ended"), N_("cut short"))
ZONE_KINDS = (
    N_("border"), N_("official crossing"), N_("restricted"), N_("port"), N_("anchorage"),
    N_("lane"), N_("territorial sea"), N_("patrol sector"), N_("land"), N_("fishing ground"),
    N_("pilotage"),
)  # fmt: skip
TRACK_KINDS = (N_("unknown"), N_("vessel"), N_("vehicle"), N_("person"), N_("aircraft"))
LEFT_OUT = (
    N_("it has no geometry"), N_("it has no vertices"), N_("it has too few vertices"),
    N_("a vertex is no pair of numbers"), N_("a vertex lies outside ±180 and ±90"),
    N_("collections stand in one another"), N_("it is a link to another file"),
    N_("it is a picture"), N_("it is a model"),
)  # fmt: skip
RECORDS = (N_("picture"), N_("calls"), N_("subscribers"), N_("payments"), N_("persons"))
AUTHORITY_STEPS = (N_("recorded"), N_("confirmed"), N_("withdrawn"), N_("lapsed"))
FINDING_STATES = (N_("open"), N_("closing"), N_("closed"))
ERRORS = (
    N_("There is nothing at this address."), N_("Go back, or start from the rail."),
    N_("This address does not take that method."), N_("The request cannot be read."),
    N_("Something in the node failed; it was recorded."),
    N_("Try again; tell the administrator the reference below."),
    N_("This form is not from your session, or is too old."),
    N_("Load the page again and send it once more."), N_("The request came from another site."),
    N_("Ask a supervisor, or the administrator if your roles are out of date."),
    N_("Nothing is known of that vessel or vehicle."), N_("There is no such job."),
    N_("This node keeps no file of that SHA-256."), N_("There is no such alert."),
    N_("There is no such authority."), N_("There is no such case."),
    N_("There is no such exhibit."),
    N_("There is no such finding."), N_("There is no such officer."),
    N_("There is no such tasking."),
    N_("There is no such unit."), N_("Go back to the queue."), N_("Go back to the list."),
    N_("Too many requests came from here."), N_("The present password is not right."),
    N_("That sign-in did not work. Check what you typed. After several failures, wait a while or "
       "ask your administrator."),
    N_("That sign-in did not work. Begin it anew from the sign-in page."),
)  # fmt: skip
"""What errors say in whole sentences; those that hold values stay in English."""
