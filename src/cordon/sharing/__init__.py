"""Sharing: what goes to other agencies and comes from them, by STIX 2.1 and TAXII 2.1.

The face of the room: what others may call.
"""

from cordon.sharing.acts import ACTS
from cordon.sharing.agreements.model import Terms as AgreementTerms
from cordon.sharing.model import Account, ApiRoot, Collection
from cordon.sharing.nodes.keys import NodeKeys
from cordon.sharing.service import Sharing

__all__ = ["ACTS", "Account", "AgreementTerms", "ApiRoot", "Collection", "NodeKeys", "Sharing"]
