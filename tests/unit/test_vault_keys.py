"""Keys: who opens the vault, who does not, and what a wrong PIN costs."""

from __future__ import annotations

import os
from pathlib import Path

import keyring
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from keyring.errors import KeyringLocked

from field_client.vault import escrow
from field_client.vault.attempts import Attempts, wait_after
from field_client.vault.keyfile import KeyFile
from field_client.vault.keys import Keys
from field_client.vault.machine import SystemKeyStore, system_key_store
from models.problems import Problem
from tests.vaults import CHEAP, NOW, PASSPHRASE, MemoryKeyStore, refused


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    made = Keys(tmp_path / "van", None)
    made.create("sari", PASSPHRASE, CHEAP)
    return made


def test_the_right_passphrase_gives_the_same_keys_again(keys: Keys) -> None:
    first = keys.unlock("sari", PASSPHRASE, NOW)
    again = keys.unlock("SARI ", PASSPHRASE, NOW)
    assert (first.database_key, first.operator, first.public_key) == (
        again.database_key, again.operator, again.public_key,
    )  # fmt: skip
    assert len(first.database_key) == 32
    assert keys.vault() == first.vault


def test_the_operators_own_key_signs_for_the_session(keys: Keys) -> None:
    unlocked = keys.unlock("sari", PASSPHRASE, NOW)
    signature = unlocked.sign(b"jb1-session")
    Ed25519PublicKey.from_public_bytes(unlocked.public_key).verify(signature, b"jb1-session")


def test_no_secret_is_in_the_repr_or_in_the_files(keys: Keys) -> None:
    unlocked = keys.unlock("sari", PASSPHRASE, NOW)
    private = unlocked.signing_key.private_bytes_raw()
    assert repr(unlocked.database_key) not in repr(unlocked)
    for file in keys.folder.iterdir():
        data = file.read_bytes()
        for secret in (unlocked.database_key, private, PASSPHRASE.encode()):
            assert secret not in data
            assert secret.hex().encode() not in data


def test_a_wrong_pin_is_counted_and_from_the_third_on_makes_wait(keys: Keys) -> None:
    waits, lefts = [], []
    now = NOW
    for _ in range(6):
        problem = refused("pin.wrong", keys.unlock, "sari", "salah salah", now)
        waits.append(problem.details["seconds"])
        lefts.append(problem.details["left"])
        now += waits[-1]
    assert waits == [0, 0, 1, 2, 4, 8]
    assert lefts == [2, 1, 0, 0, 0, 0]
    assert refused("pin.wait", keys.unlock, "sari", PASSPHRASE, now - 3).details["seconds"] == 3
    again = Keys(keys.folder, None)  # another process remembers it
    refused("pin.wait", again.unlock, "sari", PASSPHRASE, now - 1)
    again.unlock("sari", PASSPHRASE, now)
    assert refused("pin.wrong", again.unlock, "sari", "salah salah", now).details["seconds"] == 0


def test_the_wait_never_passes_five_minutes() -> None:
    assert [wait_after(n) for n in (0, 2, 3, 10, 11, 12, 10_000)] == [0, 0, 1, 128, 256, 300, 300]


def test_a_clock_that_went_back_does_not_lock_for_years(tmp_path: Path) -> None:
    attempts = Attempts(tmp_path / "attempts.json")
    for _ in range(6):
        attempts.missed("sari", NOW + 1_000_000_000)
    refused("pin.wait", attempts.check, "sari", NOW)
    attempts.check("sari", NOW + 8)


def test_a_spoilt_attempts_file_keeps_nobody_out(keys: Keys) -> None:
    (keys.folder / "attempts.json").write_bytes(b"\xff\x00")
    keys.unlock("sari", PASSPHRASE, NOW)


def test_one_operator_waiting_does_not_stop_another(keys: Keys) -> None:
    sari = keys.unlock("sari", PASSPHRASE, NOW)
    keys.add(sari.database_key, "budi", "kora kora laut", CHEAP)
    for _ in range(9):
        keys._attempts.missed("sari", NOW)
    refused("pin.wait", keys.unlock, "sari", PASSPHRASE, NOW)
    assert keys.unlock("budi", "kora kora laut", NOW).database_key == sari.database_key


def test_short_pins_need_a_key_store(tmp_path: Path) -> None:
    bare = Keys(tmp_path / "bare", None)
    assert bare.needs_passphrase
    problem = refused("pin.passphrase_needed", bare.create, "sari", "482913", CHEAP)
    assert problem.details["least"] == 10
    assert not bare.exists
    store = MemoryKeyStore()
    desktop = Keys(tmp_path / "desktop", store)
    made = desktop.create("sari", "482913", CHEAP)
    assert desktop.unlock("sari", "482913", NOW).database_key == made.database_key
    refused("pin.weak", desktop.change_pin, made, "48291", CHEAP)
    for simple in ("111111", "123456", "987654"):
        refused("pin.weak", desktop.change_pin, made, simple, CHEAP)
    refused("pin.too_long", desktop.change_pin, made, "12" * 200, CHEAP)


