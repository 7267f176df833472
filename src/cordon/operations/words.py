"""Words that pages show from data, marked here so that the catalogues gather them."""

from __future__ import annotations

from cordon.kernel.ledger import Entry


def N_(message: str) -> str:
    """Mark a message for the catalogues without translating it here."""
    return message


SHOWN = (
    N_("refused"),
    N_("open"), N_("acknowledged"), N_("assigned"), N_("answered"), N_("closing"), N_("closed"),
    N_("sea route"), N_("straight line"), N_("great circle"),
    N_("drafted"), N_("sent"), N_("moving"), N_("on scene"), N_("done"), N_("declined"),
    N_("cancelled"), N_("ready"), N_("tasked"), N_("unavailable"),
    N_("boat"), N_("vehicle"), N_("foot"), N_("aircraft"),
    # who is told what nobody saw: triage/rules.yaml
    N_("shift lead"), N_("overseer"),
    # what units can do: ranking/means.yaml
    N_("board a vessel"), N_("stop and search"), N_("search an area"), N_("keep watch"),
    N_("watch the air"), N_("tow"), N_("rescue"), N_("night vision"), N_("radar"),
    N_("thermal camera"), N_("rigid inflatable boat"), N_("drone"), N_("search dog"),
    N_("first aid"), N_("breathing gear"),
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
    "operations.alert.merge": N_("Put under another alert"),
    "operations.alert.escalate": N_("Nobody had seen it in its time: told further up"),
    "operations.alert.countersign": N_("Countersigned"),
    "operations.alert.open_case": N_("Case opened"),
    "operations.alert.answer": N_("Counts as answered"),
    "operations.alert.view": N_("Personal data was read, or refused"),
    "operations.tasking.send": N_("Unit sent"),
}


TOLD = {
    "declined": N_("Closing was declined"),
    "no_longer": N_("Answered no longer"),
    "open_again": N_("Every unit declined or was called off: open again"),
    "apart": N_("Taken out of its group"),
    "withdrawn": N_("Its detector took it back"),
    "silent": N_("The same behaviour was found again"),
}
"""What a detail of an entry says happened, before what its act says."""


def entry_words(entry: Entry) -> str:
    """What a ledger entry on an alert says happened, in a few words of the catalogue."""
    for told, words in TOLD.items():
        if entry.detail.get(told):
            return words
    if entry.act == "operations.alert.close" and entry.detail.get("second_needed") is False:
        return N_("Closed")
    return ACTS.get(entry.act, entry.act)
