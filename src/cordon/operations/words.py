"""Words that pages show from data, marked here so that the catalogues gather them."""

from __future__ import annotations

from cordon.kernel.ledger import Entry


def N_(message: str) -> str:
    """Mark a message for the catalogues without translating it here."""
    return message


SHOWN = (
    N_("refused"),
    N_("open"), N_("acknowledged"), N_("assigned"), N_("answered"), N_("closing"), N_("closed"),
    N_("drafted"), N_("sent"), N_("moving"), N_("on scene"), N_("done"), N_("declined"),
    N_("cancelled"), N_("ready"), N_("tasked"), N_("unavailable"),
    N_("boat"), N_("vehicle"), N_("foot"), N_("aircraft"),
    # why a lead may be closed: kernel/leads/reasons.yaml
    N_("Explained"), N_("An ordinary cause was found and is written in the note."),
    N_("False detection"), N_("What the detector said did not happen."),
    N_("Duplicate"), N_("The same thing is answered under another lead, named in the note."),
    N_("Handed over"), N_("Another unit or agency has it, named in the note."),
    N_("Answered"), N_("A unit went, and its report stands with the tasking."),
    N_("No means"), N_("Nobody could go. The overseer sees these apart."),
)  # fmt: skip


ACTS = {
    "operations.alert.raise": N_("Raised"),
    "operations.alert.acknowledge": N_("Acknowledged"),
    "operations.alert.assign": N_("Assigned"),
    "operations.alert.close": N_("Closing was asked"),
    "operations.alert.countersign": N_("Countersigned"),
    "operations.alert.open_case": N_("Case opened"),
    "operations.alert.answer": N_("Counts as answered"),
    "operations.alert.view": N_("Personal data was read, or refused"),
    "operations.tasking.send": N_("Unit sent"),
}


def entry_words(entry: Entry) -> str:
    """What a ledger entry on an alert says happened, in a few words of the catalogue."""
    if entry.detail.get("declined"):
        return N_("Closing was declined")
    if entry.detail.get("no_longer"):
        return N_("Answered no longer")
    if entry.detail.get("withdrawn"):
        return N_("Its detector took it back")
    if entry.detail.get("silent"):
        return N_("The same behaviour was found again")
    if entry.act == "operations.alert.close" and entry.detail.get("second_needed") is False:
        return N_("Closed")
    return ACTS.get(entry.act, entry.act)
