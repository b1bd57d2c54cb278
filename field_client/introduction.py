"""Introduction: what a log says to be let in at central, whatever road it takes."""

from __future__ import annotations

from pathlib import Path

from field_client import succession
from field_client.desk import Desk
from field_client.enrolment import InvitationToken
from field_client.vault.keyfile import read_keys
from field_client.vault.logs import OwnLog
from sync import enrolment
from sync.messages import Enrolment


def introduction(desk: Desk, folder: Path, log: OwnLog) -> Enrolment:
    """A first log is vouched for by the invitation's secret, a later one by its parent."""
    escrow = read_keys(folder / "keys.json", folder / "keys.copy.json").escrow
    sealed = escrow.sealed if escrow is not None else b""
    parent = succession.opening_of(log).parent
    if parent:
        key = desk.store.log(parent).identity
        return Enrolment(b"", log.opening, key.sign(enrolment.succession(log.opening)), sealed)
    token = desk.store.recall(InvitationToken)
    proof = enrolment.proof(desk.invitation().secret, log.opening)
    return Enrolment(token.token if token else b"", log.opening, proof, sealed)