def test_a_copied_folder_without_its_key_store_says_nothing_about_the_pin(tmp_path: Path) -> None:
    store = MemoryKeyStore()
    Keys(tmp_path, store).create("sari", "482913", CHEAP)
    refused("vault.machine_secret", Keys(tmp_path, None).unlock, "sari", "482913", NOW)
    refused("vault.machine_secret", Keys(tmp_path, MemoryKeyStore()).unlock, "sari", "482913", NOW)
    for name in store.secrets:
        store.secrets[name] = bytes(32)  # another machine's secret: the right PIN is wrong there
    refused("pin.wrong", Keys(tmp_path, store).unlock, "sari", "482913", NOW)


@pytest.mark.parametrize(
    ("module", "trusted"),
    [
        ("keyring.backends.SecretService", True),
        ("keyring.backends.Windows", True),
        ("keyring.backends.macOS", True),
        ("keyring.backends.fail", False),
        ("keyring.backends.null", False),
        ("keyrings.alt.file", False),
    ],
)
def test_only_a_real_key_store_counts(
    module: str, trusted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = type("Keyring", (), {"__module__": module})()
    monkeypatch.setattr(keyring, "get_keyring", lambda: backend)
    assert (system_key_store() is not None) is trusted


def test_the_machine_secret_goes_through_the_key_store(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: dict[tuple[str, str], str] = {}
    monkeypatch.setattr(keyring, "get_password", lambda *name: kept.get(name))
    monkeypatch.setattr(
        keyring, "set_password", lambda service, name, text: kept.update({(service, name): text})
    )
    store = SystemKeyStore()
    assert store.get("vault") is None
    store.put("vault", bytes(range(32)))
    assert store.get("vault") == bytes(range(32))

    def locked(*_: str) -> str:
        raise KeyringLocked

    monkeypatch.setattr(keyring, "get_password", locked)
    monkeypatch.setattr(keyring, "set_password", locked)
    refused("vault.machine_secret", store.get, "vault")
    refused("vault.machine_secret", store.put, "vault", bytes(32))


def test_a_locked_key_store_is_never_given_a_second_secret(tmp_path: Path) -> None:
    """Else the wraps of everybody else would be lost with the first one."""
    store = MemoryKeyStore()
    keys = Keys(tmp_path, store)
    sari = keys.create("sari", "482913", CHEAP)

    class Locked(MemoryKeyStore):
        def get(self, name: str) -> bytes | None:
            raise Problem("vault.machine_secret")

        def put(self, name: str, secret: bytes) -> None:
            raise AssertionError("overwritten")

    locked = Keys(tmp_path, Locked())
    refused("vault.machine_secret", locked.add, sari.database_key, "budi", "591734", CHEAP)
    refused("vault.machine_secret", locked.unlock, "sari", "482913", NOW)
    assert keys.unlock("sari", "482913", NOW).database_key == sari.database_key
    assert keys.names() == ["sari"]


def test_operators_come_and_go_and_the_last_one_stays(keys: Keys) -> None:
    sari = keys.unlock("sari", PASSPHRASE, NOW)
    budi = keys.add(sari.database_key, "Budi", "kora kora laut", CHEAP)
    assert keys.names() == ["sari", "budi"]
    assert budi.operator != sari.operator
    assert budi.public_key != sari.public_key
    refused("operator.exists", keys.add, sari.database_key, "budi", PASSPHRASE, CHEAP)
    refused("vault.other_key", keys.add, bytes(32), "tuti", PASSPHRASE, CHEAP)
    refused("operator.name", keys.add, sari.database_key, "bu tuti", PASSPHRASE, CHEAP)
    assert keys.remove(budi, "sari") == sari.operator
    refused("operator.unknown", keys.unlock, "sari", PASSPHRASE, NOW)
    refused("operator.last", keys.remove, budi, "budi")
    assert keys.names() == ["budi"]


def test_a_changed_pin_keeps_the_person_and_every_key(keys: Keys) -> None:
    before = keys.unlock("sari", PASSPHRASE, NOW)
    keys.change_pin(before, "cengkeh dan pala", CHEAP)
    refused("pin.wrong", keys.unlock, "sari", PASSPHRASE, NOW)
    after = keys.unlock("sari", "cengkeh dan pala", NOW)
    assert (after.operator, after.database_key) == (before.operator, before.database_key)
    assert after.public_key == before.public_key


def test_the_office_opens_what_the_operators_forgot(keys: Keys) -> None:
    office, other = X25519PrivateKey.generate(), X25519PrivateKey.generate()
    sari = keys.unlock("sari", PASSPHRASE, NOW)
    refused("escrow.none", keys.open_escrow, office.private_bytes_raw())
    refused("escrow.bad_key", keys.seal_to_office, sari, b"short")
    keys.seal_to_office(sari, office.public_key().public_bytes_raw())
    assert keys.has_escrow
    refused("escrow.wrong_key", keys.open_escrow, other.private_bytes_raw())
    opened = keys.open_escrow(office.private_bytes_raw())
    assert opened == sari.database_key
    keys.add(opened, "budi", "kora kora laut", CHEAP)
    assert keys.unlock("budi", "kora kora laut", NOW).database_key == sari.database_key


def test_an_escrow_cannot_be_passed_off_as_that_of_another_laptop() -> None:
    office = X25519PrivateKey.generate()
    sealed = escrow.seal(bytes(32), b"v" * 16, office.public_key().public_bytes_raw())
    refused("escrow.wrong_key", escrow.open_sealed, sealed, b"w" * 16, office.private_bytes_raw())


def test_shredding_leaves_the_escrow_and_nobody_else(keys: Keys) -> None:
    office = X25519PrivateKey.generate()
    sari = keys.unlock("sari", PASSPHRASE, NOW)
    refused("escrow.none", keys.shred)
    keys.seal_to_office(sari, office.public_key().public_bytes_raw())
    keys.shred()
    refused("vault.shredded", keys.unlock, "sari", PASSPHRASE, NOW)
    assert keys.open_escrow(office.private_bytes_raw()) == sari.database_key


def test_a_second_vault_is_never_made_over_the_first(keys: Keys) -> None:
    refused("vault.exists", keys.create, "sari", PASSPHRASE, CHEAP)
    refused("vault.absent", Keys(keys.folder.parent / "none", None).names)


def test_every_bit_of_the_key_file_matters_and_the_copy_helps(keys: Keys) -> None:
    path, copy = keys.folder / "keys.json", keys.folder / "keys.copy.json"
    whole = path.read_bytes()
    assert copy.read_bytes() == whole
    for place in range(0, len(whole), 7):
        spoilt = bytearray(whole)
        spoilt[place] ^= 0x04
        path.write_bytes(spoilt)
        keys.unlock("sari", PASSPHRASE, NOW)
    path.unlink()
    keys.unlock("sari", PASSPHRASE, NOW)
    copy.write_bytes(whole[: len(whole) // 2])
    refused("vault.keys_corrupt", keys.unlock, "sari", PASSPHRASE, NOW)


def test_a_tampered_cost_is_refused_instead_of_eating_the_memory(keys: Keys) -> None:
    body = msgspec.json.encode(keys._read()).replace(b'"memory_kib":', b'"memory_kib":1099511627')
    with pytest.raises(msgspec.ValidationError, match="memory_kib"):
        msgspec.json.decode(body, type=KeyFile)


def test_the_default_cost_is_the_second_choice_of_rfc_9106(tmp_path: Path) -> None:
    keys = Keys(tmp_path, None)
    keys.create("sari", PASSPHRASE)
    cost = keys._read().operators[0].cost
    assert (cost.memory_kib, cost.passes, cost.lanes) == (64 * 1024, 3, 4)
    keys.unlock("sari", PASSPHRASE, NOW)


def test_a_wrap_moved_to_another_operator_opens_nothing(keys: Keys) -> None:
    """Else whoever edits the file could work under a colleague's name with their own PIN."""
    sari = keys.unlock("sari", PASSPHRASE, NOW)
    keys.add(sari.database_key, "budi", "kora kora laut", CHEAP)
    file = keys._read()
    first, second = file.operators
    moved = msgspec.structs.replace(first, operator=second.operator, name="budi")
    keys._write(msgspec.structs.replace(file, operators=[first, moved]))
    refused("pin.wrong", keys.unlock, "budi", PASSPHRASE, NOW)


def test_two_wraps_of_one_pin_share_nothing(keys: Keys) -> None:
    sari = keys.unlock("sari", PASSPHRASE, NOW)
    keys.add(sari.database_key, "budi", PASSPHRASE, CHEAP)
    first, second = keys._read().operators
    assert first.salt != second.salt
    assert first.database_key != second.database_key


def test_files_are_for_their_owner_only(keys: Keys) -> None:
    if os.name != "posix":
        pytest.skip("Windows keeps rights another way")
    assert keys.folder.stat().st_mode & 0o077 == 0
    for file in keys.folder.iterdir():
        assert file.stat().st_mode & 0o077 == 0, file.name
