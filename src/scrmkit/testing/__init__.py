"""For those who build on scrmkit: strategies for their own tests, and checks of contracts.

`strategies` draws customers, interactions, logs, ties and graphs by Hypothesis. Each check
tries the contract of one kind of plugin, says which rules are broken and how, and is one line
of pytest::

    from scrmkit.testing import check_measure

    def test_our_measure():
        check_measure("acme-crm:helpfulness")

It needs the extra ``testing``. Scrmkit's own tests are written with the same strategies.
"""

from __future__ import annotations

from scrmkit.testing import strategies
from scrmkit.testing._contracts import ContractBroken
from scrmkit.testing._graphs import check_detector, check_measure
from scrmkit.testing._models import check_model
from scrmkit.testing._tables import check_enricher, check_reader, check_writer


__all__ = [
    "ContractBroken",
    "check_detector",
    "check_enricher",
    "check_measure",
    "check_model",
    "check_reader",
    "check_writer",
    "strategies",
]
