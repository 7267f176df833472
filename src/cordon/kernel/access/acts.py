"""What can be done in the kernel itself: access, the ledger, jobs and findings."""

from __future__ import annotations

from cordon.kernel.access.model import Act

ACTS: tuple[Act, ...] = (
    Act("access.session.open", "Sign in."),
    Act("access.session.view", "See which sessions of an officer are open."),
    Act("access.session.revoke", "End a session before its time: one's own, or another's."),
    Act("access.self.change", "Change one's own password, second factor, language and theme."),
    Act("access.officer.view", "See who the officers are, their units, roles and clearances."),
    Act("access.officer.add", "Add an officer."),
    Act("access.officer.change", "Change an officer's unit, roles, clearance or sign-in."),
    Act("access.officer.lock", "Lock an officer out, or let a locked officer in again."),
    Act("access.unit.view", "See the agency's units."),
    Act("access.unit.add", "Add a unit."),
    Act("access.unit.change", "Change a unit, or close it."),
    Act("access.token.view", "See which programs have tokens, and what each may do."),
    Act("access.token.issue", "Give a program a token for named acts and a set time."),
    Act("access.token.revoke", "Take a program's token away."),
    Act("access.authority.view", "See a legal authority: kind, issuer, scope, dates, history."),
    Act("access.authority.record", "Record a legal authority with the hash of its document."),
    Act("access.authority.confirm", "Confirm an emergency authority as the second officer."),
    Act("access.authority.withdraw", "Withdraw a legal authority before its time, with a reason."),
    Act("access.authority.choose", "Choose the legal authority that one now reads under."),
    Act("access.authority.lapse", "End an emergency authority that nobody confirmed in time."),
    Act("access.settings.view", "See the node's settings."),
    Act("ledger.entry.view", "Read the ledger: who did what, on what, under which authority."),
    Act("ledger.export", "Take the ledger out of the node for an independent verification."),
    Act("ledger.verify", "Check that the ledger is whole and unchanged."),
    Act("jobs.job.view", "See long work and how far it has come."),
    Act("jobs.job.cancel", "Cancel long work, or start failed work again."),
    Act("findings.finding.view", "Read a finding: its reasons, numbers and records."),
    Act("findings.finding.make", "Enter what a detector found; done by the node itself."),
    Act("findings.record.view", "Read a record as it came in."),
    Act("findings.finding.close", "Close a finding with a reason, or ask a second officer to."),
    Act("findings.finding.countersign", "Agree or disagree, as a second officer, to closing one."),
)
