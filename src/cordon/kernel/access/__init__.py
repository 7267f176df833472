"""Agencies, officers, roles, sessions, legal authorities, and the gate that all pass.

`work` stands on `access.model` and `access.gate`, and the services here stand on `work`: they
are therefore imported from their own modules, and only the words are named here.

- `acts`, `policy.cedar`, `walk`: what can be done, who may, and the whole table of it.
- `officers.Officers`, `units.Units`: who serves where.
- `signin.SignIn`, `sessions.Sessions`, `oidc`, `passwords`, `totp`, `sealing`: signing in.
- `tokens.Tokens`, `actors.Actors`: programs, commands, and actors of stored references.
- `authorities.Authorities`: legal authorities.
- `ratelimit.RateLimit`: token buckets.
"""

from cordon.kernel.access.model import (
    Act,
    Actor,
    Authority,
    AuthorityKind,
    AuthorityState,
    Mark,
    Officer,
    Role,
    Scope,
    Thing,
    Unit,
)

__all__ = [
    "Act",
    "Actor",
    "Authority",
    "AuthorityKind",
    "AuthorityState",
    "Mark",
    "Officer",
    "Role",
    "Scope",
    "Thing",
    "Unit",
]
